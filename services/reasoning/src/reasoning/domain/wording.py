"""The model's actions as typed statements: an action names facts, `grounding.say` knows the words."""

from collections.abc import Mapping

from grounding import Sources, Statement, say
from grounding.statements import Day, Name, Part, Value, Words
from harness import actions
from longitude.ingestion.v1.clinical_fact_pb2 import CodedConcept
from longitude.reasoning.v1 import assessment_pb2 as wire

_PROPOSED: dict[actions.ProposalKind, str] = {
    actions.ProposalKind.REVIEW_MEDICATION: "Review ",
    actions.ProposalKind.REPEAT_RESULT: "Repeat ",
    actions.ProposalKind.CLARIFY_ALLERGY: "Clarify the allergy entry: ",
    actions.ProposalKind.REVIEW_PROBLEM: "Review the problem: ",
}


def word(said: actions.Statement, sources: Sources, absences: Mapping[str, CodedConcept]) -> Statement:
    """ValueError, CalculationError or UnknownSourceError where the facts named do not carry such a statement."""
    match said:
        case actions.Trend(fact_ids=fact_ids):
            return say.trend(sources, fact_ids)
        case actions.Change(fact_ids=fact_ids):
            return say.change(sources, fact_ids)
        case actions.Evidence(passage_id=passage_id):
            return say.evidence(sources, passage_id)
        case actions.Calculation(name=name, fact_ids=fact_ids):
            return say.calculation(name, fact_ids)
        case actions.Absence(code=code):
            return say.absence(sources, absences[f"{code.system}|{code.code}"].display)
        case _:
            return _about_one_fact(said, sources)


def word_proposal(proposed: actions.Propose, sources: Sources) -> Statement:
    """`Repeat potassium: 5.6 mmol/L (2026-10-05).` A request to look, never an order."""
    entries: list[Part] = []
    for fact_id in proposed.fact_ids:
        entries += [Words(", "), *_entry(sources, fact_id)] if entries else _entry(sources, fact_id)
    return Statement(wire.STATEMENT_KIND_PROPOSAL, (Words(_PROPOSED[proposed.kind]), *entries))


def _about_one_fact(
    said: actions.Latest | actions.Medication | actions.Allergy | actions.Problem | actions.Imaging, sources: Sources
) -> Statement:
    match said:
        case actions.Latest():
            return say.latest(sources, said.fact_id)
        case actions.Medication():
            return say.medication(sources, said.fact_id)
        case actions.Allergy():
            return say.allergy(sources, said.fact_id)
        case actions.Problem():
            return say.problem(sources, said.fact_id)
        case actions.Imaging():
            return say.imaging(sources, said.fact_id)


def _entry(sources: Sources, fact_id: str) -> tuple[Part, ...]:
    fact = sources.fact(fact_id)
    value: tuple[Part, ...] = (Words(" "), Value(fact_id)) if fact.HasField("quantity") else ()
    day: tuple[Part, ...] = (Words(" ("), Day(fact_id), Words(")")) if fact.HasField("valid_from") else ()
    return (Name(fact_id), *value, *day)
