"""Spans of time: `over 2 years`, `in 14 months`, an age in years."""

from datetime import date

from terminology.loinc import BIRTH_DATE

from grounding import binding, facts, given, keys
from grounding.binding import BoundNumber
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.formula import CalculationError

_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_AGE = ("aged", "age", "age of")


def check_one(bound: BoundNumber, context: Context) -> Claim:
    """The distance from the first to the last cited day of the concept (of everything cited, without one)."""
    if _is_age(bound, context):
        return _check_age(bound, context)
    days = _days(bound, context)
    if len(days) < 2 or _is_of_taking(bound, context):
        return unsupported(bound.number, "interval", "the cited sources span no such time")
    size = _DAYS[bound.number.unit]
    span = (max(days) - min(days)).days
    if abs(span - float(bound.number.value) * size) <= size / 2 or span == 0:
        return supported(bound.number, "interval", reason=f"{min(days).isoformat()} to {max(days).isoformat()}")
    reason = f"the cited facts span {span} days, {min(days).isoformat()} to {max(days).isoformat()}"
    return contradicted(bound.number, "interval", reason)


def _days(bound: BoundNumber, context: Context) -> set[date]:
    found = context.cited.matching(bound.name.keys) if bound.name else ()
    dated = {day for fact in found for day in facts.days(fact)}
    if len(dated) >= 2:
        return dated
    kept = (fact for fact in context.cited.facts if keys.of_loinc(BIRTH_DATE) not in facts.keys(fact))
    return {day for fact in kept for day in facts.days(fact)}


def _is_of_taking(bound: BoundNumber, context: Context) -> bool:
    """How long a drug has been taken is in no order without an end."""
    named = context.cited.matching(bound.name.keys) if bound.name else ()
    return bool(named) and all(map(facts.is_open_order, named))


def _is_age(bound: BoundNumber, context: Context) -> bool:
    after = context.text[bound.number.end : bound.number.end + 5].lower()
    return bound.number.unit == "year" and (
        after.lstrip(" -").startswith("old") or context.before(bound.number, 8).rstrip().endswith(_AGE)
    )


def _check_age(bound: BoundNumber, context: Context) -> Claim:
    told = binding.day_after(context.sentence, bound.number)
    day = told.readings[0][0] if told else context.cited.sources.today
    try:
        age, fact_id = given.age(context.cited.facts, day)
    except CalculationError:
        return unsupported(bound.number, "age", "no birth date is cited")
    born = [fact for fact in context.cited.facts if fact.fact_id == fact_id]
    if age == bound.number.value:
        return supported(bound.number, "age", born)
    return contradicted(bound.number, "age", f"by the birth date the age is {age} years", born)
