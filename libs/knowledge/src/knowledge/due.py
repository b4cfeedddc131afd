"""What is to be done some day: whom it concerns, what counts as done and for how long, and how it is told."""

from collections.abc import Sequence

from grounding import facts
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from knowledge import wording
from knowledge.finding import Finding
from knowledge.record import DAYS_A_MONTH, Patient
from knowledge.row import Row
from knowledge.terms import Results, Vaccines


def done(patient: Patient, words: Sequence[str], results: Results | None = None) -> ClinicalFact | None:
    """The newest entry whose name holds one of these words, or that is one of these results."""
    newest = patient.newest(results) if results else None
    named = [fact for name, fact in patient.done.items() if any(each in name for each in words)] if words else []
    return max((each for each in (newest, *named) if each), key=facts.in_time, default=None)


def given(patient: Patient, vaccines: Vaccines) -> tuple[ClinicalFact, ...]:
    """Doses of a vaccine that protects from one of these, oldest first."""
    wanted = {names.of_vaccine(each) for each in vaccines.antigens}
    doses = patient.sources.of_kind(pb.FACT_KIND_IMMUNIZATION)
    own = (each for each in doses if facts.starts_on(each) and not wanted.isdisjoint(names.keys_of(each)))
    return tuple(sorted((each for each in own if not facts.is_absent(each)), key=facts.in_time))


def is_over(patient: Patient, last: ClinicalFact | None, months: int) -> bool:
    """Whether it was never done, or longer ago than so many months (0: once is enough)."""
    return last is None or bool(months and patient.days_since(last) > months * DAYS_A_MONTH)


def has_any(patient: Patient, words: Sequence[str]) -> bool:
    """Whether a problem or procedure, also of the past, has one of these words in its name."""
    return any(word in name for word in words for name in patient.past)


def finding(
    row: Row, patient: Patient, label: str, last: ClinicalFact | None, *lead: wording.Parts, narrow: int = 0
) -> Finding:
    """`Problem: ... . The last HbA1c was ... on ... . “...”` Without a label nothing is said of what is missing, and
    without all of it the age.
    """
    sentences = [*lead, *((wording.last(last, label),) if last or label else ())]
    born = patient.sources.birth_date()
    if not sentences and born:
        sentences.append(wording.age(born))
    told = wording.statement(row, *sentences, kind=wording.due_kind(last), also=wording.searched(patient.sources, last))
    return Finding(row, told, frozenset((label or row.id,)), narrow or len(lead), due=True)
