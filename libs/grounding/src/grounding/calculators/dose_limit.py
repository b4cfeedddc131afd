"""What the kidney function allows of a medication, where a published limit applies (`dosing.py` holds the limits)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact
from terminology.drugs import Ingredient
from terminology.loinc import CREATININE, EGFR, WEIGHT

from grounding import facts, keys
from grounding.calculator import Calculator, Given
from grounding.calculators import creatinine_clearance
from grounding.calculators.egfr import latest
from grounding.derived import Derived
from grounding.dosing import Advice, Measure, dosing_of, limit_at
from grounding.formula import CalculationError

NAME = "dose-limit"


def compute(given: Given) -> Derived:
    """Of the one medication among the facts."""
    medications = [fact for fact in given if fact.kind == FACT_KIND_MEDICATION]
    drug = facts.about(medications[0]).ingredients if len(medications) == 1 else ()
    if not drug:
        raise CalculationError("a dose limit needs one medication with a published limit")
    return _limit(medications[0], drug, given)


def every(given: Given) -> Iterator[Derived]:
    """The limit of each medication that has one."""
    others = [fact for fact in given if fact.kind != FACT_KIND_MEDICATION]
    for fact in given:
        if fact.kind == FACT_KIND_MEDICATION:
            try:
                yield compute([fact, *others])
            except CalculationError:
                continue


def _limit(medication: ClinicalFact, drug: tuple[Ingredient, ...], given: Given) -> Derived:
    dosing = dosing_of(drug)
    if dosing is None:
        raise CalculationError("a dose limit needs one medication with a published limit")
    function = latest(given) if dosing.measure is Measure.EGFR else creatinine_clearance.compute(given)
    limit = limit_at(dosing, float(function.value))
    if limit is None:
        raise CalculationError("no limit applies at this kidney function")
    used = (medication.fact_id, *function.fact_ids)
    bound = Derived(
        NAME, frozenset({keys.of_drug(drug)}), Decimal(0), "mg per day", function.day, used, source=limit.source
    )
    if isinstance(limit.allowed, Advice):
        return replace(bound, label=limit.allowed)
    return replace(bound, value=limit.allowed, comparator="<=")


CALCULATOR = Calculator(
    name=NAME,
    purpose="dose",
    inputs=(CREATININE, EGFR, WEIGHT),
    words="With the {name 1} of {day 1}, {name 0}: ",
    source="each limit names its own (dosing.py)",
    compute=compute,
    of_medication=True,
    says_day=False,
    every=every,
    label=re.compile(r"\b(?:contraindicated|not recommended)\b", re.IGNORECASE),
)
