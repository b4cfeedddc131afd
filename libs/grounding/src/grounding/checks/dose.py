"""Doses: the number after a drug's name against the dosage of the medication cited."""

import re
from itertools import pairwise

from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact, Dosage, Quantity
from terminology import units

from grounding import facts, numbers
from grounding.binding import BoundNumber
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.checks.label import times_per_day
from grounding.claims import Claim
from grounding.mentions import NumberMention
from grounding.vocabulary import words

# Between the two ends of a range.
_TO = re.compile(r"\s*(?:to|[-–])\s*")
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
    agreeing = [fact for fact in found if _states(fact, bound, context)]
    if agreeing:
        return supported(bound.number, "dose", agreeing)
    stated = [each for fact in found for each in facts.dosages(fact) if facts.number(each.dose) is not None]
    if stated:
        reason = f"the record has {facts.printed_amount(stated[-1])}"
        return contradicted(bound.number, "dose", reason, found)
    return unsupported(bound.number, "dose", "no cited medication states a dose")


def _states(fact: ClinicalFact, bound: BoundNumber, context: Context) -> bool:
    doses, number = facts.dosages(fact), bound.number
    if number.unit == PER_DAY:
        return len(doses) == 1 and _is_daily(doses[0], number)
    if any(_is_dose(each, number, context) and _is_its_time(each, fact, bound, context) for each in doses):
        return True
    return any(each.value == number.value and each.unit == number.unit for each in _strengths(fact))


def _is_daily(dosage: Dosage, number: NumberMention) -> bool:
    """Whether the dose, as often as it is taken, makes so many mg a day; a range makes no one number."""
    value, times = facts.number(dosage.dose), times_per_day(dosage.frequency)
    if value is None or times is None or dosage.HasField("dose_high"):
        return False
    daily = units.convert(value, units.printed(dosage.dose.unit), "mg")
    return daily is not None and float(daily) * times == float(number.value)


def _is_dose(dosage: Dosage, number: NumberMention, context: Context) -> bool:
    """The dose, or an end of its range where the text tells the range: `1 to 2 tablets` is not `1 tablet`."""
    if not dosage.HasField("dose_high"):
        return _agrees(dosage.dose, number)
    mentions = [each for each in context.sentence.mentions if isinstance(each, NumberMention)]
    ranges = [
        (low, high)
        for low, high in pairwise(mentions)
        if number in (low, high) and _TO.fullmatch(context.text[low.end : high.start])
    ]
    return any(_agrees(dosage.dose, low) and _agrees(dosage.dose_high, high) for low, high in ranges)


def _agrees(dose: Quantity, number: NumberMention) -> bool:
    value, unit = facts.number(dose), units.printed(dose.unit)
    return value is not None and units.convert(value, unit, number.unit or unit) == number.value


def _is_its_time(dosage: Dosage, fact: ClinicalFact, bound: BoundNumber, context: Context) -> bool:
    """Where an order has several doses: whether the text tells this one for its own time, and for no other's."""
    others = [each for each in facts.dosages(fact) if each != dosage]
    if not others:
        return True
    following = [each.start for each in context.sentence.mentions if isinstance(each, NumberMention)]
    end = min((start for start in following if start >= bound.number.end), default=context.sentence.span.end)
    told = words(context.text[bound.number.end : end])
    if told & words(" ".join(each.frequency for each in others)) - words(dosage.frequency):
        return False
    own = {facts.moment(each).date() for each in (dosage.valid_from, dosage.valid_to) if each.seconds}
    return bound.day is None or not own or any(map(bound.day.includes, own))


def _strengths(fact: ClinicalFact) -> list[NumberMention]:
    """Strengths in the name under which it was ordered (`LISINOPRIL 10 MG TAB`)."""
    if fact.dosage.dose.value:
        return []
    return [each for name in facts.names(fact) for each in numbers.find(name) if each.unit]
