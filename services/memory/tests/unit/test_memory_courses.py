"""Which facts of a long record a context pack is made from."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as cf
from memory.domain.courses import Course, chosen, concept_of, cut, depth
from memory.domain.timeline import Entry, replay

Build = Callable[..., Any]
# Bytes of a key of an index: a third of a page of PostgreSQL.
LARGEST_KEY = 2_700
DRUG = {"kind": cf.FACT_KIND_MEDICATION, "code": "6809"}
DRAWN = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([each for each in cf.FactKind.values() if each]),
        "code": st.sampled_from(("a", "b", "c", "")),
        "display": st.sampled_from(("One", "Other")),
        "since": st.integers(0, 5),
        "status": st.sampled_from((cf.FACT_STATUS_ACTIVE, cf.FACT_STATUS_ENDED, cf.FACT_STATUS_FINAL)),
    }
)


@pytest.fixture(scope="session")
def entries(fact: Build, statement: Build) -> Callable[..., list[Entry]]:
    def replayed(drawn: list[dict[str, Any]]) -> list[Entry]:
        return replay(statement(fact(fact_id=f"f{n:03}", **each)) for n, each in enumerate(drawn))

    return replayed


def ids(entries: list[Entry]) -> set[str]:
    return {entry.fact.fact_id for entry in entries}


@given(drawn=st.lists(DRAWN, max_size=40), most=st.integers(1, 45))
def test_a_record_within_the_bound_is_chosen_whole_and_a_longer_one_within_it(
    drawn: list[dict[str, Any]], most: int, entries: Build
) -> None:
    record = entries(drawn)
    some = chosen(record, most)
    assert some == [entry for entry in record if entry in some]
    assert (some == record) if len(record) <= most else (0 < len(some) <= most)


@given(drawn=st.lists(DRAWN, min_size=1, max_size=40), most=st.integers(1, 45))
def test_the_newest_of_every_course_is_chosen_before_a_second_of_any(
    drawn: list[dict[str, Any]], most: int, entries: Build
) -> None:
    record = entries(drawn)
    newest = {
        (each.fact.kind, concept_of(each.fact)): each
        for each in sorted(record, key=lambda each: (each.since, each.fact.fact_id))
    }
    some = ids(chosen(record, most))
    if len(newest) <= most:
        assert ids(list(newest.values())) <= some
    else:
        assert some <= ids(list(newest.values()))


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=20), most=st.integers(20, 400))
def test_every_course_is_as_deep_as_fits(counts: list[int], most: int, at: Build) -> None:
    courses = [Course(cf.FACT_KIND_RESULT, str(n), many, at(n)) for n, many in enumerate(counts)]
    shown, deep = depth(courses, most)
    assert len(shown) == len(courses)
    assert sum(min(many, deep) for many in counts) <= most
    assert sum(counts) <= most or sum(min(many, deep + 1) for many in counts) > most


def test_of_a_course_that_is_cut_the_newest_and_the_oldest_are_kept() -> None:
    assert [cut(range(9), deep) for deep in (1, 2, 4, 9)] == [[8], [0, 8], [0, 6, 7, 8], list(range(9))]


def test_an_order_in_force_stays_however_many_doses_came_after_it(entries: Build) -> None:
    order = {**DRUG, "since": 0, "status": cf.FACT_STATUS_ACTIVE}
    doses = [{**DRUG, "since": n, "until": n, "status": cf.FACT_STATUS_ENDED} for n in range(1, 40)]
    assert "f000" in ids(chosen(entries([order, *doses]), 3))


def test_where_not_even_one_of_each_course_fits_what_must_not_be_missed_comes_first(entries: Build) -> None:
    results = [{"code": f"r{n}", "since": 100 + n} for n in range(20)]
    allergies = [{"kind": cf.FACT_KIND_ALLERGY, "code": f"a{n}", "since": n} for n in range(3)]
    record = entries([*results, *allergies])
    assert {entry.fact.code.code for entry in chosen(record, 5)} == {"a0", "a1", "a2", "r19", "r18"}


def test_results_without_a_code_and_isolates_of_one_antibiotic_are_courses_of_their_own(fact: Build) -> None:
    named = [concept_of(fact(code="", display=name)) for name in ("Urea", "Lactate", "urea")]
    about = [concept_of(fact(code="x", about=cf.CodedConcept(display=name))) for name in ("E. coli", "S. aureus")]
    assert (len(set(named)), len(set(about))) == (2, 2)
    assert len(concept_of(fact(code="", display="\U0001f48a" * 10_000)).encode()) < LARGEST_KEY
