"""Draft: what rules and model say becomes text with citations. What its sources do not carry is not said."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from grounding import (
    Rendered,
    Sources,
    Statement,
    UnknownSourceError,
    UnrenderableError,
    Verdict,
    Verifier,
    render,
)
from grounding.formula import CalculationError
from grounding.statements import Reaction, Words
from harness import Outcome, Proposed, Said, Written
from knowledge.terms import Urgency
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import EpisodeInputs

from consult.objections import objection, objection_to_text
from consult.rules import Spoken
from consult.wording import word, word_proposal, word_written

# What stands before the reaction of an allergy.
REACTION = Words(", reaction ")
# What sources can refuse: the statement is then not said, which is the safe side.
UNSAYABLE = (ValueError, KeyError, UnknownSourceError, UnrenderableError, CalculationError)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A statement with who made it. `objection`: why it is withheld although it is true; empty if nobody objects.

    `step`: of the episode, where the model chose it.
    """

    rendered: Rendered
    author: "wire.Author.ValueType"
    author_name: str
    objection: str = ""
    step: int = 0
    # Whether it answers the question, or must not be missed beside it.
    front: bool = False
    # The heading under which it stands; of an answer none.
    section: str = ""
    # The row of medical knowledge that spoke, with its version; none where it is empty.
    row: str = ""
    # Of a row: how urgent it is, and the drugs that it is about and that the question asks to be given.
    urgency: Urgency | None = None
    asked: tuple[str, ...] = ()


def draft(statement: Statement, sources: Sources, author: "wire.Author.ValueType", name: str) -> Drafted | None:
    """None where the sources do not carry the statement. An allergy whose reaction, which is free text, nobody can read
    is told without it.
    """
    plain = without_reactions(statement)
    try:
        rendered = render(statement, sources)
        if plain != statement and not _is_supported(rendered, sources):
            rendered = render(plain, sources)
    except UNSAYABLE:
        return None
    return Drafted(rendered, author, name)


def without_reactions(statement: Statement) -> Statement:
    """The allergies of a statement without `, reaction hives`."""
    pairs = zip(statement.parts, (*statement.parts, None)[1:], strict=True)
    kept = [one for one, after in pairs if not (one == REACTION and isinstance(after, Reaction))]
    parts = [one for one in kept if not isinstance(one, Reaction)]
    return replace(statement, parts=tuple(parts)) if len(kept) < len(statement.parts) else statement


def _is_supported(rendered: Rendered, sources: Sources) -> bool:
    return Verifier(sources).verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED


def draft_rules(spoken: Iterable[Spoken], sources: Sources) -> list[Drafted]:
    """What the rules say, in words."""
    drafted = ((each, draft(each.statement, sources, wire.AUTHOR_RULE, each.rule)) for each in spoken)
    return [
        replace(one, row=each.row, urgency=each.urgency, asked=each.asked) for each, one in drafted if one is not None
    ]


def draft_model(outcome: Outcome, sources: Sources, inputs: EpisodeInputs) -> list[Drafted]:
    """The model's statements, proposals and free text in words, each with the objection to it, if there is one."""
    items: tuple[Said | Proposed, ...] = (*outcome.statements, *outcome.proposals)
    typed = (drafted for item in items for drafted in _typed(item, sources, inputs))
    written = (drafted for text in outcome.written for drafted in _written(text, sources))
    return [*typed, *written]


def _typed(item: Said | Proposed, sources: Sources, inputs: EpisodeInputs) -> Iterator[Drafted]:
    try:
        statement = _statement(item, sources)
        rendered = render(statement, sources)
    except UNSAYABLE:
        return
    concerning = {passage.passage_id for passage in inputs.context.passages}
    against = objection(statement, sources, concerning, doubted=item.doubted)
    yield Drafted(rendered, wire.AUTHOR_MODEL, item.role, against, item.step)


def _statement(item: Said | Proposed, sources: Sources) -> Statement:
    return word_proposal(item.proposal, sources) if isinstance(item, Proposed) else word(item.choice, sources)


def _written(text: Written, sources: Sources) -> Iterator[Drafted]:
    rendered = word_written(text, sources)
    if rendered is not None:
        yield Drafted(rendered, wire.AUTHOR_MODEL, text.role, objection_to_text(rendered.text), text.step)
