"""Conversions between the units in which laboratories and readers give one analyte."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminology.observables import convert
from terminology.units import printed


@pytest.mark.parametrize(
    ("spelling", "unit"),
    [
        ("mL/min/{1.73_m2}", "mL/min/1.73 m2"),
        ("ml/min/1.73m2", "mL/min/1.73 m2"),
        ("mm[Hg]", "mmHg"),
        ("µmol/l", "umol/L"),
        ("10*3/uL", "10^9/L"),
        ("furlong", "furlong"),
    ],
)
def test_one_unit_has_one_printed_form(spelling: str, unit: str) -> None:
    assert printed(spelling) == unit


@pytest.mark.parametrize(
    ("value", "unit", "to", "loinc", "expected"),
    [
        ("1.0", "mg/dL", "umol/L", "2160-0", "88.4"),
        ("100", "mg/dL", "mmol/L", "2345-7", "5.55"),
        ("5.6", "mmol/L", "mEq/L", "2823-3", "5.6"),
        ("14", "g/dL", "g/L", "718-7", "140"),
        ("7.0", "%", "mmol/mol", "4548-4", "53.0"),
        ("1", "g", "mg", "", "1000"),
        ("30", "mg/g", "mg/mmol", "9318-7", "3.39"),
    ],
)
def test_conversions_agree_with_the_laboratorys(value: str, unit: str, to: str, loinc: str, expected: str) -> None:
    converted = convert(Decimal(value), unit, to, loinc)
    assert converted is not None
    assert float(converted) == pytest.approx(float(expected), rel=2e-3)


@pytest.mark.parametrize(
    ("unit", "to", "loinc"),
    [("mg/dL", "umol/L", "unknown"), ("mg/dL", "%", "4548-4"), ("mmol/L", "mEq/L", ""), ("kg", "cm", "29463-7")],
)
def test_what_cannot_be_compared_is_not_guessed(unit: str, to: str, loinc: str) -> None:
    assert convert(Decimal(1), unit, to, loinc) is None


@given(st.decimals("0.1", "20", places=2))
def test_creatinine_there_and_back_is_the_same(value: Decimal) -> None:
    there = convert(value, "mg/dL", "umol/L", "2160-0")
    assert there is not None
    back = convert(there, "umol/L", "mg/dL", "2160-0")
    assert back is not None
    assert abs(back - value) < Decimal("1e-9")
