"""Critical values: results at or beyond a limit at which a laboratory telephones."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from grounding import facts
from grounding.statements import Words
from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge import wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient, value_in
from knowledge.row import Row
from knowledge.terms import Ages, Results

# How long the newest value stays news.
RECENT = 30


@dataclass(frozen=True, slots=True)
class Conditions:
    """The newest of `results`, not older than `days`, is at or below `low` or at or above `high`, in `unit`."""

    results: Results
    unit: str
    low: Decimal | None = None
    high: Decimal | None = None
    days: int = RECENT
    ages: Ages | None = None

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError("has neither “low” nor “high”")

    def holds(self, value: Decimal) -> bool:
        return (self.low is not None and value <= self.low) or (self.high is not None and value >= self.high)


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The newest value, where it is critical."""
    wanted: Conditions = row.conditions
    newest = _newest(wanted, patient)
    value = value_in(newest, wanted.unit) if newest else None
    if newest is None or value is None or (wanted.ages and not wanted.ages.holds(patient.age)):
        return
    if wanted.holds(value):
        told = (Words("Critical value: "), *wording.measured(newest, capital=False))
        yield Finding(row, wording.statement(row, told), wording.ids((newest,)))


def _newest(wanted: Conditions, patient: Patient) -> ClinicalFact | None:
    """The newest, one beyond what the laboratory measures (`<2.0`) included."""
    listed = [fact for code in wanted.results.codes for fact in patient.sources.measured(code)]
    newest = max(listed, key=facts.in_time, default=None)
    return newest if newest and patient.days_since(newest) <= wanted.days else None


FAMILY = Family("criticals", "results at or beyond a critical limit", Conditions, evaluate)
