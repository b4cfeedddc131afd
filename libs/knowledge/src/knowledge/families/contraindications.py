"""A drug against a problem, pregnancy, age or sex of the patient, and above its highest dose."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from longitude.record.v1.fact_pb2 import FACT_KIND_RESULT, ClinicalFact

from knowledge import wording
from knowledge.families.interactions import MOST, narrowness
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient, Taken, daily_dose
from knowledge.row import Row
from knowledge.terms import Ages, ChildPugh, Drugs, Problems, Sex


@dataclass(frozen=True, slots=True)
class Conditions:
    """A drug of `drugs` in somebody who has one of `problems` (`past`: or had), is of `ages` and of `sex`; `without`:
    not with one of these problems; `child_pugh`: whose bilirubin, albumin and INR alone reach this class; `above`: who
    takes more than so many mg of it a day.
    """

    drugs: Drugs
    problems: Problems | None = None
    past: bool = False
    ages: Ages | None = None
    sex: Sex | None = None
    without: Problems | None = None
    child_pugh: ChildPugh | None = None
    above: Decimal | None = None

    def __post_init__(self) -> None:
        if not (self.problems or self.ages or self.above):
            raise ValueError("names neither problems nor ages nor a dose")
        if self.child_pugh and not self.problems:
            raise ValueError("has “child_pugh” without a problem of the liver")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """Each drug that is taken, or that is asked about, beside the problem and the age."""
    wanted: Conditions = row.conditions
    if not (patient.drugs(wanted.drugs) or patient.asks_about(wanted.drugs)):
        return
    against = _against(wanted, patient)
    if against is None:
        return
    sentences = tuple(_told(each, wanted, patient) for each in against)
    # A class of Child-Pugh is nearer than the problem alone, of which it is.
    about = wording.ids(each for each in against if each.kind != FACT_KIND_RESULT)
    nearer = 1 if wanted.child_pugh else 0
    told_of = (each for each in patient.drugs(wanted.drugs) if _is_meant(each, wanted))
    for drug in tuple(told_of)[:MOST]:
        taken = wording.taken(patient.sources, drug.fact, wanted.drugs, dose=wanted.above is not None)
        told = wording.statement(row, taken, *sentences)
        narrow = narrowness(wanted.drugs, drug.names) + nearer
        yield Finding(row, told, about | {drug.fact.fact_id}, narrow)
    for asked in patient.asks_about(wanted.drugs)[: MOST if wanted.above is None else 0]:
        narrow = narrowness(wanted.drugs, asked.names) + nearer
        yield Finding(row, wording.statement(row, *sentences), about | {asked.name}, narrow, asked=(asked.name,))


def _is_meant(drug: Taken, wanted: Conditions) -> bool:
    dose = daily_dose(drug) if wanted.above is not None else None
    return wanted.above is None or (dose is not None and dose > wanted.above)


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


FAMILY = Family("contraindications", "a drug against a problem, pregnancy, age, sex or dose", Conditions, evaluate)
