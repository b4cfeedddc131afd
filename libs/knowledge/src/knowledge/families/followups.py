"""An abnormal result after which nothing followed that should have."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge import due, wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient, value_in
from knowledge.row import Row
from knowledge.terms import Ages, Bounded, Problems, Results, Sex

# Days after which an old result is history.
_HISTORY = 730


@dataclass(frozen=True, slots=True)
class Conditions(Bounded):
    """The newest of `results` is `below` or `at_least` so much, in `unit`, for longer than `days` (and less than two
    years), and behind it stands none of the results `then` and no entry with one of the words `done`. `without`: not
    with these problems, `ages` and `sex` where they are named.
    """

    results: Results
    unit: str
    days: int
    below: Decimal | None = None
    at_least: Decimal | None = None
    then: Results | None = None
    done: tuple[str, ...] = ()
    without: Problems | None = None
    ages: Ages | None = None
    sex: Sex | None = None

    def __post_init__(self) -> None:
        if not self.is_bounded:
            raise ValueError("has neither “below” nor “at_least”")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The abnormal result."""
    wanted: Conditions = row.conditions
    newest = patient.newest(wanted.results, _HISTORY)
    value = value_in(newest, wanted.unit) if newest else None
    if newest is None or value is None or not wanted.holds(value) or patient.days_since(newest) <= wanted.days:
        return
    if (wanted.sex and patient.sex != wanted.sex) or (wanted.ages and not wanted.ages.holds(patient.age)):
        return
    if wanted.without and patient.problem(wanted.without, ended=True):
        return
    if not _followed(wanted, newest, patient):
        kind = wording.due_kind(newest)
        told = wording.statement(row, wording.measured(newest), kind=kind)
        yield Finding(row, told, wording.ids((newest,)), due=True)


def _followed(wanted: Conditions, newest: ClinicalFact, patient: Patient) -> bool:
    """Whether something stands behind it, or on its day."""
    last = due.done(patient, wanted.done, wanted.then)
    return last is not None and patient.days_since(last) <= patient.days_since(newest)


FAMILY = Family("followups", "abnormal results without follow-up", Conditions, evaluate)
