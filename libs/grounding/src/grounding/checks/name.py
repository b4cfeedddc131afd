"""Names: a concept or drug in the text must be one of those that the cited facts are about."""

from collections.abc import Iterator
from itertools import pairwise

from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION

from grounding import facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.checks.negation import negated_names
from grounding.claims import Claim, Verdict
from grounding.mentions import NameMention
from grounding.scan import name_mentions


def check(context: Context) -> list[Claim]:
    """One claim per name that is not under a negation (the negation check decides about those)."""
    negated = negated_names(context)
    claims = [_check_one(name, context) for name in name_mentions(context.sentence) if name not in negated]
    return [*claims, *_classes(context)]


def _classes(context: Context) -> Iterator[Claim]:
    """`naproxen (NSAID)`: what stands in brackets behind a drug is its class."""
    for drug, other in pairwise(name_mentions(context.sentence)):
        found = context.cited.matching(drug.keys) if context.text[drug.end : other.start] == " (" else ()
        if drug.is_drug and found and not any(other.keys & facts.keys(fact) for fact in found):
            yield contradicted(other, "drug", "this drug is of another class", found)


def _check_one(name: NameMention, context: Context) -> Claim:
    kind = "drug" if name.is_drug else "code"
    found = context.cited.matching(name.keys)
    if found:
        return supported(name, kind, found)
    derived = context.cited.derived_matching(name.keys)
    if derived:
        return Claim(name.start, name.end, kind, Verdict.SUPPORTED, "computed", derived[0].fact_ids)
    if name.is_drug:
        return _wrong_drug(name, context)
    return unsupported(name, kind, _why(name, context))


def _wrong_drug(name: NameMention, context: Context) -> Claim:
    """Contradicted where the text cites a medication and names another in its place."""
    named = {key for each in name_mentions(context.sentence) for key in each.keys}
    cited = [fact for fact in context.cited.facts if fact.kind == FACT_KIND_MEDICATION]
    silent = [fact for fact in cited if not facts.keys(fact) & named]
    if silent:
        return contradicted(name, "drug", f"the cited medication is {facts.name_of(silent[0])}", silent)
    return unsupported(name, "drug", _why(name, context))


def _why(name: NameMention, context: Context) -> str:
    if any(context.cited.sources.with_key(key) for key in name.keys):
        return "it is in the record but not among the cited facts"
    return "it is in no source of this episode"
