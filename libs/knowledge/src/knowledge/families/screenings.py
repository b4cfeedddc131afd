"""Screening that is due by age, sex and risk."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge import due, wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient
from knowledge.row import Row
from knowledge.terms import Ages, Problems, Results, Sex


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of `ages`, and where they are named of `sex` and with one of `problems` (`past`: or of the past), what is called
    `label`: an entry with one of the words `done` or one of `results`, every `months` (0: once). `without`: not with
    these problems, `unless`: not with these words in a problem or procedure.
    """

    ages: Ages
    label: str = ""
    done: tuple[str, ...] = ()
    results: Results | None = None
    months: int = 0
    sex: Sex | None = None
    problems: Problems | None = None
    past: bool = False
    without: Problems | None = None
    unless: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.results or self.done):
            raise ValueError("has neither “results” nor “done”")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """What is due, with the risk that asks for it."""
    wanted: Conditions = row.conditions
    if not wanted.ages.holds(patient.age) or (wanted.sex and patient.sex != wanted.sex):
        return
    problem = patient.problem(wanted.problems, ended=wanted.past) if wanted.problems else None
    if (wanted.problems and problem is None) or (wanted.without and patient.problem(wanted.without, ended=True)):
        return
    last = due.done(patient, wanted.done, wanted.results)
    if due.is_over(patient, last, wanted.months) and not due.has_any(patient, wanted.unless):
        lead = (wording.has(patient.sources, problem),) if problem else ()
        yield due.finding(row, patient, wanted.label, last, *lead)


FAMILY = Family("screenings", "screening that is due by age, sex and risk", Conditions, evaluate)
