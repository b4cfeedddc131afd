"""Courses of a record: facts of one kind about one concept, and which of them serve where a record is too long for all.

Every course gives as many facts as fit for all (`depth`): the newest and, of what is cut, the oldest. What is in force
has a course of its own, so that no number of later doses of the same drug hides it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from consult import concepts
from grounding.facts import organism
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_DEMOGRAPHIC,
    FACT_KIND_DOCUMENT,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_STATUS_ENDED,
    ClinicalFact,
)

from memory.domain.timeline import Entry

# The most facts that a context pack is made from, beside those that its notes and contradictions name.
MOST = 1_000
# What must not be missed comes first where there are more courses than facts that fit.
FIRST = (FACT_KIND_ALLERGY, FACT_KIND_PROBLEM, FACT_KIND_MEDICATION, FACT_KIND_DEMOGRAPHIC)
_LASTING = (FACT_KIND_ALLERGY, FACT_KIND_PROBLEM, FACT_KIND_MEDICATION)
# Characters of a name that are kept: a feed may send any number.
_LONGEST = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Course:
    """Facts of one kind about one concept (`concept_of`): how many, and since when the newest is known to hold."""

    kind: int
    concept: str
    many: int
    newest: datetime


def concept_of(fact: ClinicalFact) -> str:
    """What the facts of a course share beside their kind: `system|code`, else the name; organism; whether in force.

    Never the same for facts that `consult.concepts.key` tells apart, but for names that are longer than what is kept.
    """
    code = fact.code
    coded = f"{code.system}|{code.code}" if code.code else f"|{concepts.name(fact).casefold()}"
    is_open = fact.kind in _LASTING and fact.status != FACT_STATUS_ENDED and not fact.HasField("valid_to")
    return "|".join([coded[:_LONGEST], organism(fact)[:_LONGEST], "open" if is_open else ""])


def chosen(standing: Sequence[Entry], most: int | None = MOST) -> list[Entry]:
    """At most `most` of what stands (None: the newest of each course), in the same order; the database chooses alike
    (`adapters.postgres.entries`).
    """
    of: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in sorted(standing, key=lambda each: (each.since, each.fact.fact_id)):
        of[entry.fact.kind, concept_of(entry.fact)].append(entry)
    shown, deep = depth(
        [Course(*about, len(course), course[-1].since) for about, course in of.items()],
        len(of) if most is None else most,
    )
    kept = {id(entry) for each in shown for entry in cut(of[each.kind, each.concept], deep)}
    return [entry for entry in standing if id(entry) in kept]


def is_named(fact: ClinicalFact, fact_ids: Container[str], document_ids: Container[str]) -> bool:
    """Whether this is one of the facts, or the statement of one of the documents itself."""
    return fact.fact_id in fact_ids or (fact.kind == FACT_KIND_DOCUMENT and fact.source.document_id in document_ids)


def depth(courses: Sequence[Course], most: int) -> tuple[list[Course], int]:
    """The courses that are shown at all, and how many facts of each: together at most `most`."""
    shown = sorted(courses, key=lambda each: (each.kind not in FIRST, -each.newest.timestamp(), each))[:most]
    counts = [each.many for each in shown]
    return shown, bisect_right(range(1, most + 1), most, key=lambda deep: sum(min(many, deep) for many in counts))


def cut(course: Sequence[T], deep: int) -> list[T]:
    """At most `deep` facts of a course that comes from old to new: the newest, and the oldest where several fit."""
    if len(course) <= deep:
        return list(course)
    return [*course[:1], *course[1 - deep :]] if deep > 1 else list(course[-1:])
