"""An NSAID together with an ACE inhibitor or angiotensin receptor blocker, or with reduced kidney function."""

from grounding import Sources, Statement
from grounding.statements import Part, Words
from knowledge.kidney import KidneyFunction, kidney_function
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.rule import Rule
from consult.rules import parts
from consult.rules.classes import NSAID, RAAS_BLOCKERS, belongs_to, members

# The rows that say with which drugs, and below which eGFR.
_TOGETHER, _KIDNEYS = "interactions/nsaid-raas", "organs/nsaid-kidney"


def nsaid_with_raas_blockade(sources: Sources) -> list[Statement]:
    """Every active or ordered NSAID beside an active ACE inhibitor or ARB, with the kidney function if it is known.

    Source: FDA labels of ACE inhibitors and NSAIDs, section 7 (deterioration of renal function); KDIGO 2024 CKD
    guideline, practice point 4.1.1 and table on nephrotoxic medications.
    """
    function = kidney_function(sources)
    blockers = [fact for fact in parts.newest_first(parts.in_use(sources)) if belongs_to(fact, *RAAS_BLOCKERS)]
    found: list[Statement] = []
    for nsaid in _nsaids(sources):
        if blockers:
            found += _interaction(sources, nsaid, blockers, function)
    return found


def nsaid_with_chronic_kidney_disease(sources: Sources) -> list[Statement]:
    """Every active or ordered NSAID with an eGFR below 60.

    Source: KDIGO 2024 CKD guideline, chapter 4 (prolonged NSAIDs not recommended below 60, avoided below 30).
    """
    function = kidney_function(sources)
    if function is None or function.value >= parts.below(sources, _KIDNEYS):
        return []
    guidance = parts.quoted(sources, ("kdigo-2024-nsaid",), ("nsaid", "avoid"))
    return [
        parts.statement(
            wire.STATEMENT_KIND_ALERT,
            *(*parts.drug_with_class(nsaid, (NSAID,), capital=True), *parts.state(sources, nsaid), Words(", while ")),
            *(*parts.kidney_parts(function), *guidance),
        )
        for nsaid in _nsaids(sources)
    ]


def _nsaids(sources: Sources) -> list[ClinicalFact]:
    """One fact per ingredient, the newest."""
    found: dict[frozenset[str], ClinicalFact] = {}
    for fact in parts.newest_first(parts.in_use(sources)):
        if own := members(fact, NSAID):
            found.setdefault(own, fact)
    return list(found.values())


def _interaction(
    sources: Sources, nsaid: ClinicalFact, blockers: list[ClinicalFact], function: KidneyFunction | None
) -> list[Statement]:
    blocker = blockers[0]
    others = tuple(fact.fact_id for fact in blockers if fact is not blocker)
    kidneys: tuple[Part, ...] = parts.kidney_parts(function) if function else ()
    also_kidneys = (Words(" and "), *kidneys) if kidneys else ()
    alert = parts.statement(
        wire.STATEMENT_KIND_ALERT,
        *(*parts.while_taking(sources, nsaid, blocker, (NSAID,), RAAS_BLOCKERS), *also_kidneys),
        *parts.quoted(sources, ("fda-nsaid-acei-renal", "kdigo-2024-nsaid"), ("nsaid", "renal", "ace")),
        also=others,
    )
    proposal = parts.statement(
        wire.STATEMENT_KIND_PROPOSAL,
        *parts.avoid_together(nsaid, blocker),
        *((Words(": "), *kidneys) if kidneys else ()),
    )
    return [alert, proposal]


RULES = (
    Rule(
        nsaid_with_raas_blockade,
        place=40,
        rows=(_TOGETHER,),
        cites={
            "fda-nsaid-acei-renal": "NSAID with ACE inhibitor deterioration of renal function",
            "kdigo-2024-nsaid": "NSAID avoid chronic kidney disease KDIGO",
        },
    ),
    Rule(nsaid_with_chronic_kidney_disease, place=50, rows=(_KIDNEYS,)),
)
