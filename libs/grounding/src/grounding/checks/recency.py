"""Which of several values of one concept: the last, the first, the one that holds now, one after the other."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from grounding import binding
from grounding.binding import BoundNumber
from grounding.checks import dose
from grounding.checks.candidates import Candidate
from grounding.checks.context import Context
from grounding.claims import Claim, Verdict

_LAST_BEFORE = re.compile(r"\b(?:last|latest|newest|most recent)\s+(?:\w+\s+)?$")
_FIRST_BEFORE = re.compile(r"\b(?:first|earliest|oldest)\s+(?:\w+\s+)?$")
_NOW = re.compile(r"\b(?:now|last)\b")
_TODAY = re.compile(r"\b(?:today|this morning)\b", re.IGNORECASE)
_LATELY = re.compile(r"\b(?:last|past|previous|this) (?:week|month|year)\b", re.IGNORECASE)
_THEN = re.compile(r"[-–=]>|→|⇒|\b(?:then|later|afterwards?|followed by)\b")
_BEFORE = re.compile(r"\b(?:previous(?:ly)?|prior|before that|formerly|earlier)\b")
_FIRST = re.compile(r"\bfirst\b")
# The present tense speaks of now, unless a day says of when.
_IS = re.compile(r"\b(?:is|are|remains)\b[^.,;:]*$")


def check(context: Context) -> list[Claim]:
    """A claim per value that is said to be the last, the first or the present one, contradicted if the record has a
    later, or an earlier, one; and per word that counts from today.
    """
    found = binding.numbers(context.sentence, context.carried)
    claims = [claim for bound in found for claim in _check_one(bound, context)]
    return [*claims, *_in_order(found, context), *_of_today(found, context)]


def _in_order(numbers: Sequence[BoundNumber], context: Context) -> Iterator[Claim]:
    """`0.92 -> 1.95`, `1.95, previously 0.92`: the days of two values follow each other as the words say."""
    for one, other in pairwise(numbers):
        between = context.text[one.number.end : other.number.start].lower()
        changed = context.before(one.number, 8).rstrip().endswith("from") and re.search(r"\bto\s*$", between)
        if _THEN.search(between) or changed:
            earlier, later = one, other
        elif _BEFORE.search(between):
            earlier, later = other, one
        else:
            continue
        first, second = ([each.day for each in _meant(bound, context) if each.day] for bound in (earlier, later))
        if first and second and max(second) <= min(first):
            reason = f"the record has {later.number.text} on {max(second).isoformat()}, not after {earlier.number.text}"
            yield Claim(other.number.start, other.number.end, "recency", Verdict.CONTRADICTED, reason)


def _of_today(numbers: Sequence[BoundNumber], context: Context) -> Iterator[Claim]:
    """`today` is the day of the question; weeks, months and years that count from it are not checked."""
    start = context.sentence.span.start
    for said in _LATELY.finditer(context.words_beside_names):
        yield Claim(start + said.start(), start + said.end(), "recency", Verdict.UNSUPPORTED, "no cited entry says so")
    days = {each.day for bound in numbers for each in _meant(bound, context)}
    for said in _TODAY.finditer(context.words):
        if days and context.cited.sources.today not in days:
            reason = "no cited value is of today"
            yield Claim(start + said.start(), start + said.end(), "recency", Verdict.CONTRADICTED, reason)


def _check_one(bound: BoundNumber, context: Context) -> list[Claim]:
    name = bound.name
    if name is None or dose.is_dose(bound, context) or not (name.end <= bound.number.start):
        return []
    before = context.before(name, 40)
    between = context.text[name.end : bound.number.start].lower()
    days = [each.day for each in _meant(bound, context) if each.day]
    recorded = context.cited.sources.days_of(name.keys) or ()
    known = [*recorded, *(each.day for each in context.cited.derived_matching(name.keys))]
    if not days or not known:
        return []
    oldest, newest = min(known), max(known)
    if _FIRST_BEFORE.search(before) or _FIRST.search(between):
        holds, other = min(days) <= oldest, f"there is an earlier one of {oldest.isoformat()}"
    elif _LAST_BEFORE.search(before) or _NOW.search(between) or (_IS.search(between) and bound.day is None):
        holds, other = max(days) >= newest, f"there is a later one of {newest.isoformat()}"
    elif _BEFORE.search(before[-16:]) or _BEFORE.search(between):
        holds, other = min(days) < newest, f"it is the last one, of {newest.isoformat()}"
    elif _THEN.search(between):
        holds, other = max(days) > oldest, f"it is the first one, of {oldest.isoformat()}"
    else:
        return []
    verdict, reason = (Verdict.SUPPORTED, "") if holds else (Verdict.CONTRADICTED, other)
    return [Claim(bound.number.start, bound.number.end, "recency", verdict, reason)]


def _meant(bound: BoundNumber, context: Context) -> list[Candidate]:
    """The cited values of the concept and the day named that the number may be; none where no concept is named."""
    found = context.meant(bound) if bound.name else []
    return [each for each in found if bound.day is None or (each.day is not None and bound.day.includes(each.day))]
