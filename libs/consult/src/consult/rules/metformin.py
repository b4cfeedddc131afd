"""Metformin against the kidney function."""

from grounding import Sources, Statement
from grounding.statements import Name, Words
from knowledge.kidney import kidney_function
from longitude.reasoning.v1 import assessment_pb2 as wire

from consult.rule import Rule
from consult.rules import parts
from consult.rules.classes import BIGUANIDE, belongs_to

_PASSAGES = ("fda-metformin-renal", "kdigo-2024-metformin")
# The rows that say below which eGFR.
_CONTRAINDICATED, _REASSESS = "organs/biguanide-contraindicated", "organs/biguanide-reassess"


def metformin_and_kidney_function(sources: Sources) -> list[Statement]:
    """Metformin with an eGFR below 45: an alert, and the proposal to review it; below 30 it is contraindicated.

    Source: FDA Drug Safety Communication on metformin, 8 April 2016; KDIGO 2022 diabetes in CKD guideline, figure 23.
    """
    function = kidney_function(sources)
    taken = [fact for fact in parts.newest_first(parts.in_use(sources)) if belongs_to(fact, BIGUANIDE)]
    contraindicated, reassess = (parts.below(sources, each) for each in (_CONTRAINDICATED, _REASSESS))
    if function is None or not taken or function.value >= max(contraindicated, reassess):
        return []
    shown = taken[0]
    others = tuple(fact.fact_id for fact in taken if fact is not shown)
    terms = ("contraindicated", "below") if function.value < contraindicated else ("30 and 45", "assess", "benefit")
    wording = ": check whether it still fits" if function.value < contraindicated else ": check the dose"
    alert = parts.statement(
        wire.STATEMENT_KIND_ALERT,
        *(*parts.drug_with_dose(shown), *parts.state(sources, shown), Words(", while "), *parts.kidney_parts(function)),
        *(Words(wording), *parts.quoted(sources, _PASSAGES, terms)),
        also=others,
    )
    proposal = parts.statement(
        wire.STATEMENT_KIND_PROPOSAL,
        *(Words("Review "), Name(shown.fact_id), Words(" with this kidney function: ")),
        *parts.kidney_parts(function),
        also=others,
    )
    return [alert, proposal]


RULES = (
    Rule(
        metformin_and_kidney_function,
        place=30,
        rows=(_CONTRAINDICATED, _REASSESS),
        cites={
            "fda-metformin-renal": "metformin contraindicated eGFR below 30 renal impairment",
            "kdigo-2024-metformin": "metformin dose eGFR chronic kidney disease KDIGO",
        },
    ),
)
