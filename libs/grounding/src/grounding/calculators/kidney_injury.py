"""Stage of acute kidney injury by KDIGO, by creatinine alone."""

import re
from decimal import Decimal

from terminology.loinc import CREATININE

from grounding.calculator import Calculator, Given, key_of
from grounding.derived import Derived
from grounding.formula import CalculationError, positive
from grounding.given import newest, results

NAME = "kdigo-aki-stage"


def kdigo_aki_stage(baseline_mg_dl: float, creatinine_mg_dl: float, *, rise_within_48_hours: bool = False) -> int:
    """Stage 0 to 3 by creatinine (mg/dL) against its baseline of the last seven days.

    1: 1.5 to 1.9 times, or a rise of at least 0.3 mg/dL within 48 hours; 2: 2.0 to 2.9 times;
    3: 3.0 times, or at least 4.0 mg/dL once the definition of injury is met.
    """
    positive(baseline_creatinine=baseline_mg_dl, creatinine=creatinine_mg_dl)
    ratio = creatinine_mg_dl / baseline_mg_dl
    injured = ratio >= 1.5 or (rise_within_48_hours and creatinine_mg_dl - baseline_mg_dl >= 0.3)
    if not injured:
        return 0
    if ratio >= 3.0 or creatinine_mg_dl >= 4.0:
        return 3
    return 2 if ratio >= 2.0 else 1


def compute(given: Given) -> Derived:
    """The newest creatinine against the lowest of the seven days before it."""
    last = newest(given, CREATININE, "mg/dL")
    before = [result for result in results(given, CREATININE, "mg/dL") if result.fact.fact_id != last.fact.fact_id]
    earlier = [result for result in before if 0 <= (last.day - result.day).days <= 7]
    if not earlier:
        raise CalculationError("no creatinine of the last seven days to compare with")
    base = min(earlier, key=lambda result: result.value)
    quick = (last.day - base.day).days <= 2
    stage = kdigo_aki_stage(float(base.value), float(last.value), rise_within_48_hours=quick)
    used = (base.fact.fact_id, last.fact.fact_id)
    return Derived(NAME, frozenset({key_of(NAME)}), Decimal(stage), "", last.day, used, f"AKI stage {stage}")


CALCULATOR = Calculator(
    name=NAME,
    purpose="injury",
    inputs=(CREATININE,),
    method="KDIGO 2012",
    words="Creatinine now and before by {method}: ",
    source="KDIGO Clinical Practice Guideline for Acute Kidney Injury, Kidney Int Suppl 2012;2:1-138, table 2",
    compute=compute,
    label=re.compile(r"\bAKI stage [0-3]\b"),
)
