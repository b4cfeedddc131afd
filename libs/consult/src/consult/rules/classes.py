"""The classes of drugs that rules reason about, by their ids in terminology."""

from grounding import facts
from grounding.dosing import is_nsaid
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.drug_classes import classes_of

NSAID = "nsaid"
ACE_INHIBITOR, ARB = "ace-inhibitor", "angiotensin-receptor-blocker"
RAAS_BLOCKERS = (ACE_INHIBITOR, ARB)
RAISE_POTASSIUM = (*RAAS_BLOCKERS, "potassium-sparing-diuretic")
BIGUANIDE = "biguanide"
PENICILLIN = "penicillin"


def belongs_to(fact: ClinicalFact, *identifiers: str) -> bool:
    """Whether an ingredient of the medication is of one of these classes; of the NSAIDs, not one against platelets."""
    return bool(members(fact, *identifiers))


def members(fact: ClinicalFact, *identifiers: str) -> frozenset[str]:
    """Ids of the medication's ingredients that are of one of these classes."""
    return frozenset(
        each.id
        for each in facts.about(fact).ingredients
        if {known.id for known in classes_of(each)} & set(identifiers) and (identifiers != (NSAID,) or is_nsaid(each))
    )
