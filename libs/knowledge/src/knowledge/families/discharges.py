"""A stay in hospital after which something was not done: medicines not put in order, nobody seen."""

from collections.abc import Iterator
from dataclasses import dataclass

from grounding import facts
from grounding.statements import Day, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge import due, wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient
from knowledge.row import Row
from knowledge.terms import Drugs, Problems, Results

# A stay is longer than a visit.
_NIGHTS = 1


@dataclass(frozen=True, slots=True)
class Conditions:
    """A stay of a night or more that ended more than `days` and at most `at_most` days ago, and since then no entry
    with one of the words `done` and none of `results`. `drugs`, `problems`: only with one of these; `visited`: a
    later visit counts as done.
    """

    days: int
    at_most: int
    done: tuple[str, ...] = ()
    results: Results | None = None
    drugs: Drugs | None = None
    problems: Problems | None = None
    visited: bool = False

    def __post_init__(self) -> None:
        if self.days >= self.at_most:
            raise ValueError("“days” must be less than “at_most”")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The newest stay, where nothing followed."""
    wanted: Conditions = row.conditions
    stay = _last_stay(patient)
    ended = facts.ends_on(stay) if stay else None
    if stay is None or ended is None or not wanted.days < (patient.today - ended).days <= wanted.at_most:
        return
    if (wanted.drugs and not patient.drugs(wanted.drugs)) or (wanted.problems and not patient.problem(wanted.problems)):
        return
    if not _followed(wanted, stay, patient):
        left = (Words("The patient was discharged on "), Day(stay.fact_id, end=True))
        told = wording.statement(row, left, kind=wire.STATEMENT_KIND_EVENT)
        yield Finding(row, told, wording.ids((stay,)) | {row.id}, due=True)


def _last_stay(patient: Patient) -> ClinicalFact | None:
    stays = [each for each in patient.sources.encounters() if _is_stay(each)]
    return max(stays, key=lambda each: each.valid_to.seconds, default=None)


def _is_stay(fact: ClinicalFact) -> bool:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    return start is not None and end is not None and (end - start).days >= _NIGHTS


def _followed(wanted: Conditions, stay: ClinicalFact, patient: Patient) -> bool:
    ended = facts.ends_on(stay)
    last = due.done(patient, wanted.done, wanted.results)
    since = facts.starts_on(last) if last else None
    if since and ended and since >= ended:
        return True
    later = (facts.starts_on(each) for each in patient.sources.of_kind(pb.FACT_KIND_ENCOUNTER) if each != stay)
    return wanted.visited and any(day and ended and day > ended for day in later)


FAMILY = Family("discharges", "a stay in hospital that nothing followed", Conditions, evaluate)
