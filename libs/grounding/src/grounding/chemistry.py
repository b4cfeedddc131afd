"""Values of blood chemistry and build that follow from facts by a named formula."""

from collections.abc import Sequence

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import calculate
from grounding.calculate import CalculationError
from grounding.concepts import (
    ALBUMIN,
    ANION_GAP,
    BICARBONATE,
    BMI,
    CALCIUM,
    CHLORIDE,
    CHOLESTEROL,
    CORRECTED_CALCIUM,
    HDL,
    HEIGHT,
    LDL,
    SODIUM,
    TRIGLYCERIDES,
    WEIGHT,
    loinc_key,
)
from grounding.derived import Derived
from grounding.given import Result, newest, rounded


def body_mass_index(inputs: Sequence[ClinicalFact]) -> Derived:
    """Body mass index of the newest weight and height, one decimal."""
    weight, height = newest(inputs, WEIGHT, "kg"), newest(inputs, HEIGHT, "cm")
    value = calculate.body_mass_index(float(weight.value), float(height.value))
    return _derived("body-mass-index", loinc_key(BMI), value, "0.1", "kg/m2", weight, height)


def corrected_calcium(inputs: Sequence[ClinicalFact]) -> Derived:
    """Calcium corrected for the albumin of the same day, mg/dL, one decimal."""
    calcium, albumin = _of_one_day(newest(inputs, CALCIUM, "mg/dL"), newest(inputs, ALBUMIN, "g/dL"))
    value = calculate.corrected_calcium(float(calcium.value), float(albumin.value))
    return _derived("corrected-calcium", CORRECTED_CALCIUM, value, "0.1", "mg/dL", calcium, albumin)


def anion_gap(inputs: Sequence[ClinicalFact]) -> Derived:
    """Anion gap of sodium, chloride and bicarbonate of one day, in whole mmol/L."""
    sodium, chloride, bicarbonate = _of_one_day(
        *(newest(inputs, code, "mmol/L") for code in (SODIUM, CHLORIDE, BICARBONATE))
    )
    value = calculate.anion_gap(float(sodium.value), float(chloride.value), float(bicarbonate.value))
    return _derived("anion-gap", loinc_key(ANION_GAP), value, "1", "mmol/L", sodium, chloride, bicarbonate)


def ldl_cholesterol(inputs: Sequence[ClinicalFact]) -> Derived:
    """LDL cholesterol by Friedewald of total, HDL cholesterol and triglycerides of one day, in whole mg/dL."""
    total, hdl, fats = _of_one_day(*(newest(inputs, code, "mg/dL") for code in (CHOLESTEROL, HDL, TRIGLYCERIDES)))
    value = calculate.ldl_friedewald(float(total.value), float(hdl.value), float(fats.value))
    return _derived("ldl-friedewald", loinc_key(LDL), value, "1", "mg/dL", total, hdl, fats)


def _of_one_day(*found: Result) -> tuple[Result, ...]:
    if len({each.day for each in found}) > 1:
        raise CalculationError("the results are not of one day")
    return found


def _derived(name: str, key: str, value: float, step: str, unit: str, *used: Result) -> Derived:
    fact_ids = tuple(each.fact.fact_id for each in used)
    return Derived(name, frozenset({key}), rounded(value, step), unit, used[0].day, fact_ids)
