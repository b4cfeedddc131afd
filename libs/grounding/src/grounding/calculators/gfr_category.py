"""GFR category G1 to G5 by KDIGO."""

import re
from dataclasses import replace

from terminology.loinc import CREATININE, EGFR

from grounding.calculator import Calculator, Given
from grounding.calculators.egfr import latest, values
from grounding.derived import Derived
from grounding.formula import positive

NAME = "kdigo-g-stage"
_LOWEST = (("G1", 90.0), ("G2", 60.0), ("G3a", 45.0), ("G3b", 30.0), ("G4", 15.0))


def kdigo_g_stage(egfr: float) -> str:
    """The category of an eGFR in mL/min/1.73 m2."""
    positive(eGFR=egfr)
    return next((stage for stage, lowest in _LOWEST if egfr >= lowest), "G5")


def compute(given: Given) -> Derived:
    """Of the newest eGFR, recorded or computed. `value` is the number behind the label."""
    return _of(latest(given))


def every(given: Given) -> list[Derived]:
    """The newest first, then that of each day, so that a change of category can be told."""
    return [compute(given), *map(_of, values(given))]


def _of(function: Derived) -> Derived:
    return replace(function, name=NAME, label=kdigo_g_stage(float(function.value)))


CALCULATOR = Calculator(
    name=NAME,
    purpose="stage",
    inputs=(CREATININE, EGFR),
    method="KDIGO",
    words="The {method} category of the eGFR is ",
    source="KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S), table 2",
    compute=compute,
    every=every,
    label=re.compile(r"\bG(1|2|3a|3b|4|5)\b"),
)
