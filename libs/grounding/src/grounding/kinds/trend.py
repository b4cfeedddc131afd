"""The course of the results of one code."""

from collections.abc import Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.units import printed

from grounding import facts, phrases
from grounding.checks.direction import STEADY
from grounding.kind import Choice, Concept, Kind, NotSayableError, Shown, newest_of_its_code
from grounding.sources import Sources
from grounding.statements import Day, Name, Part, Statement, Value, Words, join

SAME = "stayed about the same"
_BETWEEN = 6


def statement(sources: Sources, fact_ids: Sequence[str]) -> Statement:
    """A series of one concept: direction, first and last with their days, and up to six values between."""
    return Statement(wire.STATEMENT_KIND_TREND, course(sources, fact_ids))


def course(sources: Sources, fact_ids: Sequence[str]) -> tuple[Part, ...]:
    """ValueError with fewer than two numeric facts, or with several units."""
    ordered = sorted((sources.fact(fact_id) for fact_id in fact_ids), key=phrases.when)
    if len(ordered) < 2 or in_one_unit(ordered) != ordered:
        raise ValueError("a trend needs two values, all in one unit")
    first, last = ordered[0].fact_id, ordered[-1].fact_id
    parts: list[Part] = [Name(first, capital=True), Words(f" {direction(ordered)} from "), Value(first), Words(" (")]
    parts += [Day(first), Words(") to "), Value(last), Words(" ("), Day(last), Words(")")]
    between = _thinned([fact.fact_id for fact in ordered[1:-1]])
    if between:
        values = join(", ", ((Value(one, bare=True), Words(" ("), Day(one), Words(")")) for one in between))
        parts += [Words("; between: "), *values]
    return tuple(parts)


def in_one_unit(ordered: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """Those in the unit of the last: what was sent in a unit that does not convert to it has no course with it."""
    return [fact for fact in ordered if _unit(fact) == _unit(ordered[-1])]


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
    numbers = [result for result in newest_of_its_code(fact, shown) if result.WhichOneof("value") == "quantity"]
    values = in_one_unit(numbers)
    if len(values) < 2 or values[-1].fact_id != fact.fact_id:
        raise NotSayableError("fewer than two values")
    return Choice("trend", tuple(value.fact_id for value in values), concept=Concept.of(fact.code))


def _unit(fact: ClinicalFact) -> str:
    return printed(fact.quantity.unit)


def _thinned(fact_ids: list[str]) -> list[str]:
    """At most six, evenly over the series."""
    if len(fact_ids) <= _BETWEEN:
        return fact_ids
    return [fact_ids[index * (len(fact_ids) - 1) // (_BETWEEN - 1)] for index in range(_BETWEEN)]


KIND = Kind(
    word="trend",
    proto=wire.STATEMENT_KIND_TREND,
    handle="F",
    roles={"diagnostician": ("hypothesise",)},
    choose=choose,
    say=lambda sources, choice: statement(sources, choice.fact_ids),
)
