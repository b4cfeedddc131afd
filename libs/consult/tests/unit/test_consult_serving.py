"""What finding brings of a record stands in its pack, the question's own facts first."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from consult.context.composing import Gathered, compose
from consult.context.serving import dangers, serving
from consult.context.tokens import estimate
from grounding import Sources
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import RecordedFact

Build = Callable[..., Any]
At = Callable[[float], datetime]
LDL = {"code": "18262-6", "display": "LDL cholesterol", "unit": "mg/dL"}
DRUG = {"kind": cf.FACT_KIND_MEDICATION, "status": cf.FACT_STATUS_ACTIVE}
CVX = "http://hl7.org/fhir/sid/cvx"
PATIENT = cf.PatientKey(id="1", authority="NORTH")


@pytest.fixture
def record(fact: Build) -> list[cf.ClinicalFact]:
    values = (170, 110, 150, 190, 140, 100, 130, 120, 125, 118)
    return [
        *(fact(fact_id=f"ldl-{n}", since=30 * n, value=str(value), **LDL) for n, value in enumerate(values)),
        *(fact(fact_id=f"k-{n}", code="2823-3", display="Potassium", since=n, value="4.1") for n in range(40)),
        fact(fact_id="statin", code="36567", display="simvastatin", since=100, **DRUG),
        fact(fact_id="naproxen", code="7258", display="naproxen", since=2, **DRUG | {"status": cf.FACT_STATUS_ENDED}),
        fact(fact_id="warfarin", code="11289", display="warfarin", since=3, **DRUG),
        fact(fact_id="latex", kind=cf.FACT_KIND_ALLERGY, code="111088007", display="Latex", status=DRUG["status"]),
        vaccination("flu", "140", "Influenza, seasonal, injectable, preservative free"),
        vaccination("ppv", "33", "pneumococcal polysaccharide PPV23"),
    ]


def vaccination(fact_id: str, code: str, display: str) -> cf.ClinicalFact:
    concept = cf.CodedConcept(system=CVX, code=code, display=display)
    return cf.ClinicalFact(fact_id=fact_id, kind=cf.FACT_KIND_IMMUNIZATION, patient=PATIENT, code=concept)


def served(record: list[cf.ClinicalFact], question: str, at: At) -> list[str]:
    return [each.fact_id for each in serving(question, sources(record, at))]


def sources(record: list[cf.ClinicalFact], at: At) -> Sources:
    return Sources.of(at(320), [RecordedFact(fact=each) for each in record], identifiers=[PATIENT])


def test_of_a_course_the_ends_and_the_extremes_come_before_the_rest(record: list[cf.ClinicalFact], at: At) -> None:
    brought = served(record, "How did the LDL develop?", at)
    assert {"ldl-9", "ldl-0", "ldl-3", "ldl-5"} <= set(brought[:6])
    assert {f"ldl-{n}" for n in range(10)} <= set(brought)
    assert not any(each.startswith("k-") for each in brought)


def test_the_effect_of_a_drug_is_looked_for_since_its_first_order(record: list[cf.ClinicalFact], at: At) -> None:
    brought = served(record, "Did simvastatin bring the LDL down?", at)
    assert brought.index("statin") < brought.index("ldl-2")
    # The lowest and the highest since: what was lower or higher before is not the effect of the drug.
    assert brought.index("ldl-5") < brought.index("ldl-1")


def test_before_a_drug_is_given_what_interacts_and_what_is_taken_stands_beside_it(
    record: list[cf.ClinicalFact], at: At
) -> None:
    brought = served(record, "Can I give him ibuprofen?", at)
    assert brought.index("warfarin") < brought.index("statin")
    assert "naproxen" in brought


def test_beside_the_vaccination_that_is_asked_for_stand_the_others(record: list[cf.ClinicalFact], at: At) -> None:
    brought = served(record, "Is he vaccinated against pneumococci?", at)
    assert brought[0] == "ppv"
    assert "flu" in brought


def test_what_is_new_since_a_day_is_brought_the_newest_first(record: list[cf.ClinicalFact], at: At) -> None:
    brought = served(record, "What is new since the visit of 1 March 2024?", at)
    assert {"statin", "ldl-9"} <= set(brought)
    assert "warfarin" not in brought


def test_allergies_and_critical_values_are_dangers_whatever_is_asked(
    record: list[cf.ClinicalFact], fact: Build, at: At
) -> None:
    critical = fact(fact_id="k", code="2823-3", display="Potassium", since=319, value="6.4", unit="mmol/L")
    assert [each.fact_id for each in dangers(sources([*record, critical], at))] == ["k", "latex"]


def test_a_pack_begins_with_what_is_asked_for_and_never_lacks_the_allergy(
    record: list[cf.ClinicalFact], at: At
) -> None:
    gathered = Gathered([RecordedFact(fact=each) for each in record], [], [PATIENT], [], [])
    for budget in (200, 400, 1_500):
        lines = [
            each.fact_id for each in compose(gathered, "How did the LDL develop?", budget, at(320), estimate).lines
        ]
        assert lines[0].startswith("ldl")
        assert "latex" in lines
