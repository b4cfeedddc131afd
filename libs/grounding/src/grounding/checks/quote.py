"""Quotations: words in quotation marks must stand in a cited source exactly so."""

from grounding import facts
from grounding.checks.context import Context
from grounding.claims import Claim, Verdict
from grounding.mentions import QuoteMention, TitleMention
from grounding.statements import METHODS


def check(context: Context) -> list[Claim]:
    """A claim per quotation, and one per name of a cited passage's source."""
    claims = [_check_one(each, context) for each in context.sentence.mentions if isinstance(each, QuoteMention)]
    titles = (each for each in context.sentence.mentions if isinstance(each, TitleMention))
    return claims + [
        Claim(each.start, each.end, "source", Verdict.SUPPORTED) for each in titles if each.text.lower() not in METHODS
    ]


def _check_one(mention: QuoteMention, context: Context) -> Claim:
    wanted = _plain(mention.text)
    passages = tuple(each.passage_id for each in context.cited.passages if wanted in _plain(each.text))
    found = tuple(fact.fact_id for fact in context.cited.facts if wanted in _plain(facts.searchable(fact)))
    if wanted and (passages or found):
        return Claim(mention.start, mention.end, "quote", Verdict.SUPPORTED, "", found, passages)
    return Claim(mention.start, mention.end, "quote", Verdict.CONTRADICTED, "no cited source has these words")


def _plain(text: str) -> str:
    return " ".join(text.split())
