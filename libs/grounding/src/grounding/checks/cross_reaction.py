"""Cross-reactions: word for word what terminology knows of a cited medication and a cited allergy."""

from itertools import product

from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_MEDICATION

from grounding import relations
from grounding.checks.context import Context, supported, unsupported
from grounding.claims import Claim
from grounding.mentions import LabelMention


def check(context: Context) -> list[Claim]:
    """A claim per sentence of evidence, whichever way it is told."""
    labels = (each for each in context.sentence.mentions if isinstance(each, LabelMention))
    return [_check_one(each, context) for each in labels if each.family == relations.FAMILY]


def _check_one(mention: LabelMention, context: Context) -> Claim:
    medications = (fact for fact in context.cited.facts if fact.kind == FACT_KIND_MEDICATION)
    others = (fact for fact in context.cited.facts if fact.kind == FACT_KIND_ALLERGY)
    for medication, allergy in product(medications, others):
        related = relations.between(medication, allergy)
        cross = related.cross_reaction if related else None
        if cross and relations.words(cross).lower() == mention.text.lower():
            return supported(mention, "category", [medication, allergy])
    return unsupported(mention, "category", "this is known of no cited medication and allergy")
