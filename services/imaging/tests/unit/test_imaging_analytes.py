"""Names, units and values of laboratory analytes."""

from decimal import Decimal

import pytest
from imaging.domain.analytes import find_analyte, ucum


@pytest.mark.parametrize(
    ("name", "loinc"),
    [
        ("Creatinine", "2160-0"),
        ("Serum creatinine", "2160-0"),
        ("Creatinine [Mass/volume] in Serum or Plasma", "2160-0"),
        ("Creatinine[Mass/volume]inBlood", "2160-0"),
        ("HbA1c", "4548-4"),
        ("Hemoglobin A1c/Hemoglobin.total in Blood", "4548-4"),
        ("Haemoglobin", "718-7"),
        ("Urea", "3094-0"),
        ("Blood urea nitrogen", "3094-0"),
        ("eGFR (CKD-EPI)", "33914-3"),
        ("Urine albumin/creatinine ratio", "9318-7"),
        ("Albumin/Creatinine [Mass Ratio] in Urine", "9318-7"),
        ("Systolic Blood Pressure", "8480-6"),
    ],
)
def test_a_printed_name_is_one_analyte(name: str, loinc: str) -> None:
    found = find_analyte(name)
    assert found is not None
    assert found.loinc == loinc


@pytest.mark.parametrize(
    "name",
    ["Creatinine in Urine", "Urine creatinine", "Creatinine clearance", "Microalbumin", "Potassium, urine", "xyz", ""],
)
def test_another_specimen_or_an_unknown_name_is_never_guessed(name: str) -> None:
    assert find_analyte(name) is None


@pytest.mark.parametrize(
    ("name", "value", "unit", "converted"),
    [
        ("Creatinine", "1.680", "mg/dL", "1.680"),
        ("Creatinine", "121", "umol/L", "1.37"),
        ("HbA1c", "55", "mmol/mol", "7.2"),
        ("Haemoglobin", "121", "g/L", "12.1"),
        ("Urea", "9.3", "mmol/L", "26.1"),
        ("Potassium", "5.0", "meq/L", "5.0"),
    ],
)
def test_values_come_in_the_records_unit(name: str, value: str, unit: str, converted: str) -> None:
    analyte = find_analyte(name)
    assert analyte is not None
    assert str(analyte.value_in_unit(Decimal(value), unit)) == converted


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("Creatinine", "168", "mg/dL"),
        ("Potassium", "50", "mmol/L"),
        ("Creatinine", "1.68", "g/L"),
        ("HbA1c", "55", "%"),
    ],
)
def test_what_cannot_be_true_or_is_in_a_strange_unit_has_no_value(name: str, value: str, unit: str) -> None:
    analyte = find_analyte(name)
    assert analyte is not None
    assert analyte.value_in_unit(Decimal(value), unit) is None


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("mg/dl", "mg/dL"),
        ("µmol/l", "umol/L"),
        ("mm Hg", "mm[Hg]"),
        ("10^9/L", "10*9/L"),
        ("mgldL", "mg/dL"),
        ("ells", ""),
    ],
)
def test_a_unit_is_ucum_or_unknown(printed: str, code: str) -> None:
    assert ucum(printed) == code
