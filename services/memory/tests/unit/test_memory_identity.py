from collections.abc import Callable
from datetime import datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from memory.domain.identity import Identifier, Link, LinkStatement, component

At = Callable[[float], datetime]

A, B, C, D = (Identifier("NORTH", name) for name in "ABCD")


def said(at: At, number: float, one: Identifier, other: Identifier, *, removed: bool = False) -> LinkStatement:
    return LinkStatement(Link(one, other, removed), at(number), at(number), 0, at(number))


def test_an_identifier_without_links_is_a_person_alone() -> None:
    assert component(A, []) == {A}


def test_any_identifier_of_a_chain_resolves_to_the_whole_person(at: At) -> None:
    chain = [said(at, 1, A, B), said(at, 2, B, C), said(at, 3, D, C)]
    assert all(component(member, chain) == {A, B, C, D} for member in (A, B, C, D))


def test_circular_and_inverse_merges_are_one_person(at: At) -> None:
    circle = [said(at, 1, A, B), said(at, 2, B, A), said(at, 3, B, C), said(at, 4, C, A)]
    assert component(C, circle) == {A, B, C}


def test_a_merge_with_itself_says_nothing(at: At) -> None:
    assert component(A, [said(at, 1, A, A), said(at, 2, A, B)]) == {A, B}


def test_unmerge_makes_two_persons_again(at: At) -> None:
    links = [said(at, 1, A, B), said(at, 2, A, B, removed=True)]
    assert component(A, links) == {A}
    assert component(B, links) == {B}


def test_unmerge_in_either_direction_takes_back_the_merge(at: At) -> None:
    assert component(A, [said(at, 1, A, B), said(at, 2, B, A, removed=True)]) == {A}


def test_merging_again_after_an_unmerge_holds(at: At) -> None:
    links = [said(at, 1, A, B), said(at, 2, A, B, removed=True), said(at, 3, B, A)]
    assert component(A, links) == {A, B}


def test_an_unmerge_cuts_its_own_link_and_no_other(at: At) -> None:
    links = [said(at, 1, A, B), said(at, 2, B, C), said(at, 3, A, C), said(at, 4, A, B, removed=True)]
    assert component(A, links) == {A, B, C}


def test_an_unmerge_that_arrives_before_its_merge_still_follows_it(at: At) -> None:
    assert component(A, [said(at, 5, A, B, removed=True), said(at, 1, A, B)]) == {A}


PEOPLE = st.sampled_from([A, B, C, D])


@given(links=st.lists(st.tuples(PEOPLE, PEOPLE, st.booleans()), max_size=12), seed=st.integers(0, 2**16))
def test_who_is_whom_does_not_depend_on_the_order_of_arrival(
    links: list[tuple[Identifier, Identifier, bool]], seed: int, at: At
) -> None:
    statements = [said(at, n, one, other, removed=removed) for n, (one, other, removed) in enumerate(links)]
    shuffled = statements.copy()
    Random(seed).shuffle(shuffled)
    assert all(component(member, statements) == component(member, shuffled) for member in (A, B, C, D))


@given(links=st.lists(st.tuples(PEOPLE, PEOPLE, st.booleans()), max_size=12))
def test_being_one_person_is_mutual(links: list[tuple[Identifier, Identifier, bool]], at: At) -> None:
    statements = [said(at, n, one, other, removed=removed) for n, (one, other, removed) in enumerate(links)]
    for member in (A, B, C, D):
        whole = component(member, statements)
        assert member in whole
        assert all(component(other, statements) == whole for other in whole)
