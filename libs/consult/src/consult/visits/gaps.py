"""Care gaps: what a guideline or label asks for at this age, with these problems and drugs, and the record has not, or
no more. Rows of `data/gaps.tsv`, and of screening those of `terminology.screenings`.

Guarantee: each is told with the last time it was done and in the words of the passage that asks for it; without the
passage nothing is said, and nothing where the passage asks for nothing but offers it (grade C).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from grounding import Sources, Statement, facts, keys
from grounding.formula import Sex
from grounding.kinds import evidence
from grounding.reading import names
from grounding.statements import Day, Label, Name, Part, Value, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, families, screenings, tables
from terminology.screenings import Screening

from consult.answering.reconciliation import Reconciled
from consult.context.relevance import terms

_COLUMNS = ("due", "problems", "drugs", "ages", "done", "unless", "passage", "terms")
# Grades of recommendations that ask for something; passages without a grade are no recommendations of that kind.
_OFFERED = frozenset("CDI")
_LOINC = re.compile(r"\d+-\d")
_VACCINE = "vaccine-"
_DAYS_A_MONTH = 30.44
_DONE_KINDS = (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_RESULT, pb.FACT_KIND_IMMUNIZATION, pb.FACT_KIND_DOCUMENT)


@dataclass(frozen=True, slots=True)
class Due:
    """A row: whom it concerns, what meets it for how many months (0: for ever), and the passage that says so."""

    due: str
    problems: tuple[str, ...]
    drugs: tuple[str, ...]
    ages: tuple[int, int] | None
    sexes: tuple[str, ...]
    done: tuple[tuple[str, int], ...]
    unless: tuple[str, ...]
    passage: str
    terms: str


@dataclass(frozen=True, slots=True)
class Patient:
    """What decides whom a row concerns. `past`: also what is over."""

    age: int | None
    sex: str
    active: Sequence[ClinicalFact]
    past: Sequence[ClinicalFact]
    drugs: Sequence[Reconciled]


def gaps(active: Sequence[ClinicalFact], drugs: Sequence[Reconciled], sources: Sources) -> list[Statement]:
    """What is due, of drugs and problems first; a thing once, and what one passage asks for together."""
    patient = _patient(active, drugs, sources)
    due: dict[str, list[Due]] = {}
    told: set[str] = set()
    for row in _rows():
        wanted = row.due not in told and _is_asked_for(row, sources) and _concerns(row, patient)
        if wanted and _is_missing(row, sources):
            told.add(row.due)
            due.setdefault(row.passage, []).append(row)
    return [_statement(rows, sources) for rows in due.values()]


def _is_asked_for(row: Due, sources: Sources) -> bool:
    return sources.has_passage(row.passage) and sources.passage(row.passage).grade not in _OFFERED


def covered(sources: Sources) -> frozenset[str]:
    """What rows here know and have the passage for, whether it is due or not."""
    return frozenset(row.due for row in _rows() if _is_asked_for(row, sources))


def _is_missing(row: Due, sources: Sources) -> bool:
    last = _last(row, sources)
    return last is None or _is_over(last, row, sources.today)


def passages() -> Mapping[str, str]:
    """The passages that rows quote, and the terms that find each."""
    return {row.passage: row.terms for row in _rows()}


@cache
def _rows() -> tuple[Due, ...]:
    """Those of problems and drugs first."""
    own = map(_due, tables.read("gaps", _COLUMNS, files("consult.visits") / "data"))
    return tuple(sorted((*map(_screened, screenings.known()), *own), key=lambda row: not (row.problems or row.drugs)))


def _due(row: tables.Row) -> Due:
    first, _, last = row["ages"].partition("-")
    return Due(
        row["due"],
        row.several("problems"),
        row.several("drugs"),
        (int(first), int(last)) if first else None,
        (),
        tuple(map(screenings.done, row.several("done"))),
        row.several("unless"),
        row["passage"],
        row["terms"],
    )


def _screened(row: Screening) -> Due:
    ages = (row.first, row.last)
    return Due(row.told, row.problems, (), ages, row.sexes, row.done, row.unless, row.passage, row.terms)


def _patient(active: Sequence[ClinicalFact], drugs: Sequence[Reconciled], sources: Sources) -> Patient:
    past = [each for each in sources.of_kind(pb.FACT_KIND_PROBLEM, pb.FACT_KIND_PROCEDURE) if not facts.is_absent(each)]
    sex = sources.administrative_sex()
    return Patient(sources.age(), sex or "", active, past, drugs)


def _concerns(row: Due, patient: Patient) -> bool:
    if any(_is(each, row.unless) for each in patient.past):
        return False
    if row.sexes and set(row.sexes) < set(Sex) and patient.sex not in row.sexes:
        return False
    if row.ages and (patient.age is None or not row.ages[0] <= patient.age <= row.ages[1]):
        return False
    if not (row.problems or row.drugs):
        return True
    return any(_is(each, row.problems) for each in patient.active) or any(
        _is_drug(each, row.drugs) for each in patient.drugs
    )


def _is(fact: ClinicalFact, wanted: Iterable[str]) -> bool:
    """By a family of problems, or where it is none, by a word of the name."""
    own, name = names.families_among(names.keys_of(fact)), facts.name_of(fact).casefold()
    return any(each in own if each in families.known() else each in name for each in wanted)


def _is_drug(drug: Reconciled, wanted: Sequence[str]) -> bool:
    return drug.is_in_use and not areas.names_in_rows(facts.about(drug.newest)).isdisjoint(wanted)


def _last(row: Due, sources: Sources) -> ClinicalFact | None:
    """The newest entry that meets it, the one that meets it longest first among those of a day."""
    done = [each for each in sources.of_kind(*_DONE_KINDS) if facts.starts_on(each) and _months(each, row) is not None]
    return max(done, key=lambda each: (facts.in_time(each)[0], each.kind != pb.FACT_KIND_RESULT), default=None)


def _is_over(last: ClinicalFact, row: Due, today: date) -> bool:
    months, day = _months(last, row), facts.starts_on(last)
    return bool(months) and day is not None and (today - day).days > (months or 0) * _DAYS_A_MONTH


def _months(fact: ClinicalFact, row: Due) -> int | None:
    """For how long the entry meets it, 0 for ever; None where it does not."""
    return next((months for what, months in row.done if _meets(what)(fact)), None)


@cache
def _meets(what: str) -> Callable[[ClinicalFact], bool]:
    if _LOINC.fullmatch(what):
        key = keys.of_loinc(what)
        return lambda fact: fact.kind == pb.FACT_KIND_RESULT and key in facts.keys(fact)
    if what.startswith(_VACCINE):
        vaccine = names.of_vaccine(what.removeprefix(_VACCINE))
        return lambda fact: fact.kind == pb.FACT_KIND_IMMUNIZATION and vaccine in names.keys_of(fact)
    return lambda fact: fact.kind != pb.FACT_KIND_IMMUNIZATION and what in facts.name_of(fact).casefold()


def _statement(rows: Sequence[Due], sources: Sources) -> Statement:
    """`Mammography was last done on 2019-03-04. “Women aged ...” (USPSTF, grade B)`."""
    lasts = [_last(row, sources) for row in rows]
    told = join("; ", (_told(row, last, first=row is rows[0]) for row, last in zip(rows, lasts, strict=True)))
    guidance = (Words(". "), *evidence.quotation(sources, rows[0].passage, _words(rows[0])))
    # That a thing is nowhere rests on the whole record: on its newest entry.
    searched = () if all(lasts) else tuple(each.fact_id for each in sources.current[-1:])
    kinds = {pb.FACT_KIND_RESULT: wire.STATEMENT_KIND_LATEST}
    kind = kinds.get(lasts[0].kind, wire.STATEMENT_KIND_EVENT) if lasts[0] else wire.STATEMENT_KIND_ABSENCE
    return Statement(kind, (*told, *guidance), searched)


def _told(row: Due, last: ClinicalFact | None, *, first: bool) -> tuple[Part, ...]:
    if last is None:
        return (Words("No " if first else "no "), Label(row.due), Words(" was found in the record"))
    on = (Words(" on "), Day(last.fact_id))
    if last.kind == pb.FACT_KIND_RESULT:
        return (
            Words("The last " if first else "the last "),
            Name(last.fact_id),
            Words(" was "),
            Value(last.fact_id, rounded=True),
            *on,
        )
    done = " was last given" if last.kind == pb.FACT_KIND_IMMUNIZATION else " was last done"
    return (Name(last.fact_id, capital=first), Words(done), *on)


def _words(row: Due) -> tuple[str, ...]:
    return tuple(sorted({*terms(row.terms), *row.terms.casefold().split()}))
