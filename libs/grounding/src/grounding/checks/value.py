"""Numbers: values of results with their unit and day, doses, changes, intervals and counts."""

import re
from collections.abc import Sequence
from decimal import Decimal

from terminology.units import TIME_UNITS

from grounding import binding
from grounding.binding import BoundNumber
from grounding.checks import candidates, count, dose, interval, when
from grounding.checks.candidates import Candidate
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.checks.dose import PER_DAY
from grounding.claims import Claim, Verdict
from grounding.mentions import DateMention

_REPORTED = re.compile(r"\breported(?: on| in)?\s*$")


def check(context: Context) -> list[Claim]:
    """One claim per number, and one for the date that belongs to it."""
    known = context.cited.candidates
    claims: list[Claim] = []
    for bound in binding.numbers(context.sentence, context.carried):
        claims += _check_one(bound, known, context)
    return claims


def _check_one(bound: BoundNumber, known: Sequence[Candidate], context: Context) -> list[Claim]:
    if bound.number.unit in TIME_UNITS and not _is_recorded(bound, context):
        return [interval.check_one(bound, context)]
    if dose.is_dose(bound, context):
        return [dose.check_one(bound, context), *_day(bound, context)]
    counted = count.counted(bound, context)
    if counted:
        return [count.check_one(bound, counted, context), *_day(bound, context)]
    return _value(bound, known, context)


def _is_recorded(bound: BoundNumber, context: Context) -> bool:
    """Whether a span of time is itself a result: a gestational age of so many weeks."""
    return bound.name is not None and any(each.unit == bound.number.unit for each in context.meant(bound))


def _day(bound: BoundNumber, context: Context) -> list[Claim]:
    """The date after a dose or a count says when that began or ended: no result was observed on it."""
    return [when.check_one(bound.day, context)] if bound.day else []


def _value(bound: BoundNumber, known: Sequence[Candidate], context: Context) -> list[Claim]:
    relevant = _relevant(bound, known)
    agreeing = [each for each in relevant if candidates.agrees(bound.number, each)]
    day = bound.day
    if not agreeing:
        return [_disagreement(bound, relevant, context)]
    on_day = [each for each in agreeing if day is None or _is_of(each, day, context)]
    pointers = tuple(dict.fromkeys(fact_id for each in on_day or agreeing for fact_id in each.fact_ids))
    value = Claim(bound.number.start, bound.number.end, "value", Verdict.SUPPORTED, "", pointers)
    if day is None:
        return [value]
    if on_day:
        return [value, Claim(day.start, day.end, "date", Verdict.SUPPORTED, "", pointers)]
    if any(each.day is None for each in agreeing):
        return [value, unsupported(day, "date", "the record does not say of when this value is")]
    reason = f"the record has {agreeing[0].printed}"
    return [value, Claim(day.start, day.end, "date", Verdict.CONTRADICTED, reason, pointers)]


def _is_of(candidate: Candidate, day: DateMention, context: Context) -> bool:
    """Whether the value is of this day; `reported on` says when it was stated, which is not when it was measured."""
    known = candidate.reported if _REPORTED.search(context.before(day)) else candidate.day
    return known is not None and day.includes(known)


def _relevant(bound: BoundNumber, known: Sequence[Candidate]) -> list[Candidate]:
    """Numbers of the concept named; of all concepts where none is named, but then only with a unit.

    What may be taken a day is a number of the drug named and of nothing else.
    """
    if bound.name is not None:
        named = [each for each in known if each.keys & bound.name.keys]
        if named:
            return named
    if bound.number.unit == PER_DAY:
        return []
    return list(known) if bound.number.unit else [each for each in known if not each.unit]


def _disagreement(bound: BoundNumber, relevant: Sequence[Candidate], context: Context) -> Claim:
    number = bound.number
    if _is_change(bound, relevant, context):
        return supported(number, "value", reason="the difference between the first and the last cited value")
    named = bound.name is not None and any(each.keys & bound.name.keys for each in relevant)
    if not named:
        return unsupported(number, "value", "this number is in no cited source and follows from none")
    on_day = [each for each in relevant if bound.day is None or (each.day and bound.day.includes(each.day))]
    nearest = min(on_day or relevant, key=lambda each: abs(each.value - number.value))
    wrong_unit = candidates.same_digits(number, nearest) and nearest.unit != number.unit
    kind = "unit" if wrong_unit else "value"
    found = [fact for fact in context.cited.facts if fact.fact_id in nearest.fact_ids]
    return contradicted(number, kind, f"the record has {nearest.printed}", found)


def _is_change(bound: BoundNumber, relevant: Sequence[Candidate], context: Context) -> bool:
    """`by 0.4 mg/dL`, `by 34 %`: the distance from the first to the last cited value of the concept."""
    if not context.before(bound.number, 8).rstrip().endswith("by") or bound.name is None:
        return False
    series = [each for each in relevant if each.day and each.unit == relevant[0].unit]
    ordered = sorted(series, key=lambda each: str(each.day))
    if len(ordered) < 2:
        return False
    first, last = ordered[0].value, ordered[-1].value
    size = abs(bound.number.value)
    if bound.number.unit == "%":
        return first != 0 and abs(abs(last - first) / abs(first) * 100 - size) <= Decimal("0.5")
    return bound.number.unit == ordered[0].unit and abs(last - first) == size
