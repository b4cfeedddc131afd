"""Dangerous changes: a result that rises or falls by so much within so many days."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from grounding.kinds import trend
from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge import wording
from knowledge.families.criticals import RECENT
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient, value_in
from knowledge.row import Row
from knowledge.terms import Direction, Drugs, Problems, Results


@dataclass(frozen=True, slots=True)
class Conditions:
    """The newest of `results`, not older than `recent` days, against the lowest (of a rise) or highest (of a fall) of
    the `days` before it: it moved `by` at least so much in `unit`, or `percent` at least so much of the earlier one.
    `drugs`, `problems`: only with one of these.
    """

    results: Results
    unit: str
    direction: Direction
    days: int
    by: Decimal | None = None
    percent: Decimal | None = None
    recent: int = RECENT
    drugs: Drugs | None = None
    problems: Problems | None = None

    def __post_init__(self) -> None:
        if (self.by is None) is (self.percent is None):
            raise ValueError("must have “by” or “percent”, and not both")

    def holds(self, before: Decimal, now: Decimal) -> bool:
        moved = now - before if self.direction is Direction.RISE else before - now
        if self.by is not None:
            return moved >= self.by
        return self.percent is not None and before > 0 and moved * 100 >= self.percent * before


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The change, beside the drug that the row asks for."""
    wanted: Conditions = row.conditions
    drugs = patient.drugs(wanted.drugs) if wanted.drugs else ()
    if (wanted.drugs and not drugs) or (wanted.problems and not patient.problem(wanted.problems)):
        return
    pair = _moved(wanted, patient)
    if pair is None:
        return
    course = trend.course(patient.sources, tuple(each.fact_id for each in pair))
    beside = drugs[0].fact if drugs and wanted.drugs else None
    if beside is not None and wanted.drugs:
        course = wording.while_taking(patient.sources, course, beside, wanted.drugs)
    yield Finding(row, wording.statement(row, course), wording.ids(pair))


def _moved(wanted: Conditions, patient: Patient) -> tuple[ClinicalFact, ClinicalFact] | None:
    """The earlier result and the newest, where the change is that large."""
    timed = [each for each in patient.measured(wanted.results) if each.HasField("valid_from")]
    if not timed or patient.days_since(timed[-1]) > wanted.recent:
        return None
    *before, newest = timed
    values = [(value_in(each, wanted.unit), each) for each in before if _is_within(each, newest, wanted.days)]
    known = [(value, each) for value, each in values if value is not None]
    now = value_in(newest, wanted.unit)
    if now is None or not known:
        return None
    furthest = (min if wanted.direction is Direction.RISE else max)(known, key=lambda each: each[0])
    is_one_unit = furthest[1].quantity.unit == newest.quantity.unit
    return (furthest[1], newest) if is_one_unit and wanted.holds(furthest[0], now) else None


def _is_within(earlier: ClinicalFact, newest: ClinicalFact, days: int) -> bool:
    seconds = newest.valid_from.seconds - earlier.valid_from.seconds
    return 0 < seconds <= days * 86_400


FAMILY = Family("changes", "a result that rises or falls dangerously", Conditions, evaluate)
