"""Dates that are not the day of a result: since when, until when, recorded when."""

import re
from datetime import date

from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_ENCOUNTER,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    ClinicalFact,
)
from terminology.loinc import BIRTH_DATE

from grounding import binding, facts, keys
from grounding.binding import BoundNumber
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim, Verdict
from grounding.mentions import Cue, DateMention
from grounding.scan import cue, name_mentions
from grounding.sources import birth_day
from grounding.vocabulary import CUE_OF, NEUTRAL, stem, words

_OF_ENCOUNTER = re.compile(r"\b(encounter|visit|admission|admitted|discharged?|stay)\b[^.,;:]*$")
# What joins a day to the one before it, and what makes a span of the two.
_JOINED = re.compile(r"\s*(?:,|;|and|or|&|as well as)\s*(?:again )?(?:on |in )?", re.IGNORECASE)
_SPANS = re.compile(r"\b(?:between|from|since)\b", re.IGNORECASE)
_DATED = frozenset({FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, FACT_KIND_RESULT})
_PLAIN = frozenset(map(stem, NEUTRAL | CUE_OF.keys()))
# What stands before the day of a beginning, of a statement, and of an end.
_BEGINS = re.compile(r"\b(?:since|from|started|starting|began)(?: on| in)?\W*$")
_STATES = re.compile(r"\b(?:ordered|recorded|reported|renewed since)(?: on| in)?\W*$")
_ENDS = re.compile(r"\buntil\W*$")
_SINCE = re.compile(r"(?<!renewed )\bsince(?: on| in)?\W*$")


def check(context: Context) -> list[Claim]:
    """One claim per date; a beginning is compared with beginnings, an end with ends."""
    return [check_one(mention, context) for mention in binding.free_dates(context.sentence)]


def check_one(mention: DateMention, context: Context) -> Claim:
    bound = _value_of_the_day_before(mention, context)
    if bound is not None:
        return _check_value(mention, bound, context)
    named = _about(mention, context) or _by_words(context)
    agreeing = [fact for fact in named if _includes(mention, _days(fact, mention, context))]
    if agreeing:
        return _since(mention, agreeing, context)
    dated = [fact for fact in named if _days(fact, mention, context)]
    if dated:
        recorded = ", ".join(sorted(day.isoformat() for fact in dated for day in facts.days(fact)))
        return contradicted(mention, "date", f"the record has {recorded}", dated)
    if named and all(fact.kind in _DATED for fact in named):
        return unsupported(mention, "date", "the record does not say so of this day")
    anywhere = [fact for fact in context.cited.facts if _includes(mention, _days(fact, mention, context))]
    if anywhere:
        return supported(mention, "date", anywhere)
    return unsupported(mention, "date", "no cited source carries this date")


def _since(mention: DateMention, agreeing: list[ClinicalFact], context: Context) -> Claim:
    """An order without an end says when it was given, and not that the drug has been taken since; what is over has not
    gone on since.
    """
    if _SINCE.search(context.before(mention)):
        agreeing = [fact for fact in agreeing if _goes_on(fact, context)]
    if agreeing:
        return supported(mention, "date", agreeing)
    return unsupported(mention, "date", "it begins on this day, but the record does not say that it goes on since")


def _goes_on(fact: ClinicalFact, context: Context) -> bool:
    over = facts.has_ended(fact, context.cited.sources.today) and not facts.is_on_hold(fact)
    return not over and not facts.is_open_order(fact)


def _value_of_the_day_before(mention: DateMention, context: Context) -> BoundNumber | None:
    """`5.6 mmol/L on 2026-10-05 and 2025-02-10`: a day that another is joined to says of the same value."""
    for bound in binding.numbers(context.sentence, context.carried):
        day = bound.day
        if day is None or not bound.number.end <= day.start < mention.start:
            continue
        joined = _JOINED.fullmatch(context.text[day.end : mention.start])
        if joined and not _SPANS.search(context.text[bound.number.end : day.start]):
            return bound
    return None


def _check_value(mention: DateMention, bound: BoundNumber, context: Context) -> Claim:
    agreeing = context.meant(bound)
    on_day = [each for each in agreeing if each.day is not None and mention.includes(each.day)]
    if on_day:
        return Claim(mention.start, mention.end, "date", Verdict.SUPPORTED, "", on_day[0].fact_ids)
    if agreeing:
        return contradicted(mention, "date", f"the record has {agreeing[0].printed}")
    return unsupported(mention, "date", "no cited source carries this value on this date")


def _about(mention: DateMention, context: Context) -> tuple[ClinicalFact, ...]:
    """Encounters where the words before the date speak of one; else what the nearest name means."""
    if _OF_ENCOUNTER.search(_without_names(mention, context)):
        return tuple(fact for fact in context.cited.facts if fact.kind == FACT_KIND_ENCOUNTER)
    name = binding.nearest_name(context.sentence, mention) or context.carried
    return context.cited.matching(name.keys) if name else ()


def _by_words(context: Context) -> tuple[ClinicalFact, ...]:
    """Where nothing is named as the record names it: the facts that share a telling word with the sentence."""
    telling = words(context.words) - _PLAIN
    return tuple(fact for fact in context.cited.facts if telling & words(facts.searchable(fact)))


def _without_names(mention: DateMention, context: Context) -> str:
    """What stands just before a date; a name such as `Discharge summary` speaks of no encounter."""
    text = context.before(mention, 32)
    start = mention.start - len(text)
    for name in name_mentions(context.sentence):
        left, right = max(0, name.start - start), max(0, name.end - start)
        text = text[:left] + " " * (right - left) + text[right:]
    return text[: mention.start - start]


def _days(fact: ClinicalFact, mention: DateMention, context: Context) -> frozenset[date]:
    if keys.of_loinc(BIRTH_DATE) in facts.keys(fact):
        born = birth_day(fact)
        return frozenset({born}) if born else frozenset()
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    before = context.before(mention)
    if _STATES.search(before):
        return _known(start, facts.reported_on(fact), context.cited.sources.stated_on(fact))
    if _ENDS.search(before):
        return facts.days(fact) - _known(start)
    if _BEGINS.search(before):
        return _known(end if facts.is_on_hold(fact) else start, *facts.dose_starts(fact))
    ended = [each for each in cue(context.sentence, Cue.ENDED) if each.end <= mention.start]
    if ended and "since" not in context.text[ended[-1].end : mention.start].lower():
        return _known(end)
    return facts.days(fact)


def _known(*days: date | None) -> frozenset[date]:
    return frozenset(day for day in days if day)


def _includes(mention: DateMention, days: frozenset[date]) -> bool:
    return any(mention.includes(day) for day in days)
