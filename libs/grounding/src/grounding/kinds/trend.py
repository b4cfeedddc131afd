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
    return told(ordered, _thinned(ordered[1:-1]), ordered[0])


def told(
    ordered: Sequence[ClinicalFact],
    between: Sequence[ClinicalFact],
    named: ClinicalFact,
    *,
    rounded: bool = False,
) -> tuple[Part, ...]:
    """`Creatinine rose from 0.93 mg/dL (2024-03-12) to 1.92 mg/dL (2026-10-05); between: 1.75 (2026-07-21)`.

    `named`: the one that gives its name, and is cited first.
    """
    first, last = ordered[0], ordered[-1]
    parts: list[Part] = [Name(named.fact_id, capital=True), Words(f" {direction(ordered)} from ")]
    parts += [*_point(first, rounded=rounded), Words(" to "), *_point(last, rounded=rounded)]
    if between:
        shown = (_point(each, bare=True, rounded=rounded) for each in between)
        parts += [Words("; between: "), *join(", ", shown)]
    return tuple(parts)


def is_course(ordered: Sequence[ClinicalFact]) -> bool:
    """Whether these are at least two numbers of one unit and one organism, each with its time."""
    dated = all(fact.HasField("quantity") and facts.starts_on(fact) for fact in ordered)
    return len(ordered) > 1 and dated and in_one_unit(ordered) == list(ordered)


def _point(fact: ClinicalFact, *, bare: bool = False, rounded: bool = False) -> tuple[Part, ...]:
    """`4.8 (2025-02-10)`."""
    day = (Words(" ("), Day(fact.fact_id), Words(")"))
    return (Value(fact.fact_id, bare=bare, rounded=rounded), *day, *phrases.comment(fact))


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
