"""What is found of a record: things by words or codes, of each the entries that are asked for."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from consult import times
from grounding import Sources
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import RecordedFact
from memory.domain.finding import Wanted, entries, things

Build = Callable[..., Any]
At = Callable[[float], datetime]
RXNORM, SNOMED = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct"
PATIENT = cf.PatientKey(id="1", authority="NORTH")


@pytest.fixture
def record(fact: Build) -> list[cf.ClinicalFact]:
    drug = {"kind": cf.FACT_KIND_MEDICATION, "status": cf.FACT_STATUS_ACTIVE}
    ckd = {"kind": cf.FACT_KIND_PROBLEM, "code": "433144002", "display": "Chronic kidney disease stage 3"}
    return [
        *(fact(fact_id=f"k{n}", code="2823-3", display="Potassium", since=n, value=value, unit="mmol/L")
          for n, value in enumerate(("4.1", "5.6", "3.2", "4.4"))),
        fact(fact_id="creatinine", since=9, value="1.8"),
        fact(fact_id="simvastatin", code="36567", display="simvastatin", since=5, **drug),
        fact(fact_id="atorvastatin", code="83367", display="atorvastatin", since=6, **drug),
        fact(fact_id="stopped", code="36567", display="simvastatin", since=1, until=4,
             **drug | {"status": cf.FACT_STATUS_ENDED}),
        fact(fact_id="ckd", since=3, status=cf.FACT_STATUS_ACTIVE, **ckd),
        fact(fact_id="visit", kind=cf.FACT_KIND_ENCOUNTER, code="AMB", display="ambulatory", since=8),
    ]  # fmt: skip


def found(record: Sequence[cf.ClinicalFact], at: At, **asked: Any) -> list[str]:
    """`record` oldest first within each course: its last is the course's newest."""
    wanted = Wanted(**asked)
    recorded = [RecordedFact(fact=each, recorded_at=times.stamp(at(20))) for each in record]
    sources = Sources.of(at(30), recorded, identifiers=[PATIENT])
    return [each.fact.fact_id for each in entries(wanted, things(wanted, list(record), sources), recorded)]


def test_words_find_by_synonym_class_family_and_area(record: list[cf.ClinicalFact], at: At) -> None:
    assert found(record, at, words="serum K") == ["k3", "k2", "k1", "k0"]
    assert set(found(record, at, words="statins")) == {"simvastatin", "atorvastatin", "stopped"}
    assert {"ckd", "creatinine"} <= set(found(record, at, words="kidneys"))
    assert found(record, at, words="ambulatory") == ["visit"]
    assert found(record, at, words="gout") == []


def test_codes_find_the_ingredient_and_the_family(record: list[cf.ClinicalFact], at: At) -> None:
    simvastatin = cf.CodedConcept(system=RXNORM, code="36567")
    assert found(record, at, concepts=[simvastatin]) == ["simvastatin", "stopped"]
    assert found(record, at, concepts=[cf.CodedConcept(system=SNOMED, code="709044004")]) == ["ckd"]


@pytest.mark.parametrize(
    ("form", "fact_ids"),
    [
        (pb.FIND_FORM_UNSPECIFIED, ["k3", "k2", "k1", "k0"]),
        (pb.FIND_FORM_LATEST, ["k3"]),
        (pb.FIND_FORM_EARLIEST, ["k0"]),
        (pb.FIND_FORM_HIGHEST, ["k1"]),
        (pb.FIND_FORM_LOWEST, ["k2"]),
    ],
)
def test_of_a_thing_the_form_chooses(record: list[cf.ClinicalFact], at: At, form: int, fact_ids: list[str]) -> None:
    assert found(record, at, words="potassium", form=form) == fact_ids


def test_the_last_at_or_before_a_day(record: list[cf.ClinicalFact], at: At) -> None:
    assert found(record, at, words="potassium", form=pb.FIND_FORM_LATEST, until=at(2)) == ["k2"]
    assert found(record, at, words="potassium", since=at(2)) == ["k3", "k2"]


def test_kinds_and_states_narrow_what_is_found(record: list[cf.ClinicalFact], at: At) -> None:
    assert found(record, at, kinds=[cf.FACT_KIND_ENCOUNTER]) == ["visit"]
    ended = found(record, at, words="statins", statuses=[cf.FACT_STATUS_ENDED])
    assert ended == ["stopped"]


def test_the_highest_is_compared_in_one_unit(record: list[cf.ClinicalFact], fact: Build, at: At) -> None:
    older = fact(fact_id="umol", since=2, value="150", unit="umol/L")
    assert found([older, *record], at, words="creatinine", form=pb.FIND_FORM_HIGHEST) == ["creatinine"]


def test_with_neither_words_nor_codes_everything_is_found_the_newest_thing_first(
    record: list[cf.ClinicalFact], at: At
) -> None:
    everything = found(record, at)
    assert sorted(everything) == sorted(each.fact_id for each in record)
    assert everything[0] == "creatinine"
