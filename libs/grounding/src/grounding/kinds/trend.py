"""The course of the results of one code."""

from collections.abc import Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.units import printed

from grounding import facts, phrases
from grounding.comparing.courses import STEADY
from grounding.kind import Choice, Concept, Kind, NotSayableError, Shown, newest_of_its_code
from grounding.sources import Sources
from grounding.statements import Day, Name, Part, Statement, Value, Words, join

SAME = "stayed about the same"
_BETWEEN = 6


def statement(sources: Sources, fact_ids: Sequence[str]) -> Statement:
    """A series of one concept: direction, first and last with their days, and up to six values between."""
    return Statement(wire.STATEMENT_KIND_TREND, course(sources, fact_ids))


def course(sources: Sources, fact_ids: Sequence[str]) -> tuple[Part, ...]:
    """ValueError with fewer than two numeric facts, with several units or organisms, or where one has no time."""
    ordered = sorted((sources.fact(fact_id) for fact_id in fact_ids), key=facts.in_time)
    if not is_course(ordered):
        raise ValueError("a trend needs two dated values, all in one unit")
    first, last = ordered[0].fact_id, ordered[-1].fact_id
    parts: list[Part] = [Name(first, capital=True), Words(f" {direction(ordered)} from "), Value(first), Words(" (")]
    parts += [Day(first), Words(")"), *phrases.comment(ordered[0]), Words(" to "), Value(last), Words(" (")]
    parts += [Day(last), Words(")"), *phrases.comment(ordered[-1])]
    between = _thinned(ordered[1:-1])
    if between:
        parts += [Words("; between: "), *join(", ", map(_point, between))]
    return tuple(parts)


def is_course(ordered: Sequence[ClinicalFact]) -> bool:
    """Whether these are at least two numbers of one unit and one organism, each with its time."""
    dated = all(fact.HasField("quantity") and facts.starts_on(fact) for fact in ordered)
    return len(ordered) > 1 and dated and in_one_unit(ordered) == list(ordered)


def _point(fact: ClinicalFact) -> tuple[Part, ...]:
    """`4.8 (2025-02-10)`."""
    day = (Words(" ("), Day(fact.fact_id), Words(")"))
    return (Value(fact.fact_id, bare=True), *day, *phrases.comment(fact))


def in_one_unit(ordered: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """Those in the unit of the last: what was sent in a unit that does not convert to it has no course with it."""
    return [fact for fact in ordered if _comparable(fact) == _comparable(ordered[-1])]


def direction(ordered: Sequence[ClinicalFact]) -> str:
    """`rose`, `fell` or `stayed about the same`, from first to last."""
    first, last = (facts.number(fact.quantity) for fact in (ordered[0], ordered[-1]))
    if first is None or last is None:
        raise ValueError("a trend needs numbers")
    if abs(last - first) <= abs(first) * STEADY:
        return SAME
    return "rose" if last > first else "fell"


def choose(fact: ClinicalFact, shown: Shown) -> Choice:
    """All numbers of its code, oldest first, of which it is the newest."""
    results = newest_of_its_code(fact, shown)
    numbers = [each for each in results if each.WhichOneof("value") == "quantity" and facts.starts_on(each)]
    values = in_one_unit(numbers)
    if len(values) < 2 or values[-1].fact_id != fact.fact_id:
        raise NotSayableError("fewer than two values")
    return Choice("trend", tuple(value.fact_id for value in values), concept=Concept.of(fact.code))


def _comparable(fact: ClinicalFact) -> tuple[str, str]:
    return printed(fact.quantity.unit), facts.organism(fact)


def _thinned(between: list[ClinicalFact]) -> list[ClinicalFact]:
    """At most six, evenly over the series."""
    if len(between) <= _BETWEEN:
        return between
    return [between[index * (len(between) - 1) // (_BETWEEN - 1)] for index in range(_BETWEEN)]


KIND = Kind(
    word="trend",
    proto=wire.STATEMENT_KIND_TREND,
    handle="F",
    roles={"diagnostician": ("hypothesise",)},
    choose=choose,
    say=lambda sources, choice: statement(sources, choice.fact_ids),
)
