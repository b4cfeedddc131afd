"""The active problems of a record as a physician lists them: by area of medicine, each with newest values and drugs.

Guarantee: a problem, a value and a drug are each told once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from grounding import Sources, Statement, facts
from grounding.reading import names
from grounding.statements import Day, Name, Part, Value, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas
from terminology.areas import Area

from consult.answering import pressures, wording
from consult.answering.finding import of_area
from consult.answering.reconciliation import Reconciled, Standing
from consult.context.relevance import terms

# Values that are told of a problem.
MOST_VALUES = 3
# Values older than this say nothing of how things stand.
_OLD = 5 * 365
# Problems that are told in one line.
_MOST_PROBLEMS = 4


@dataclass(frozen=True, slots=True)
class Concern:
    """Problems of one area, or a problem of none; its newest values, a blood pressure as two; its drugs."""

    problems: tuple[ClinicalFact, ...]
    values: tuple[tuple[ClinicalFact, ...], ...] = ()
    drugs: tuple[Reconciled, ...] = ()

    @property
    def since(self) -> float:
        return max(facts.in_time(each)[0] for each in self.problems)


def concerns(listed: Sequence[ClinicalFact], taken: Sequence[Reconciled], sources: Sources) -> list[Concern]:
    """Those with a drug first, then those with values, the newest first; a disease before what it led to."""
    left = [each for each in taken if each.is_in_use]
    shown: set[str] = set()
    made: list[Concern] = []
    for area, problems in by_area(listed):
        measured = newest(area.results, shown, sources)[:MOST_VALUES] if area else []
        shown |= {one.fact_id for each in measured for one in each}
        own = [each for each in left if area and areas.is_given_for(area, facts.about(each.newest))]
        left = [each for each in left if each not in own]
        first = sorted(problems, key=facts.in_time)[:_MOST_PROBLEMS]
        made.append(Concern(tuple(first), tuple(measured), tuple(own)))
    return sorted(made, key=lambda each: (not each.drugs, not each.values, -each.since))


def by_area(problems: Sequence[ClinicalFact]) -> list[tuple[Area | None, list[ClinicalFact]]]:
    """Problems of the first area that they belong to, together; those of none one by one."""
    found: dict[str, tuple[Area | None, list[ClinicalFact]]] = {}
    for problem in problems:
        own = names.keys_of(problem)
        area = next((each for each in areas.known().values() if of_area(each, own, problem) > 0), None)
        found.setdefault(area.id if area else problem.fact_id, (area, []))[1].append(problem)
    return list(found.values())


def newest(codes: Sequence[str], shown: set[str], sources: Sources) -> list[tuple[ClinicalFact, ...]]:
    """The newest number of each of these results, unless it was shown or is old; a blood pressure as a pair."""
    found: list[tuple[ClinicalFact, ...]] = []
    for code in codes:
        series = sources.series(code)[-1:]
        told = not series or series[0].fact_id in shown or any(_is_told(series[0], each) for each in found)
        if not told and not _is_old(series[0], sources.last_seen):
            found.append(pressures.pair(series[0], sources))
    return found


def _is_told(value: ClinicalFact, shown: tuple[ClinicalFact, ...]) -> bool:
    """Whether the same is told by a fuller name: glucose, of blood glucose."""
    return any(terms(facts.name_of(value)) <= terms(facts.name_of(each)) for each in shown)


def line(concern: Concern, most_values: int = MOST_VALUES) -> tuple[Statement, ...]:
    """Problems; values; drugs. Each is a statement, and together they are one line."""
    told = [problems(concern.problems)]
    if concern.values:
        told.append(Statement(wire.STATEMENT_KIND_LATEST, values(concern.values[:most_values])))
    if concern.drugs:
        told.append(drugs(concern.drugs, capital=False))
    return tuple(told)


def problems(listed: Sequence[ClinicalFact]) -> Statement:
    """`Type 2 diabetes since 2019-03-04, neuropathy since 2024-05-06`."""
    named = (_problem(each, capital=each is listed[0]) for each in listed)
    return Statement(wire.STATEMENT_KIND_PROBLEM, join(", ", named))


def values(shown: Sequence[tuple[ClinicalFact, ...]], *, capital: bool = False) -> tuple[Part, ...]:
    """`HbA1c 6.4% (2026-11-13), blood pressure 128/76 mmHg (2026-11-13)`."""
    return join(", ", (_value(each, capital=capital and each is shown[0]) for each in shown))


def drugs(given: Sequence[Reconciled], *, capital: bool = True) -> Statement:
    """`Metformin 500 mg oral, amlodipine 5 mg oral`: with the days of their orders where one is no recent one."""
    dated = any(each.standing is not Standing.CURRENT for each in given)
    told = (_given(each, capital=capital and each is given[0], dated=dated) for each in given)
    return Statement(wire.STATEMENT_KIND_MEDICATION, join(", ", told))


def _value(value: tuple[ClinicalFact, ...], *, capital: bool) -> tuple[Part, ...]:
    first = value[0]
    day = (Words(" ("), Day(first.fact_id), Words(")"))
    if len(value) == 1:
        return (Name(first.fact_id, capital=capital), Words(" "), Value(first.fact_id, rounded=True), *day)
    name = pressures.name().capitalize() if capital else pressures.name()
    return (Words(f"{name} "), *pressures.values(first, value[1]), *day)


def _given(drug: Reconciled, *, capital: bool, dated: bool) -> tuple[Part, ...]:
    day: tuple[Part, ...] = ()
    if dated and facts.starts_on(drug.newest):
        day = (Words(" ("), Day(drug.newest.fact_id), Words(")"))
    return (*wording.drug(drug.entries, drug.newest, capital=capital), *day)


def _problem(problem: ClinicalFact, *, capital: bool) -> tuple[Part, ...]:
    named = Name(problem.fact_id, capital=capital)
    happened = not names.keys_of(problem).isdisjoint(names.of_families(wording.EVENTS))
    joint = Words(" on " if happened else " since ")
    start: tuple[Part, ...] = (joint, Day(problem.fact_id)) if facts.starts_on(problem) else ()
    return (named, *start)


def _is_old(fact: ClinicalFact, today: date) -> bool:
    day = facts.starts_on(fact)
    return day is None or (today - day).days > _OLD
