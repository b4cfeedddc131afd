"""Numbers and units as laboratories write them: read where one thing can be meant, else kept as text and remarked."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingestion.domain.facts.quantities import measured, with_unit
from ingestion.domain.reading import Feed, read
from longitude.record.v1 import fact_pb2 as pb

PLATELETS = "777-3^Platelets^LN"
POTASSIUM = "2823-3^Potassium^LN"


def read_one(
    value: str, code: str, unit: str = "", reference: str = "", kind: str = "NM"
) -> tuple[pb.ClinicalFact, int]:
    """The fact of one result, and how many remarks there were."""
    header = "MSH|^~\\&|LAB|NORTH|||20240301120000||ORU^R01|M1|P|2.5.1"
    obx = f"OBX|1|{kind}|{code}||{value}|{unit}|{reference}||||F"
    message = f"{header}\rPID|1||P1\rOBR|1|P|F|CHEM\r{obx}"
    found = read(message.encode(), datetime(2024, 6, 1, tzinfo=UTC), Feed())
    (fact,) = found.content.facts
    return fact, len(found.remarks)


def quantity(fact: pb.ClinicalFact) -> tuple[str, str, str]:
    return fact.quantity.comparator, fact.quantity.value, fact.quantity.unit


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [
        ("1,250,000", "", "1250000"),
        ("1,234.5", "", "1234.5"),
        ("12,345.0", "", "12345.0"),
        ("250,000", "150,000-400,000", "250000"),
        ("1,250", "0.5-1,500", "1250"),
        ("1,250", "", None),
        ("1,250", "1,2-3,4", None),
        ("1,250", "0,900 - 1,300", None),
        ("1,5", "", None),
        ("0,125", "100,000-200,000", None),
        ("12,34,567", "", None),
        ("1,25.0", "", None),
    ],
)
def test_a_comma_is_one_of_thousands_where_it_can_be_nothing_else(
    value: str, reference: str, expected: str | None
) -> None:
    fact, remarks = read_one(value, "X^Count^L", "u", reference)
    if expected is None:
        assert (fact.text, remarks) == (value, 1)
    else:
        assert (fact.quantity.value, remarks) == (expected, 0)


@given(st.integers(min_value=1_000_000, max_value=10**12), st.sampled_from(["", "<", ">="]))
def test_a_number_written_with_thousands_is_the_number(number: int, comparator: str) -> None:
    grouped = measured(f"{comparator}{number:,}", "u")
    assert grouped == measured(f"{comparator}{number}", "u") is not None


def test_bounds_with_thousands_are_bounds() -> None:
    fact, _ = read_one("250,000", PLATELETS, "/uL", "150,000-400,000")
    assert quantity(fact) == ("", "250", "10*3/uL")
    assert (fact.reference_range.low, fact.reference_range.high) == ("150", "400")


@pytest.mark.parametrize("kind", ["NM", "ST", "TX", "FT"])
@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("5.4 mmol/L", "", ("", "5.4", "mmol/L")),
        ("<5.4mmol/l", "", ("<", "5.4", "mmol/L")),
        ("5.4 mmol/L", "mmol/L", ("", "5.4", "mmol/L")),
    ],
)
def test_a_unit_beside_the_value_is_its_unit(kind: str, value: str, unit: str, expected: tuple[str, str, str]) -> None:
    assert quantity(read_one(value, POTASSIUM, unit, kind=kind)[0]) == expected


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        ("GRADE^Grade^L", "2 A", ""),
        (POTASSIUM, "5.4 mg/L", ""),
        (POTASSIUM, "5.4 mmol/L", "mg/dL"),
        (POTASSIUM, "5.4 haemolysed", ""),
        (POTASSIUM, "5.4 mmol/L haemolysed", ""),
    ],
)
def test_a_text_that_is_more_than_a_number_with_its_unit_stays(code: str, value: str, unit: str) -> None:
    assert read_one(value, code, unit, kind="ST")[0].text == value


@given(st.text(max_size=60))
def test_any_text_is_a_number_with_a_known_unit_or_nothing(text: str) -> None:
    number = with_unit(text)
    assert number is None or (number.value in text.replace(",", "") or number.value.startswith("0."))


@pytest.mark.parametrize(
    ("code", "unit", "value", "expected"),
    [
        ("6690-2^Leukocytes^LN", "G/L", "5.4", ("", "5.4", "10*3/uL")),
        (PLATELETS, "G/l", "210", ("", "210", "10*3/uL")),
        ("718-7^Haemoglobin^LN", "G/L", "134", ("", "13.4", "g/dL")),
        ("XYZ^Some count^L", "G/L", "5.4", ("", "5.4", "G/L")),
        ("XYZ^Some mass^L", "g/L", "5.4", ("", "5.4", "g/L")),
        ("6690-2^Leukocytes^LN", "/uL", "45", ("", "0.045", "10*3/uL")),
    ],
)
def test_a_unit_is_read_as_what_is_measured_allows(
    code: str, unit: str, value: str, expected: tuple[str, str, str]
) -> None:
    assert quantity(read_one(value, code, unit)[0]) == expected


@pytest.mark.parametrize(
    "code",
    ["GLU^Glucose urine^L", "GLU^Glucose CSF^L", "CA^Calcium ionised^L", "CA^Ionized calcium^L", "WT^Birth weight^L",
     "HR^Fetal heart rate^L", "GLU^Glucose fetal^L", "GLU^Glucose capillary^L"],
)  # fmt: skip
def test_a_word_that_weakens_a_name_keeps_it_local(code: str) -> None:
    units = {"GLU": "mg/dL", "CA": "mmol/L", "WT": "kg", "HR": "/min"}
    fact, _ = read_one("5", code, units[code.partition("^")[0]])
    assert fact.code.system == "urn:longitude:local:NORTH:L"
