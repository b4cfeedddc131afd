"""The model's actions as typed statements: an action names facts, `grounding.kinds` know the words."""

from grounding import Rendered, Sources, Statement, facts, phrases
from grounding.kind import Choice
from grounding.kinds import KINDS
from grounding.render import citations
from grounding.spans import sentences
from grounding.statements import Name, Part, Value, Words
from harness import Written
from harness.actions import AskPhysician, ProposalKind, Propose, QuestionPurpose
from longitude.reasoning.v1 import assessment_pb2 as wire

_PROPOSED: dict[ProposalKind, str] = {
    ProposalKind.REVIEW_MEDICATION: "Review ",
    ProposalKind.REPEAT_RESULT: "Repeat ",
    ProposalKind.CLARIFY_ALLERGY: "Clarify the allergy entry: ",
    ProposalKind.REVIEW_PROBLEM: "Review the problem: ",
}


_ASKED: dict[QuestionPurpose, tuple[str, str]] = {
    QuestionPurpose.CONFIRMATION: ("An entry needs to be confirmed: ", "; does it hold for this patient?"),
    QuestionPurpose.REACTION: ("Which reaction belongs to this allergy entry: ", "?"),
    QuestionPurpose.ADHERENCE: ("Is this medication taken as recorded: ", "?"),
    QuestionPurpose.SOURCE: ("From whom or which document is this entry: ", "?"),
}


def word(choice: Choice | AskPhysician, sources: Sources) -> Statement:
    """ValueError, CalculationError or UnknownSourceError where the sources named do not carry such a statement."""
    if isinstance(choice, AskPhysician):
        return _question(sources, choice.fact_id, choice.purpose)
    return KINDS[choice.kind].say(sources, choice)


def word_proposal(proposed: Propose, sources: Sources) -> Statement:
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


def _question(sources: Sources, fact_id: str, purpose: QuestionPurpose) -> Statement:
    """`Which reaction belongs to this allergy entry: penicillin (2025-02-14)?`"""
    lead, end = _ASKED[purpose]
    fact = sources.fact(fact_id)
    negation: tuple[Part, ...] = (Words("no "),) if facts.is_absent(fact) else ()
    dose = phrases.dose(fact)
    parts = (Words(lead), *negation, Name(fact_id), *dose, *phrases.in_brackets(fact), Words(end))
    return Statement(wire.STATEMENT_KIND_QUESTION, parts)


def _entry(sources: Sources, fact_id: str) -> tuple[Part, ...]:
    fact = sources.fact(fact_id)
    value: tuple[Part, ...] = (Words(" "), Value(fact_id)) if fact.HasField("quantity") else ()
    return (Name(fact_id), *value, *phrases.in_brackets(fact), *phrases.comment(fact))
