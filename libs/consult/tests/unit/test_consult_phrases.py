from collections.abc import Callable
from typing import Any

from consult.context import phrases
from consult.context.tokens import estimate
from longitude.record.v1 import fact_pb2 as cf

Build = Callable[..., Any]


def test_a_result_says_value_unit_flag_range_and_day(fact: Build) -> None:
    result = fact(value="1.8", since=60, abnormal_flag="H", reference_range=cf.ReferenceRange(low="0.6", high="1.2"))
    assert phrases.line(result) == "Creatinine 1.8 mg/dL, H (reference 0.6-1.2), 2024-03-01, NORTH"


def test_a_range_beside_a_converted_value_names_the_unit_it_is_in(fact: Build) -> None:
    sent = cf.Quantity(value="108", unit="umol/L")
    result = fact(
        value="1.22", abnormal_flag="H", source_quantity=sent, reference_range=cf.ReferenceRange(low="49", high="90")
    )
    assert "1.22 mg/dL, H (reference 49-90 umol/L)" in phrases.line(result)


def test_an_order_says_its_dosage_and_when_it_was_given(fact: Build) -> None:
    dosage = cf.Dosage(dose=cf.Quantity(value="1000", unit="mg"), route="PO", frequency="BID")
    medication = fact(
        kind=cf.FACT_KIND_MEDICATION, display="metformin", status=cf.FACT_STATUS_ACTIVE, dosage=dosage, since=0
    )
    told = "Medication: metformin, 1000 mg PO BID, ordered on 2024-01-01"
    assert phrases.line(medication) == f"{told}, not renewed since, NORTH"
    assert phrases.line(medication, renewed=True) == f"{told}, NORTH"


def test_an_absence_is_said_to_be_one(fact: Build) -> None:
    absent = fact(
        kind=cf.FACT_KIND_PROBLEM, display="Diabetes", assertion=cf.ASSERTION_ABSENT, status=cf.FACT_STATUS_ACTIVE
    )
    assert phrases.line(absent).startswith("Problem: absent: Diabetes")


def test_no_known_allergies_is_not_negated_twice(fact: Build) -> None:
    denial = fact(
        kind=cf.FACT_KIND_ALLERGY, code="716186003", display="No known allergies", assertion=cf.ASSERTION_ABSENT
    )
    assert "absent" not in phrases.line(denial)


def test_a_fact_read_from_a_letter_says_so(fact: Build) -> None:
    allergy = fact(
        kind=cf.FACT_KIND_ALLERGY, display="penicillin", note="rash", provenance=cf.PROVENANCE_READ_FROM_TEXT
    )
    assert phrases.line(allergy) == "Allergy: penicillin, since 2024-01-01, reaction rash, read from text, NORTH"


def test_a_line_is_one_line(fact: Build) -> None:
    assert "\n" not in phrases.line(fact(kind=cf.FACT_KIND_DOCUMENT, display="Letter", text="one\ntwo"))


def test_the_estimate_counts_digits_one_by_one() -> None:
    assert estimate("2160") == 4
    assert estimate(" metformin") == 5
    assert estimate("") == 0
