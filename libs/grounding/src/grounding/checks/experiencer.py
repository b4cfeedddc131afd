"""Whose it is: the patient's own, or a relative's."""

from longitude.record.v1.fact_pb2 import FACT_KIND_PROBLEM, ClinicalFact

from grounding import facts
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import Cue, CueMention
from grounding.scan import cue, name_mentions

# Words that name no one relative.
_ANY = frozenset({"family history", "family"})


def check(context: Context) -> list[Claim]:
    """Family words need a family fact; a family fact needs family words."""
    relatives = cue(context.sentence, Cue.FAMILY)
    keys = frozenset(key for name in name_mentions(context.sentence) for key in name.keys)
    named = [fact for fact in context.cited.matching(keys) if fact.kind == FACT_KIND_PROBLEM]
    family = [fact for fact in named if facts.is_family_history(fact)]
    if relatives:
        return [_relative(each, named, family) for each in relatives]
    if not family or len(family) < len(named):
        return []
    first = next(name for name in name_mentions(context.sentence) if name.keys & facts.keys(family[0]))
    if facts.is_family_history_text(first.text):
        return []
    return [contradicted(first, "experiencer", "the record states it of a relative, not of the patient", family)]


def _relative(mention: CueMention, named: list[ClinicalFact], family: list[ClinicalFact]) -> Claim:
    if family:
        if mention.text.lower() in _ANY or any(_names(fact, mention.text) for fact in family):
            return supported(mention, "experiencer", family)
        return unsupported(mention, "experiencer", "the record does not say that it is this relative")
    if named:
        return contradicted(mention, "experiencer", "the record states it of the patient, not of a relative", named)
    return unsupported(mention, "experiencer", "no cited source speaks of a relative")


def _names(fact: ClinicalFact, relative: str) -> bool:
    return relative.lower().removesuffix("'s") in facts.searchable(fact).lower()
