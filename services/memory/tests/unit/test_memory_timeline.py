from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as cf
from memory.domain.identity import Identifier, Link, LinkStatement, component
from memory.domain.timeline import Entry, StatedFact, holding, replay, standing
from terminology.loinc import BIRTH_DATE, SEX

Build = Callable[..., Any]
At = Callable[[float], datetime]


def ids(entries: list[Entry]) -> list[str]:
    return [entry.fact.fact_id for entry in entries]


def test_a_later_statement_in_the_slot_supersedes_the_earlier(fact: Build, statement: Build) -> None:
    old = statement(fact(fact_id="old", same="s", value="1.0"), stated=1)
    new: StatedFact = statement(fact(fact_id="new", same="s", value="1.2", status=cf.FACT_STATUS_CORRECTED), stated=2)
    entries = replay([old, new])
    assert ids(standing(entries)) == ["new"]
    superseded = next(entry for entry in entries if not entry.stands)
    assert superseded.successor is new.fact
    assert superseded.superseded_at == new.recorded_at


def test_an_old_message_that_arrives_late_does_not_replace_a_newer_one(fact: Build, statement: Build) -> None:
    newer = statement(fact(fact_id="newer", same="s"), stated=5, recorded=5)
    late = statement(fact(fact_id="late", same="s"), stated=2, received=9)
    entries = replay([newer, late])
    assert ids(standing(entries)) == ["newer"]
    # It was superseded the moment it was learned, not before it was known.
    assert next(e for e in entries if e.fact.fact_id == "late").superseded_at == late.recorded_at


def test_slots_of_two_authorities_are_two_slots(fact: Build, statement: Build) -> None:
    one = statement(fact(fact_id="one", same="s", patient="1@NORTH"), stated=1)
    other = statement(fact(fact_id="other", same="s", patient="2@LAKE"), stated=2)
    assert sorted(ids(standing(replay([one, other])))) == ["one", "other"]


def test_slots_of_two_numbers_of_one_authority_are_one_slot(fact: Build, statement: Build) -> None:
    one = statement(fact(fact_id="one", same="s", patient="1@NORTH"), stated=1)
    other = statement(fact(fact_id="other", same="s", patient="2@NORTH", text="another"), stated=2)
    assert ids(standing(replay([one, other]))) == ["other"]


@pytest.mark.parametrize("code", [BIRTH_DATE, SEX])
def test_what_tells_two_numbers_apart_stays_with_each(fact: Build, statement: Build, code: str) -> None:
    said = {"kind": cf.FACT_KIND_DEMOGRAPHIC, "code": code, "same": "person:"}
    stated = [
        statement(fact(fact_id=f"{patient}{n}", patient=f"{patient}@NORTH", text=str(n), **said), stated=n)
        for n, patient in enumerate("1212")
    ]
    assert sorted(ids(standing(replay(stated)))) == ["12", "23"]


def test_what_moves_between_two_numbers_of_one_person_stays_whole(fact: Build, statement: Build) -> None:
    visit = {"kind": cf.FACT_KIND_ENCOUNTER, "source": cf.SourcePointer(event_id="moved")}
    begun = statement(fact(fact_id="begun", same="v", status=cf.FACT_STATUS_ACTIVE, kind=cf.FACT_KIND_ENCOUNTER), 1)
    whole = cf.Identity(groups=["v"], whole_group=True)
    gone = fact(fact_id="gone", status=cf.FACT_STATUS_ENTERED_IN_ERROR, identity=whole, **visit)
    came = fact(fact_id="came", same="v", patient="2@NORTH", since=None, status=cf.FACT_STATUS_UNSPECIFIED, **visit)
    moved = [statement(gone, 2), statement(came, 2)]
    assert standing(replay([begun, moved[0]])) == []
    (stands,) = standing(replay([begun, *moved]))
    assert (stands.fact.fact_id, stands.fact.status) == ("came", cf.FACT_STATUS_ACTIVE)


def test_facts_without_a_slot_never_supersede_each_other(fact: Build, statement: Build) -> None:
    statements = [statement(fact(fact_id=str(n)), stated=n) for n in range(3)]
    assert len(standing(replay(statements))) == 3


def test_entered_in_error_withdraws_the_slot_until_it_is_stated_again(fact: Build, statement: Build) -> None:
    first = statement(fact(fact_id="first", same="s"), stated=1)
    withdrawn = statement(fact(fact_id="w", same="s", status=cf.FACT_STATUS_ENTERED_IN_ERROR), stated=2)
    again = statement(fact(fact_id="again", same="s"), stated=3)
    assert standing(replay([first, withdrawn])) == []
    assert ids(standing(replay([first, withdrawn, again]))) == ["again"]


def test_at_the_same_stated_time_a_correction_beats_the_final_whatever_came_first(
    fact: Build, statement: Build
) -> None:
    corrected = statement(fact(fact_id="c", same="s", status=cf.FACT_STATUS_CORRECTED), stated=1, received=2)
    final = statement(fact(fact_id="f", same="s", status=cf.FACT_STATUS_FINAL), stated=1, received=3)
    preliminary = statement(fact(fact_id="p", same="s", status=cf.FACT_STATUS_PRELIMINARY), stated=1, received=4)
    assert ids(standing(replay([corrected, final, preliminary]))) == ["c"]


def test_as_of_a_time_the_record_knows_only_what_it_had_learned(fact: Build, statement: Build, at: At) -> None:
    old = statement(fact(fact_id="old", same="s"), stated=1, recorded=1)
    new = statement(fact(fact_id="new", same="s"), stated=2, recorded=4)
    assert replay([old, new], known_at=at(0.5)) == []
    assert ids(standing(replay([old, new], known_at=at(3)))) == ["old"]
    assert replay([old, new], known_at=at(3))[0].superseded_at is None
    assert ids(standing(replay([old, new], known_at=at(4)))) == ["new"]


def test_valid_time_is_closed_at_the_start_and_open_at_the_end(fact: Build, statement: Build, at: At) -> None:
    entries = replay([statement(fact(kind=cf.FACT_KIND_PROBLEM, since=1, until=3))])
    assert [bool(holding(entries, at(d))) for d in (0.9, 1, 2.9, 3)] == [False, True, True, False]


def test_the_last_result_of_a_concept_is_known_to_hold(fact: Build, statement: Build, at: At) -> None:
    entries = replay([statement(fact(fact_id=str(day), since=day), stated=day) for day in (2, 5)])
    entries += replay([statement(fact(fact_id="other", code="2823-3", since=3), stated=3)])
    assert [ids(holding(entries, at(d))) for d in (1.9, 2, 4, 5)] == [[], ["2"], ["2", "other"], ["5", "other"]]


def test_a_changed_dose_answers_from_its_start_and_the_former_dose_before(
    fact: Build, statement: Build, at: At
) -> None:
    medication = {"kind": cf.FACT_KIND_MEDICATION, "same": "order", "status": cf.FACT_STATUS_ACTIVE}
    low = statement(fact(fact_id="500", since=0, **medication), stated=0)
    high = statement(fact(fact_id="1000", since=10, **medication), stated=10)
    stopped = statement(fact(fact_id="end", since=20, until=20, **medication | {"status": cf.FACT_STATUS_ENDED}), 20)
    entries = replay([low, high, stopped])
    assert [ids(holding(entries, at(d))) for d in (5, 15, 25)] == [["500"], ["1000"], []]
    assert ids(standing(entries)) == ["end"]


def test_a_stop_that_does_not_repeat_the_start_holds_since_the_start(fact: Build, statement: Build, at: At) -> None:
    medication = {"kind": cf.FACT_KIND_MEDICATION, "same": "order"}
    on = statement(fact(fact_id="on", since=5, status=cf.FACT_STATUS_ACTIVE, **medication), stated=5)
    off = statement(fact(fact_id="off", since=None, until=20, status=cf.FACT_STATUS_ENDED, **medication), stated=20)
    entries = replay([on, off])
    assert [ids(holding(entries, at(d))) for d in (4, 10, 25)] == [[], ["off"], []]
    assert standing(entries)[0].carried_from == ("on",)


def test_a_corrected_medication_leaves_nothing_of_the_wrong_one(fact: Build, statement: Build, at: At) -> None:
    medication = {"kind": cf.FACT_KIND_MEDICATION, "same": "order"}
    wrong = statement(fact(fact_id="w", since=0, status=cf.FACT_STATUS_ACTIVE, **medication), stated=0)
    right = statement(fact(fact_id="r", since=5, status=cf.FACT_STATUS_CORRECTED, **medication), stated=1)
    assert holding(replay([wrong, right]), at(2)) == []


SLOTS = st.sampled_from(["a", "b", ""])
STATUSES = st.sampled_from(
    [
        cf.FACT_STATUS_PRELIMINARY,
        cf.FACT_STATUS_FINAL,
        cf.FACT_STATUS_CORRECTED,
        cf.FACT_STATUS_ENTERED_IN_ERROR,
    ]
)


@given(
    sent=st.lists(st.tuples(SLOTS, STATUSES), max_size=12),
    seed=st.integers(0, 2**16),
)
def test_the_final_timeline_does_not_depend_on_the_order_of_arrival(
    sent: list[tuple[str, int]], seed: int, fact: Build, statement: Build
) -> None:
    """Each message has its own stated time; they arrive in any order, and the record learns them as they arrive."""

    def outcome(arrival: list[int]) -> list[tuple[str, str]]:
        built: list[StatedFact] = [
            statement(fact(fact_id=f"f{n}", same=sent[n][0], status=sent[n][1]), stated=n, received=100 + place)
            for place, n in enumerate(arrival)
        ]
        entries = replay(built)
        return sorted((e.fact.fact_id, e.successor.fact_id if e.successor else "") for e in entries)

    in_order = list(range(len(sent)))
    shuffled = in_order.copy()
    Random(seed).shuffle(shuffled)
    assert outcome(in_order) == outcome(shuffled)


@given(
    stated=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    known=st.floats(0, 20, allow_nan=False),
)
def test_what_was_known_then_never_changes_with_what_is_learned_later(
    stated: list[int], known: float, fact: Build, statement: Build, at: At
) -> None:
    recorded = [
        statement(fact(fact_id=f"f{n}", same="s"), stated=s, received=5 + n, recorded=5 + n)
        for n, s in enumerate(stated)
    ]
    then = [s for s in recorded if s.recorded_at <= at(known)]
    assert replay(recorded, known_at=at(known)) == replay(then)


MESSAGES = st.lists(
    st.tuples(st.sampled_from("12"), SLOTS, STATUSES, st.sampled_from(("", "", "", "merged", "parted"))), max_size=12
)


@given(sent=MESSAGES, seed=st.integers(0, 2**16))
def test_merges_and_partings_give_one_timeline_in_any_order(
    sent: list[tuple[str, str, int, str]], seed: int, fact: Build, statement: Build, at: At
) -> None:
    """Of each number: what is stated under it alone where it stands alone, else under both."""
    one, other = Identifier("NORTH", "1"), Identifier("NORTH", "2")

    def outcome(arrival: list[int]) -> dict[str, list[tuple[str, str]]]:
        facts: list[StatedFact] = []
        links: list[LinkStatement] = []
        for place, n in enumerate(arrival, 100):
            patient, slot, status, link = sent[n]
            built = fact(fact_id=f"f{n}", same=slot, status=status, patient=f"{patient}@NORTH")
            facts.append(statement(built, stated=n, received=place))
            if link:
                links.append(LinkStatement(Link(one, other, link == "parted"), at(n), at(place), 0, at(place)))
        return {who.id: told(facts, component(who, links)) for who in (one, other)}

    def told(facts: list[StatedFact], person: frozenset[Identifier]) -> list[tuple[str, str]]:
        entries = replay(each for each in facts if Identifier.of(each.fact.patient) in person)
        return sorted((e.fact.fact_id, e.successor.fact_id if e.successor else "") for e in entries)

    shuffled = list(range(len(sent)))
    Random(seed).shuffle(shuffled)
    in_order = outcome(list(range(len(sent))))
    assert outcome(shuffled) == in_order
    assert {name for each in in_order.values() for name, _ in each} == {f"f{n}" for n in range(len(sent))}
