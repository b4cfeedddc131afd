"""What a drug is given for, and what came before what: two entries of the record do not say how they relate."""

import re
from itertools import pairwise

from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, FACT_KIND_PROBLEM

from grounding import facts
from grounding.checks.context import Context, unsupported
from grounding.claims import Claim
from grounding.mentions import NameMention
from grounding.scan import name_mentions

_FOR = re.compile(r".*\bfor(?: the| her| his)?\s*", re.IGNORECASE | re.DOTALL)

_ORDERED = re.compile(r"\b(?:before|after|during)\s+(?:(?:the|her|his|starting|stopping)\s+)?$")


def check(context: Context) -> list[Claim]:
    """One claim per problem that stands right after a drug and `for`, unless the drug's own entry names it; one per
    name right after `before` or `after`.
    """
    ordered = (name for name in name_mentions(context.sentence) if _ORDERED.search(context.before(name)))
    claims = [unsupported(name, "relation", "no entry says what came before it or after it") for name in ordered]
    return claims + [
        unsupported(problem, "relation", "no entry says what this drug is given for")
        for drug, problem in pairwise(name_mentions(context.sentence))
        if _FOR.fullmatch(context.text, drug.end, problem.start) and _are_apart(drug, problem, context)
    ]


def _are_apart(drug: NameMention, problem: NameMention, context: Context) -> bool:
    drugs = [fact for fact in context.cited.matching(drug.keys) if fact.kind == FACT_KIND_MEDICATION]
    problems = [fact for fact in context.cited.matching(problem.keys) if fact.kind == FACT_KIND_PROBLEM]
    named = any(problem.text.lower() in facts.searchable(fact).lower() for fact in drugs)
    return bool(drugs and problems) and not named
