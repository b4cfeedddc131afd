"""Metformin against the kidney function."""

from grounding import Sources, Statement, facts
from grounding.drugs import DrugClass
from grounding.statements import Name, Words
from longitude.reasoning.v1 import assessment_pb2 as wire

from reasoning.domain.rules import parts
from reasoning.domain.rules.kidney import kidney_function

_PASSAGES = ("fda-metformin-renal", "kdigo-2024-metformin")
_CONTRAINDICATED_BELOW = 30.0
_REASSESS_BELOW = 45.0


def metformin_and_kidney_function(sources: Sources) -> list[Statement]:
    """Metformin with an eGFR below 45: an alert, and the proposal to review it; below 30 it is contraindicated.

    Source: FDA Drug Safety Communication on metformin, 8 April 2016; KDIGO 2022 diabetes in CKD guideline, figure 23.
    """
    function = kidney_function(sources)
    taken = [fact for fact in parts.newest_first(parts.in_use(sources)) if facts.belongs_to(fact, DrugClass.BIGUANIDE)]
    if function is None or not taken or function.value >= _REASSESS_BELOW:
        return []
    newest, older = taken[0], tuple(fact.fact_id for fact in taken[1:])
    terms = (
        ("contraindicated", "below") if function.value < _CONTRAINDICATED_BELOW else ("30 and 45", "assess", "benefit")
    )
    wording = ": check whether it still fits" if function.value < _CONTRAINDICATED_BELOW else ": check the dose"
    alert = parts.statement(
        wire.STATEMENT_KIND_ALERT,
        *(*parts.drug_with_dose(newest), *parts.state(newest), Words(", while "), *parts.kidney_parts(function)),
        *(Words(wording), *parts.quoted(sources, _PASSAGES, terms)),
        also=older,
    )
    proposal = parts.statement(
        wire.STATEMENT_KIND_PROPOSAL,
        *(Words("Review "), Name(newest.fact_id), Words(" with this kidney function: ")),
        *parts.kidney_parts(function),
        also=older,
    )
    return [alert, proposal]
