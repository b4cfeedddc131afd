"""A drug against a problem, pregnancy, age or sex of the patient."""

from collections.abc import Iterator
from dataclasses import dataclass

from longitude.record.v1.fact_pb2 import FACT_KIND_RESULT, ClinicalFact

from knowledge import wording
from knowledge.families.interactions import MOST, narrowness
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient
from knowledge.row import Row
from knowledge.terms import Ages, ChildPugh, Drugs, Problems, Sex


@dataclass(frozen=True, slots=True)
class Conditions:
    """A drug of `drugs` in somebody who has one of `problems` (`past`: or had), is of `ages` and of `sex`; `without`:
    not with one of these problems; `child_pugh`: whose bilirubin, albumin and INR alone reach this class.
    """

    drugs: Drugs
    problems: Problems | None = None
    past: bool = False
    ages: Ages | None = None
    sex: Sex | None = None
    without: Problems | None = None
    child_pugh: ChildPugh | None = None

    def __post_init__(self) -> None:
        if not (self.problems or self.ages):
            raise ValueError("names neither problems nor ages")
        if self.child_pugh and not self.problems:
            raise ValueError("has “child_pugh” without a problem of the liver")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """Each drug that is taken, or that is asked about, beside the problem and the age."""
    wanted: Conditions = row.conditions
    against = _against(wanted, patient)
    if against is None:
        return
    sentences = tuple(_told(each, wanted, patient) for each in against)
    # A class of Child-Pugh is nearer than the problem alone, of which it is.
    about = wording.ids(each for each in against if each.kind != FACT_KIND_RESULT)
    nearer = 1 if wanted.child_pugh else 0
    for drug in patient.drugs(wanted.drugs)[:MOST]:
        told = wording.statement(row, wording.taken(patient.sources, drug.fact, wanted.drugs), *sentences)
        narrow = narrowness(wanted.drugs, drug.names) + nearer
        yield Finding(row, told, about | {drug.fact.fact_id}, narrow)
    for asked in patient.asks_about(wanted.drugs)[:MOST]:
        narrow = narrowness(wanted.drugs, asked.names) + nearer
        yield Finding(row, wording.statement(row, *sentences), about | {asked.name}, narrow, asked=(asked.name,))


def _against(wanted: Conditions, patient: Patient) -> tuple[ClinicalFact, ...] | None:
    """The problem, the birth date and the results that speak against it; None unless all do."""
    liver = patient.liver if wanted.child_pugh else None
    if wanted.child_pugh and (liver is None or liver.points < wanted.child_pugh.points):
        return None
    if wanted.without and patient.problem(wanted.without, ended=True):
        return None
    if (wanted.sex and patient.sex != wanted.sex) or (wanted.ages and not wanted.ages.holds(patient.age)):
        return None
    problem = patient.problem(wanted.problems, ended=wanted.past) if wanted.problems else None
    born = patient.sources.birth_date() if wanted.ages else None
    if (wanted.problems and problem is None) or (wanted.ages and born is None):
        return None
    return (*(each for each in (problem, born) if each), *(liver.results if liver else ()))


def _told(fact: ClinicalFact, wanted: Conditions, patient: Patient) -> wording.Parts:
    if wanted.ages and fact == patient.sources.birth_date():
        return wording.age(fact)
    if fact.kind == FACT_KIND_RESULT:
        return wording.measured(fact)
    return wording.has(patient.sources, fact)


FAMILY = Family("contraindications", "a drug against a problem, pregnancy, age or sex", Conditions, evaluate)
