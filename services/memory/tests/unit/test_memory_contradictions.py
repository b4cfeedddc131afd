from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from longitude.record.v1 import fact_pb2 as cf
from memory.domain.contradictions import Conflict, find
from memory.domain.timeline import StatedFact, replay, standing

Build = Callable[..., Any]
At = Callable[[float], datetime]

NKA = {
    "kind": cf.FACT_KIND_ALLERGY,
    "code": "716186003",
    "display": "No known allergy",
    "assertion": cf.ASSERTION_ABSENT,
    "status": cf.FACT_STATUS_ACTIVE,
}
PENICILLIN = {
    "kind": cf.FACT_KIND_ALLERGY,
    "code": "764146007",
    "display": "penicillin",
    "status": cf.FACT_STATUS_ACTIVE,
}
METFORMIN = {"kind": cf.FACT_KIND_MEDICATION, "code": "6809", "display": "metformin"}
ACTIVE, ENDED = cf.FACT_STATUS_ACTIVE, cf.FACT_STATUS_ENDED


def rules(conflicts: list[Conflict]) -> list[str]:
    return [conflict.rule for conflict in conflicts]


def test_no_known_allergies_against_an_allergy_is_found_with_both_facts(fact: Build) -> None:
    denial, allergy = fact(fact_id="nka", **NKA), fact(fact_id="pen", patient="2@LAKE", since=5, **PENICILLIN)
    (conflict,) = find([denial, allergy])
    assert (conflict.rule, conflict.fact_ids) == ("no-known-allergies", ("nka", "pen"))


def test_no_known_allergies_that_ended_before_the_allergy_is_no_contradiction(fact: Build) -> None:
    assert find([fact(until=3, **NKA), fact(since=5, **PENICILLIN)]) == []


@pytest.mark.parametrize("provenance", [cf.PROVENANCE_READ_FROM_TEXT, cf.PROVENANCE_READ_FROM_IMAGE])
def test_an_allergy_read_from_a_letter_contradicts_whatever_its_dates(fact: Build, provenance: int) -> None:
    letter = fact(since=-900, until=-890, provenance=provenance, **PENICILLIN)
    assert rules(find([fact(**NKA), letter])) == ["no-known-allergies"]


def test_no_known_allergies_alone_or_an_allergy_alone_is_no_contradiction(fact: Build) -> None:
    assert find([fact(**NKA), fact(patient="2@LAKE", **NKA)]) == []
    assert find([fact(**PENICILLIN)]) == []


@pytest.mark.parametrize(
    ("allergy", "contradicts"),
    [
        (PENICILLIN, True),
        ({**PENICILLIN, "code": "", "display": "STATINS"}, True),
        ({**PENICILLIN, "code": "762952008", "display": "Peanut"}, False),
    ],
)
def test_no_known_drug_allergies_is_contradicted_by_an_allergy_to_a_drug_and_to_nothing_else(
    fact: Build,
    allergy: dict[str, Any],
    contradicts: bool,  # noqa: FBT001
) -> None:
    denial = fact(**{**NKA, "code": "409137002", "display": "No known drug allergy"})
    assert bool(find([denial, fact(patient="2@LAKE", **allergy)])) is contradicts


def test_present_and_absent_at_once_is_found(fact: Build) -> None:
    problem = {"kind": cf.FACT_KIND_PROBLEM, "code": "44054006", "display": "Type 2 diabetes", "status": ACTIVE}
    absent = fact(since=3, assertion=cf.ASSERTION_ABSENT, **problem)
    assert rules(find([fact(**problem), absent])) == ["present-and-absent"]
    assert find([fact(until=3, **problem), absent]) == []


def test_a_problem_that_ended_at_an_unknown_time_does_not_contradict_a_later_absence(fact: Build) -> None:
    problem = {"kind": cf.FACT_KIND_PROBLEM, "code": "44054006"}
    ended = fact(since=0, status=ENDED, **problem)
    assert find([ended, fact(since=9, status=ACTIVE, assertion=cf.ASSERTION_ABSENT, **problem)]) == []


def test_a_medication_active_here_and_ended_there_is_found(fact: Build) -> None:
    active = fact(fact_id="on", patient="1@NORTH", since=0, status=ACTIVE, **METFORMIN)
    ended = fact(fact_id="off", patient="2@LAKE", since=1, until=8, status=ENDED, **METFORMIN)
    (conflict,) = find([active, ended])
    assert (conflict.rule, conflict.fact_ids) == ("active-and-ended", ("off", "on"))


def test_a_brand_and_its_ingredient_are_one_medication(fact: Build) -> None:
    active = fact(fact_id="on", patient="1@NORTH", since=0, status=ACTIVE, **METFORMIN)
    brand = {**METFORMIN, "code": "", "display": "Glucophage XR"}
    ended = fact(fact_id="off", patient="2@LAKE", since=1, until=8, status=ENDED, **brand)
    assert rules(find([active, ended])) == ["active-and-ended"]
    both = {**brand, "display": "Janumet"}
    assert find([active, fact(patient="2@LAKE", since=1, until=8, status=ENDED, **both)]) == []


def test_a_medication_started_after_the_other_feed_ended_it_is_no_contradiction(fact: Build) -> None:
    ended = fact(patient="2@LAKE", since=1, until=8, status=ENDED, **METFORMIN)
    assert find([fact(patient="1@NORTH", since=9, status=ACTIVE, **METFORMIN), ended]) == []


def test_a_feed_that_ended_one_order_and_goes_on_with_another_does_not_contradict(fact: Build) -> None:
    north = fact(patient="1@NORTH", since=0, status=ACTIVE, **METFORMIN)
    former = fact(patient="2@LAKE", since=1, until=8, status=ENDED, **METFORMIN)
    present = fact(patient="2@LAKE", since=8, status=ACTIVE, **METFORMIN)
    assert find([north, former, present]) == []


def test_one_feed_alone_cannot_contradict_itself_about_a_medication(fact: Build) -> None:
    ended = fact(since=0, until=8, status=ENDED, **METFORMIN)
    assert find([fact(since=2, status=ACTIVE, **METFORMIN), ended]) == []


def test_a_dose_given_once_elsewhere_ends_nothing(fact: Build) -> None:
    active = fact(patient="1@NORTH", since=0, status=ACTIVE, **METFORMIN)
    assert find([active, fact(patient="2@LAKE", since=3, until=3, status=ENDED, **METFORMIN)]) == []


@pytest.mark.parametrize(
    ("code", "one", "other", "mismatch"),
    [
        ("21112-8", "1957-03-02", "1957-03-12", True),
        ("21112-8", "1957-03-02", "19570302", False),
        ("21112-8", "1957", "1957-03-02", False),
        ("46098-0", "F", "M", True),
        ("46098-0", "F", "f", False),
        ("46098-0", "F", "U", False),
    ],
)
def test_linked_identifiers_with_other_demographics_are_found(
    fact: Build, code: str, one: str, other: str, *, mismatch: bool
) -> None:
    demographic = {"kind": cf.FACT_KIND_DEMOGRAPHIC, "code": code, "since": None, "status": ACTIVE}
    facts = [fact(text=one, **demographic), fact(text=other, patient="2@LAKE", **demographic)]
    assert rules(find(facts)) == ["demographic-mismatch"] * mismatch


def test_a_restatement_keeps_the_contradiction_and_names_the_new_fact(fact: Build) -> None:
    allergy = fact(fact_id="pen", patient="2@LAKE", **PENICILLIN)
    (first,) = find([fact(fact_id="nka-1", **NKA), allergy])
    (second,) = find([allergy, fact(fact_id="nka-2", since=2, **NKA)])
    assert first.id == second.id
    assert second.fact_ids == ("nka-2", "pen")


def test_the_same_conflict_of_another_person_has_another_id(fact: Build) -> None:
    def conflict(number: str) -> str:
        return find([fact(patient=f"{number}@N", **NKA), fact(patient=f"{number}@L", **PENICILLIN)])[0].id

    assert conflict("1") != conflict("2")


@pytest.mark.parametrize(("stated", "contradicts"), [(1, True), (5, False)])
def test_an_allergy_without_a_start_is_known_since_it_was_stated(
    fact: Build, stated: int, *, contradicts: bool
) -> None:
    allergy = fact(since=None, stated=stated, **PENICILLIN)
    assert bool(find([fact(until=3, **NKA), allergy])) is contradicts


@pytest.mark.parametrize(("end", "contradicts"), [(4, False), (20, True)])
def test_an_order_without_a_start_is_compared_by_when_it_was_stated(
    fact: Build, end: int, *, contradicts: bool
) -> None:
    ended = fact(until=end, status=ENDED, **METFORMIN)
    active = fact(patient="2@LAKE", since=None, stated=9, status=ACTIVE, **METFORMIN)
    assert bool(find([ended, active])) is contradicts


def test_an_order_on_hold_ends_no_treatment(fact: Build) -> None:
    held = fact(until=20, status=ENDED, note="on hold", **METFORMIN)
    stopped = fact(until=20, status=ENDED, **METFORMIN)
    active = fact(patient="2@LAKE", since=9, status=ACTIVE, **METFORMIN)
    assert find([held, active]) == []
    assert rules(find([stopped, active])) == ["active-and-ended"]


def test_a_denial_that_was_ended_with_its_whole_list_contradicts_nothing_later(fact: Build, at: At) -> None:
    denial = fact(identity=cf.Identity(groups=["list:allergies"], names=["nka"]), **NKA)
    ended = fact(
        kind=cf.FACT_KIND_ALLERGY,
        since=None,
        until=3,
        status=ENDED,
        identity=cf.Identity(groups=["list:allergies"], whole_group=True),
    )
    allergy = fact(since=5, **PENICILLIN)
    stated = [StatedFact(each, at(day), at(day), 0, at(day)) for each, day in ((denial, 0), (ended, 3), (allergy, 5))]
    assert find(entry.fact for entry in standing(replay(stated))) == []
    assert rules(find([denial, allergy])) == ["no-known-allergies"]
