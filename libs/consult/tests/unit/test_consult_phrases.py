from collections.abc import Callable
from typing import Any

import pytest
from consult.context import phrases
from consult.context.tokens import estimate
from longitude.record.v1 import fact_pb2 as cf

Build = Callable[..., Any]


def test_a_result_says_value_unit_flag_range_and_day(fact: Build) -> None:
    result = fact(value="1.8", since=60, abnormal_flag="H", reference_range=cf.ReferenceRange(low="0.6", high="1.2"))
    assert phrases.line(result) == "creatinine 1.8 mg/dL, H (reference 0.6-1.2), 2024-03-01"


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
    told = "Medication: metformin, 1000 mg PO twice daily, ordered on 2024-01-01"
    assert phrases.line(medication) == f"{told}, not renewed since"
    assert phrases.line(medication, renewed=True) == f"{told}"


def test_whose_number_it_stands_under_is_told_where_it_is_asked_for(fact: Build) -> None:
    assert phrases.line(fact(value="1.8"), authority=True) == "creatinine 1.8 mg/dL, 2024-01-01, NORTH"


def test_a_corrected_value_is_said_to_be_one(fact: Build) -> None:
    assert phrases.line(fact(value="1.8", status=cf.FACT_STATUS_CORRECTED)).endswith("2024-01-01, corrected")


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
    assert phrases.line(allergy) == "Allergy: penicillin, since 2024-01-01, reaction rash, read from text"


def test_a_line_is_one_line(fact: Build) -> None:
    assert "\n" not in phrases.line(fact(kind=cf.FACT_KIND_DOCUMENT, display="Letter", text="one\ntwo"))


def test_the_estimate_counts_digits_one_by_one() -> None:
    assert estimate("2160") == 4
    assert estimate(" metformin") == 5
    assert estimate("") == 0


@pytest.mark.parametrize(
    ("times", "state"),
    [
        ({"since": None, "stated": 31}, "ordered on 2024-02-01, not renewed since"),
        ({"since": 0, "stated": 31}, "ordered on 2024-01-01, not renewed since"),
        ({"since": 0, "until": 31}, "2024-01-01 to 2024-02-01"),
        ({"since": None, "until": 31, "stated": 0}, "recorded on 2024-01-01, start not stated, until 2024-02-01"),
    ],
)
def test_an_order_is_never_said_to_go_on_since_its_day(fact: Build, times: dict[str, float | None], state: str) -> None:
    order = fact(kind=cf.FACT_KIND_MEDICATION, display="metformin", status=cf.FACT_STATUS_ACTIVE, **times)
    assert phrases.line(order) == f"Medication: metformin, {state}"


def test_an_order_on_hold_says_so(fact: Build) -> None:
    held = fact(kind=cf.FACT_KIND_MEDICATION, display="metformin", status=cf.FACT_STATUS_ENDED, note="on hold", until=9)
    assert phrases.line(held) == "Medication: metformin, 2024-01-01 to 2024-01-10, on hold"


@pytest.mark.parametrize(
    ("kind", "unstated"),
    [
        (cf.FACT_KIND_PROBLEM, "recorded on 2024-02-01, start not stated"),
        (cf.FACT_KIND_ALLERGY, "recorded on 2024-02-01, start not stated"),
        (cf.FACT_KIND_RESULT, "reported on 2024-02-01, time not stated"),
    ],
)
def test_a_start_that_nobody_stated_is_said_to_be_missing(fact: Build, kind: int, unstated: str) -> None:
    line = phrases.line(fact(kind=kind, display="it", since=None, stated=31))
    assert unstated in line
    assert "since 20" not in line


def test_what_changes_a_meaning_stands_on_the_line(fact: Build) -> None:
    potassium = fact(display="Potassium", value="6.9", unit="mmol/L", comments=["haemolysed", "repeat"])
    assert "6.9 mmol/L, 2024-01-01, comment of the laboratory: haemolysed, " in phrases.line(potassium)
    tested = fact(
        code="18864-9",
        display="Ampicillin [Susceptibility]",
        text="S",
        about=cf.CodedConcept(display="Escherichia coli"),
    )
    assert phrases.line(tested).startswith("Ampicillin, Escherichia coli S, ")
    allergy = fact(kind=cf.FACT_KIND_ALLERGY, display="penicillin", note="hives", severity=cf.CodedConcept(code="SV"))
    assert "reaction hives, severe" in phrases.line(allergy)
