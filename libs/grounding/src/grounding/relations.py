"""How an allergy relates to a medication: the same ingredient, its class, or a cross-reaction with its evidence.

Guarantee: every ingredient of a combination and everything that the allergy is about is looked at, and the closest
relation is the one told; the words of a cross-reaction are those of the row that it stands on.
"""

import re
from functools import cache
from itertools import product

from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import allergens, cross_reactions
from terminology.allergens import Relation, RelationKind
from terminology.cross_reactions import CrossReaction, Strength

from grounding import facts

# The family of labels that tell one.
FAMILY = "cross-reaction"
_KINDS = (RelationKind.INGREDIENT, RelationKind.CLASS, RelationKind.SAME_CLASS, RelationKind.CROSS_REACTION)
_STRENGTHS = (Strength.LIKELY, Strength.POSSIBLE, Strength.UNLIKELY)


def between(medication: ClinicalFact, allergy: ClinicalFact) -> Relation | None:
    """The closest relation of the two; None where no row relates them."""
    pairs = product(facts.about(allergy).allergens, facts.about(medication).ingredients)
    related = [each for allergen, ingredient in pairs if (each := allergens.relation(allergen, ingredient))]
    return min(related, key=_distance, default=None)


def words(cross: CrossReaction) -> str:
    """`cross-reaction possible: ...`, with the evidence of the row."""
    return f"cross-reaction {cross.strength}: {cross.evidence}"


@cache
def pattern() -> re.Pattern[str]:
    """Finds the words of every row."""
    known = sorted({words(each) for each in cross_reactions.everything()}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known)), re.IGNORECASE)


def _distance(relation: Relation) -> tuple[int, int]:
    cross = relation.cross_reaction
    return _KINDS.index(relation.kind), _STRENGTHS.index(cross.strength) if cross else 0
