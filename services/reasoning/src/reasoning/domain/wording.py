"""The model's actions as typed statements: an action names facts, `grounding.say` knows the words."""

from collections.abc import Mapping

from grounding import Rendered, Sources, Statement, facts, say
from grounding.render import citations
from grounding.spans import sentences
from grounding.statements import Day, Dose, Name, Part, Value, Words
from harness import Written, actions
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import CodedConcept

_PROPOSED: dict[actions.ProposalKind, str] = {
    actions.ProposalKind.REVIEW_MEDICATION: "Review ",
    actions.ProposalKind.REPEAT_RESULT: "Repeat ",
    actions.ProposalKind.CLARIFY_ALLERGY: "Clarify the allergy entry: ",
    actions.ProposalKind.REVIEW_PROBLEM: "Review the problem: ",
}


_ASKED: dict[actions.QuestionPurpose, tuple[str, str]] = {
    actions.QuestionPurpose.CONFIRMATION: ("An entry needs to be confirmed: ", "; does it hold for this patient?"),
    actions.QuestionPurpose.REACTION: ("Which reaction belongs to this allergy entry: ", "?"),
    actions.QuestionPurpose.ADHERENCE: ("Is this medication taken as recorded: ", "?"),
    actions.QuestionPurpose.SOURCE: ("From whom or which document is this entry: ", "?"),
}


def word(
    said: actions.Statement | actions.AskPhysician, sources: Sources, absences: Mapping[str, CodedConcept]
) -> Statement:
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


def word_written(written: Written, sources: Sources) -> Rendered | None:
    """The first sentence of a free text, as a statement that rests on the facts it was written from."""
    plain = " ".join(written.text.split())
    found = sentences(plain, clauses=False)
    statement = Statement(wire.STATEMENT_KIND_PROSE, (), written.fact_ids)
    return Rendered(statement, found[0].of(plain), citations(statement, sources)) if found else None


def _question(sources: Sources, fact_id: str, purpose: actions.QuestionPurpose) -> Statement:
    """`Which reaction belongs to this allergy entry: penicillin (2025-02-14)?`"""
    lead, end = _ASKED[purpose]
    fact = sources.fact(fact_id)
    negation: tuple[Part, ...] = (Words("no "),) if facts.is_absent(fact) else ()
    dose: tuple[Part, ...] = (Words(" "), Dose(fact_id)) if fact.HasField("dosage") else ()
    day: tuple[Part, ...] = (Words(" ("), Day(fact_id), Words(")")) if fact.HasField("valid_from") else ()
    parts = (Words(lead), *negation, Name(fact_id), *dose, *day, Words(end))
    return Statement(wire.STATEMENT_KIND_QUESTION, parts)


def _about_one_fact(
    said: actions.Latest
    | actions.Medication
    | actions.Allergy
    | actions.Problem
    | actions.Imaging
    | actions.AskPhysician,
    sources: Sources,
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
        case actions.AskPhysician():
            return _question(sources, said.fact_id, said.purpose)


def _entry(sources: Sources, fact_id: str) -> tuple[Part, ...]:
    fact = sources.fact(fact_id)
    value: tuple[Part, ...] = (Words(" "), Value(fact_id)) if fact.HasField("quantity") else ()
    day: tuple[Part, ...] = (Words(" ("), Day(fact_id), Words(")")) if fact.HasField("valid_from") else ()
    return (Name(fact_id), *value, *day)
