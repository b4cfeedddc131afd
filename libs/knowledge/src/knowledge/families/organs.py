"""A drug and its dose by kidney and liver function, and by other results of the blood."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from longitude.record.v1.fact_pb2 import FACT_KIND_RESULT
from terminology.loinc import EGFR

from knowledge import wording
from knowledge.families.interactions import MOST, narrowness
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient, value_in
from knowledge.row import Row
from knowledge.terms import Bounded, Drugs, Results

# Days for which a result says how an organ works.
_DAYS = 400


@dataclass(frozen=True, slots=True)
class Conditions(Bounded):
    """A drug of `drugs` while the newest of `results` is `below` a value or `at_least` one, in `unit`; not older than
    `days`. The eGFR is the recorded one, or where creatinine is newer that of the creatinine.
    """

    drugs: Drugs
    results: Results
    unit: str
    below: Decimal | None = None
    at_least: Decimal | None = None
    days: int = _DAYS

    def __post_init__(self) -> None:
        if not self.is_bounded:
            raise ValueError("has neither “below” nor “at_least”")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """Each drug that is taken, or that is asked about, beside the result."""
    wanted: Conditions = row.conditions
    if not (patient.drugs(wanted.drugs) or patient.asks_about(wanted.drugs)):
        return
    shown = _shown(wanted, patient)
    if shown is None:
        return
    result, ids = shown
    for drug in patient.drugs(wanted.drugs)[:MOST]:
        taken = wording.taken(patient.sources, drug.fact, wanted.drugs)
        while_ = (*taken, *wording.WHILE, *result)
        subject = frozenset((drug.fact.fact_id, *ids))
        yield Finding(row, wording.statement(row, while_), subject, narrowness(wanted.drugs, drug.names))
    for asked in patient.asks_about(wanted.drugs)[:MOST]:
        told = wording.statement(row, wording.capitalised(result))
        narrow = narrowness(wanted.drugs, asked.names)
        yield Finding(row, told, frozenset((asked.name, *ids)), narrow, asked=(asked.name,))


def _shown(wanted: Conditions, patient: Patient) -> tuple[wording.Parts, tuple[str, ...]] | None:
    """How the result is told, and the facts that it rests on; None where it is not as the row wants it."""
    if EGFR in wanted.results.codes:
        kidneys = patient.kidneys
        if kidneys is None or not wanted.holds(Decimal(str(kidneys.value))):
            return None
        told = [patient.sources.fact(each) for each in kidneys.fact_ids]
        is_recent = any(each.kind == FACT_KIND_RESULT and patient.days_since(each) <= wanted.days for each in told)
        return (wording.kidneys(kidneys), kidneys.fact_ids) if is_recent else None
    newest = patient.newest(wanted.results, wanted.days)
    value = value_in(newest, wanted.unit) if newest else None
    if newest is None or value is None or not wanted.holds(value):
        return None
    return wording.measured(newest, capital=False), (newest.fact_id,)


FAMILY = Family("organs", "a drug and its dose by kidney and liver function", Conditions, evaluate)
