"""A drug that needs a result every so many months, and the bounds within which the result is to be."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from knowledge import due, wording
from knowledge.families.interactions import narrowness
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import DAYS_A_MONTH, Patient, Taken, value_in
from knowledge.row import Row
from knowledge.terms import Drugs, Results

# Days after the newest order within which nobody need have measured yet.
_STARTED = 31
# Months for which a value counts where the row asks for none.
_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Conditions:
    """One of `results` or an entry with one of the words `done`, called `label` (none where it cannot be read back),
    every `months` (0: never told as missing) while a drug of `drugs` is taken. The newest of the last `months`, or
    year, is told too where it is at or below `low` or at or above `high`, in `unit`.
    """

    drugs: Drugs
    label: str = ""
    results: Results | None = None
    done: tuple[str, ...] = ()
    months: int = 0
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None

    def __post_init__(self) -> None:
        if not (self.results or self.done):
            raise ValueError("has neither “results” nor “done”")
        if not self.months and self.low is None and self.high is None:
            raise ValueError("has neither “months” nor a bound")
        if (self.low is not None or self.high is not None) and not (self.unit and self.results):
            raise ValueError("has a bound without “unit” or “results”")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The newest drug of the row whose result is out of bounds, or is missing or too old."""
    wanted: Conditions = row.conditions
    taken = patient.drugs(wanted.drugs)[:1]
    if not taken:
        return
    yield from _out_of_bounds(row, wanted, taken[0], patient)
    yield from _overdue(row, wanted, taken[0], patient)


def _out_of_bounds(row: Row, wanted: Conditions, drug: Taken, patient: Patient) -> Iterator[Finding]:
    days = round((wanted.months or _A_YEAR) * DAYS_A_MONTH)
    newest = patient.newest(wanted.results, days) if wanted.results else None
    value = value_in(newest, wanted.unit) if newest and wanted.unit else None
    if newest is None or value is None:
        return
    if (wanted.low is not None and value <= wanted.low) or (wanted.high is not None and value >= wanted.high):
        taken = wording.taken(patient.sources, drug.fact, wanted.drugs)
        while_ = (*taken, *wording.WHILE, *wording.measured(newest, capital=False))
        subject = wording.ids((drug.fact, newest))
        yield Finding(row, wording.statement(row, while_), subject, narrowness(wanted.drugs, drug.names))


def _overdue(row: Row, wanted: Conditions, drug: Taken, patient: Patient) -> Iterator[Finding]:
    if not wanted.months or patient.days_since(drug.fact) <= _STARTED:
        return
    newest = due.done(patient, wanted.done, wanted.results)
    if not due.is_over(patient, newest, wanted.months):
        return
    taken = wording.taken(patient.sources, drug.fact, wanted.drugs)
    narrow = narrowness(wanted.drugs, drug.names)
    yield due.finding(row, patient, wanted.label, newest, taken, narrow=narrow)


FAMILY = Family("monitoring", "a drug that needs a result every so many months, with its bounds", Conditions, evaluate)
