"""For which problems and drugs the evidence library has a passage."""

from collections.abc import Callable
from typing import Any

import pytest
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import Passage
from memory.domain.coverage import coverage, frequent, of_record
from memory.flows.library import shipped
from terminology import problems
from terminology.concepts import RXNORM, SNOMED
from testkit.facts import day

Build = Callable[..., cf.ClinicalFact]
TODAY = day(100).date()
ACTIVE = {"status": cf.FACT_STATUS_ACTIVE}
PROBLEM = {"kind": cf.FACT_KIND_PROBLEM, **ACTIVE}
DRUG = {"kind": cf.FACT_KIND_MEDICATION, **ACTIVE}
KIDNEYS, STAGE_4, SPRAIN, HEAD_INJURY = "709044004", "431857002", "44465007", "82271004"
METFORMIN = "6809"


def passage(name: str, system: str, *codes: str) -> Passage:
    return Passage(passage_id=name, codes=[cf.CodedConcept(system=system, code=code) for code in codes])


def covered(library: list[Passage], *record: cf.ClinicalFact) -> list[tuple[str, ...]]:
    return [each.passages for each in coverage(of_record(record, TODAY), library)]


def test_a_drug_is_covered_by_its_ingredient_whatever_the_form_is_called(fact: Build) -> None:
    tablet = fact(code="860975", display="24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", **DRUG)
    library = [passage("other", RXNORM, "6918"), passage("metformin", RXNORM, METFORMIN)]
    assert covered(library, tablet) == [("metformin",)]


def test_a_combination_asks_for_each_ingredient(fact: Build) -> None:
    tablet = fact(code="", display="Hydrochlorothiazide 12.5 MG / Lisinopril 10 MG Oral Tablet", **DRUG)
    subjects = of_record([tablet], TODAY)
    assert {each.display.lower() for each in subjects} == {"hydrochlorothiazide", "lisinopril"}


def test_a_stage_is_covered_by_what_is_said_of_the_disease(fact: Build) -> None:
    stage = fact(code=STAGE_4, display="Chronic kidney disease stage 4", **PROBLEM)
    assert covered([passage("kidneys", SNOMED, KIDNEYS)], stage) == [("kidneys",)]


def test_one_injury_is_not_covered_by_what_is_said_of_another(fact: Build) -> None:
    sprain = fact(code=SPRAIN, display="Sprain of ankle", **PROBLEM)
    assert covered([passage("head", SNOMED, HEAD_INJURY)], sprain) == [()]
    assert covered([passage("ankle", SNOMED, SPRAIN)], sprain) == [("ankle",)]


@pytest.mark.parametrize(
    "more",
    [
        {"until": 50},
        {"status": cf.FACT_STATUS_ENDED},
        {"assertion": cf.ASSERTION_ABSENT},
        {"code": "160903007", "display": "Full-time employment (finding)"},
        {"note": "family history: mother"},
    ],
)
def test_what_is_over_absent_of_a_relative_or_no_illness_is_not_asked_about(fact: Build, more: dict[str, Any]) -> None:
    assert of_record([fact(**{"code": KIDNEYS, "display": "Chronic kidney disease", **PROBLEM, **more})], TODAY) == []


def test_what_stands_twice_is_asked_about_once(fact: Build) -> None:
    twice = [fact(fact_id=name, code=METFORMIN, display="metformin", **DRUG) for name in ("one", "other")]
    assert len(of_record(twice, TODAY)) == 1


def test_the_frequent_problems_and_drugs_are_known_and_most_have_a_passage() -> None:
    subjects = frequent()
    named = [each for each in subjects if each.kind == cf.FACT_KIND_PROBLEM]
    assert all(problems.of(cf.CodedConcept(system=each.system, code=each.code)) for each in named)
    assert len({each.keys for each in subjects}) == len(subjects)
    without = [each.subject.display for each in coverage(subjects, shipped()) if not each.passages]
    assert len(without) <= len(subjects) // 8, without
