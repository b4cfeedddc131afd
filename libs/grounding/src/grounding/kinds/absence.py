"""A concept that was looked for in the whole record and is not there."""

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
