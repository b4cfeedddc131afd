"""Albuminuria category A1 to A3 by KDIGO."""

import re

from terminology.loinc import ACR

from grounding import facts
from grounding.calculator import Calculator, Given
from grounding.derived import Derived
from grounding.formula import CalculationError
from grounding.given import newest

NAME = "kdigo-a-stage"


def kdigo_a_stage(acr_mg_g: float) -> str:
    """The category of an albumin/creatinine ratio in mg/g."""
    if acr_mg_g < 0:
        raise CalculationError("an albumin/creatinine ratio is not negative")
    if acr_mg_g < 30:
        return "A1"
    return "A2" if acr_mg_g <= 300 else "A3"


def compute(given: Given) -> Derived:
    """Of the newest albumin/creatinine ratio."""
    ratio = newest(given, ACR, "mg/g")
    label = kdigo_a_stage(float(ratio.value))
    return Derived(NAME, facts.keys(ratio.fact), ratio.value, "mg/g", ratio.day, (ratio.fact.fact_id,), label)


CALCULATOR = Calculator(
    name=NAME,
    purpose="albuminuria",
    inputs=(ACR,),
    method="KDIGO",
    words="The {method} category of the albumin/creatinine ratio is ",
    source="KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S), table 3",
    compute=compute,
    label=re.compile(r"\bA[123]\b"),
)
