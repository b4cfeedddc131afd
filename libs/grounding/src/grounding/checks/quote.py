"""Quotations: words in quotation marks must stand in a cited source exactly so."""

import re
from collections.abc import Sequence

from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.units import TIME_UNITS

from grounding import binding, facts
from grounding.binding import BoundNumber
from grounding.checks.context import Context, contradicted, supported
from grounding.claims import Claim, Verdict
from grounding.mentions import QuoteMention, TitleMention
from grounding.statements import METHODS

# `comment of the laboratory: “haemolysed”, “please repeat”`
_COMMENT = re.compile(r"\bcomments?\b[^“”:]*:\s*(?:“[^”]*”,\s*)*$", re.IGNORECASE)


def check(context: Context) -> list[Claim]:
    """A claim per quotation, and one per name of a cited passage's source."""
    claims = [_check_one(each, context) for each in context.sentence.mentions if isinstance(each, QuoteMention)]
    titles = (each for each in context.sentence.mentions if isinstance(each, TitleMention))
    return claims + [
        Claim(each.start, each.end, "source", Verdict.SUPPORTED) for each in titles if each.text.lower() not in METHODS
    ]


def _check_one(mention: QuoteMention, context: Context) -> Claim:
    if _COMMENT.search(context.text[context.sentence.span.start : mention.start]):
        return _check_comment(mention, context)
    wanted = _plain(mention.text)
    passages = tuple(each.passage_id for each in context.cited.passages if wanted in _plain(each.text))
    found = tuple(fact.fact_id for fact in context.cited.facts if wanted in _plain(facts.searchable(fact)))
    if wanted and (passages or found):
        return Claim(mention.start, mention.end, "quote", Verdict.SUPPORTED, "", found, passages)
    return Claim(mention.start, mention.end, "quote", Verdict.CONTRADICTED, "no cited source has these words")


def _check_comment(mention: QuoteMention, context: Context) -> Claim:
    """A comment must have come with the value that it is told beside."""
    wanted = _unspaced(mention.text)
    beside = _beside(mention, context)
    agreeing = [fact for fact in beside if any(wanted in _unspaced(each) for each in facts.comments(fact))]
    if wanted and agreeing:
        return supported(mention, "quote", agreeing)
    return contradicted(mention, "quote", "this comment did not come with it")


def _beside(mention: QuoteMention, context: Context) -> Sequence[ClinicalFact]:
    """The facts whose value stands last before the comment; where none does, those of the last name."""
    told = [each for each in binding.numbers(context.sentence, context.carried) if each.number.end <= mention.start]
    values = [each for each in told if each.number.unit not in TIME_UNITS]
    if values:
        return _of_value(values[-1], context)
    name = binding.nearest_name(context.sentence, mention) or context.carried
    return context.cited.matching(name.keys) if name else ()


def _of_value(bound: BoundNumber, context: Context) -> Sequence[ClinicalFact]:
    of_day = [
        each
        for each in context.meant(bound)
        if bound.day is None or any(day and bound.day.includes(day) for day in (each.day, each.reported))
    ]
    fact_ids = {fact_id for each in of_day for fact_id in each.fact_ids}
    return [fact for fact in context.cited.facts if fact.fact_id in fact_ids]


def _unspaced(text: str) -> str:
    """A sentence has no space before its marks, whatever the comment had."""
    return "".join(text.split())


def _plain(text: str) -> str:
    return " ".join(text.split())
