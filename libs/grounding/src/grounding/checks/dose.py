"""Doses: the number after a drug's name against the dosage of the medication cited."""

from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact
from terminology import units

from grounding import facts, numbers
from grounding.binding import BoundNumber
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.checks.label import times_per_day
from grounding.claims import Claim
from grounding.mentions import NumberMention

PER_DAY = "mg per day"
_DOSE_UNITS = frozenset({"g", "mg", "ug", "IU", "mL", "tablet", "capsule", "", PER_DAY})


def is_dose(bound: BoundNumber, context: Context) -> bool:
    """Whether the number belongs to a drug, or to a class of drugs that a cited medication is of; a limit does not."""
    number = bound.number
    if bound.name is None or number.unit not in _DOSE_UNITS or (number.unit == PER_DAY and number.comparator):
        return False
    return bound.name.is_drug or any(
        fact.kind == FACT_KIND_MEDICATION for fact in context.cited.matching(bound.name.keys)
    )


def check_one(bound: BoundNumber, context: Context) -> Claim:
    """Supported when a cited medication of that name has this dose, in this or a convertible unit."""
    assert bound.name is not None
    found = context.cited.matching(bound.name.keys)
    agreeing = [fact for fact in found if _states(fact, bound.number)]
    if agreeing:
        return supported(bound.number, "dose", agreeing)
    stated = [fact for fact in found if facts.number(fact.dosage.dose) is not None]
    if stated:
        reason = f"the record has {facts.printed_quantity(stated[-1].dosage.dose)}"
        return contradicted(bound.number, "dose", reason, stated)
    return unsupported(bound.number, "dose", "no cited medication states a dose")


def _states(fact: ClinicalFact, number: NumberMention) -> bool:
    value = facts.number(fact.dosage.dose)
    unit = units.printed(fact.dosage.dose.unit)
    if number.unit == PER_DAY:
        times = times_per_day(fact.dosage.frequency)
        daily = units.convert(value, unit, "mg") if value is not None and times is not None else None
        return daily is not None and float(daily) * float(times or 0) == float(number.value)
    if value is not None and units.convert(value, unit, number.unit or unit) == number.value:
        return True
    return any(each.value == number.value and each.unit == number.unit for each in _strengths(fact))


def _strengths(fact: ClinicalFact) -> list[NumberMention]:
    """Strengths in the name under which it was ordered (`LISINOPRIL 10 MG TAB`)."""
    if fact.dosage.dose.value:
        return []
    return [each for name in facts.names(fact) for each in numbers.find(name) if each.unit]
