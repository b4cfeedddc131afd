"""Chronic diseases: controls that are overdue, and values that are not where a guideline wants them."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge import due, wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import DAYS_A_MONTH, Patient, value_in
from knowledge.row import Row
from knowledge.terms import Ages, Bounded, Problems, Results

# Months for which a value says whether a target is met, where the row names none.
_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Conditions(Bounded):
    """With one of `problems`, one of `results` or an entry with one of the words `done`, called `label`, each `months`;
    or its newest value `below` or `at_least` so much, in `unit`: not where it should be.
    """

    problems: Problems
    label: str = ""
    results: Results | None = None
    done: tuple[str, ...] = ()
    months: int = 0
    unit: str = ""
    below: Decimal | None = None
    at_least: Decimal | None = None
    ages: Ages | None = None
    without: Problems | None = None

    def __post_init__(self) -> None:
        if not (self.results or self.done):
            raise ValueError("has neither “results” nor “done”")
        if not (self.months or self.is_bounded):
            raise ValueError("has neither “months” nor a bound")
        if self.is_bounded and not (self.unit and self.results):
            raise ValueError("has a bound without “unit” or “results”")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The problem, and what is overdue or not where it should be."""
    wanted: Conditions = row.conditions
    problem = patient.problem(wanted.problems)
    if problem is None or (wanted.without and patient.problem(wanted.without, ended=True)):
        return
    if wanted.ages and not wanted.ages.holds(patient.age):
        return
    lead = wording.has(patient.sources, problem)
    if wanted.is_bounded:
        yield from _missed(row, wanted, problem, patient)
    else:
        last = due.done(patient, wanted.done, wanted.results)
        if due.is_over(patient, last, wanted.months):
            yield due.finding(row, patient, wanted.label, last, lead)


def _missed(row: Row, wanted: Conditions, problem: ClinicalFact, patient: Patient) -> Iterator[Finding]:
    days = round((wanted.months or _A_YEAR) * DAYS_A_MONTH)
    newest = patient.newest(wanted.results, days) if wanted.results else None
    value = value_in(newest, wanted.unit) if newest else None
    if newest is None or value is None:
        return
    if wanted.holds(value):
        lead = wording.has(patient.sources, problem)
        kind = wording.due_kind(newest)
        told = wording.statement(row, lead, wording.measured(newest), kind=kind)
        yield Finding(row, told, wording.ids((newest,)), due=True)


FAMILY = Family("controls", "controls and targets of chronic diseases", Conditions, evaluate)
