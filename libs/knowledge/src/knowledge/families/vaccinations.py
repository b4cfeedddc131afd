"""Vaccinations that are due by age and illness."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge import due, wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient
from knowledge.row import Row
from knowledge.terms import Ages, Problems, Sex, Vaccines


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of `ages`, and where they are named with one of `problems` or of `sex`: at least `doses` of a vaccine that
    protects from one of `vaccines`, called `label`, the last not longer ago than `months` (0: for ever).
    """

    vaccines: Vaccines
    label: str
    ages: Ages
    problems: Problems | None = None
    sex: Sex | None = None
    months: int = 0
    doses: int = 1
    without: Problems | None = None


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """What is due, with the illness that asks for it."""
    wanted: Conditions = row.conditions
    if not wanted.ages.holds(patient.age) or (wanted.sex and patient.sex != wanted.sex):
        return
    problem = patient.problem(wanted.problems) if wanted.problems else None
    if (wanted.problems and problem is None) or (wanted.without and patient.problem(wanted.without)):
        return
    given = due.given(patient, wanted.vaccines)
    last = given[-1] if given else None
    if len(given) < wanted.doses or due.is_over(patient, last, wanted.months):
        lead = (wording.has(patient.sources, problem),) if problem else ()
        yield due.finding(row, patient, wanted.label, last, *lead)


FAMILY = Family("vaccinations", "vaccinations that are due by age and illness", Conditions, evaluate)
