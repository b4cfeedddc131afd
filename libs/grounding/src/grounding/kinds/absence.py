"""A concept that was looked for in the whole record and is not there."""

from collections.abc import Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import CodedConcept

from grounding import facts
from grounding.kind import Choice, Concept, Kind, Shown
from grounding.sources import Sources
from grounding.statements import Day, Label, Part, Statement, Words


def statement(sources: Sources, display: str) -> Statement:
    """Says that nothing with this name was found, and up to when the record was searched."""
    names = Label(" ".join(display.split()))
    parts = (Words("No "), names, Words(" was found in the record; the whole timeline was searched"))
    newest = [fact.fact_id for fact in sources.current if facts.starts_on(fact)][-1:]
    tail: tuple[Part, ...] = (Words(" up to its newest entry ("), Day(newest[0]), Words(")")) if newest else ()
    return Statement(wire.STATEMENT_KIND_ABSENCE, (*parts, *tail))


def together(statements: Sequence[Statement]) -> Statement | None:
    """`No colonoscopy, mammogram or PSA was found ...`; None where one of them says anything else."""
    labels = [label for each in statements if (label := missing(each))]
    if len(labels) < len(statements):
        return None
    listed = f"{', '.join(labels[:-1])} or {labels[-1]}"
    lead, _, *rest = statements[0].parts
    return Statement(wire.STATEMENT_KIND_ABSENCE, (lead, Label(listed), *rest))


def missing(statement_: Statement) -> str:
    """What a statement of `statement` says is missing, and nothing for an allergy or a drug for something."""
    match statement_.parts:
        case [Words("No "), Label(label), Words(text), *_] if text.endswith("searched"):
            return "" if label.startswith(("drug ", "allergy ")) else label
        case _:
            return ""


def choose(concept: CodedConcept, _: Shown) -> Choice:
    return Choice("absence", concept=Concept.of(concept))


def say(sources: Sources, choice: Choice) -> Statement:
    if choice.concept is None:
        raise ValueError("an absence is of a concept")
    return statement(sources, choice.concept.display or choice.concept.code)


KIND = Kind(
    word="absence",
    proto=wire.STATEMENT_KIND_ABSENCE,
    handle="N",
    roles={"historian": ("gather",)},
    choose=choose,
    say=say,
)
