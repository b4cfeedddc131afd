"""Problems: what a code of SNOMED CT, ICD-9-CM, ICD-10 or ICD-10-CM says a patient has, and which families hold it.

Guarantee: a code that neither a book nor a row knows is no problem, whatever its display; a display counts only where
there is no code of a known system. No family is stronger than the code: a suspicion is in none.
"""

from dataclasses import dataclass
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import coding_systems, families, icd10cm, tables
from terminology.concepts import ICD9CM, ICD10, ICD10CM, words
from terminology.families import Family, mentions, named

__all__ = ["Family", "Problem", "families_of", "mentions", "named", "of", "short_name"]

COLUMNS = ("system", "code", "display", "kind", "families", "source")
_CATEGORY = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """What a code says. `families` are the ids of the narrowest families that hold it; `kind` is SNOMED CT's tag."""

    system: str
    code: str
    display: str
    kind: str = "disorder"
    families: tuple[str, ...] = ()


def of(concept: CodedConcept) -> Problem | None:
    """The problem that a concept is; None when it is not known."""
    if concept.code and (row := _rows().get((concept.system, concept.code))):
        return row
    match concept.system:
        case _ if not concept.code or not coding_systems.known(concept.system):
            return _by_words(concept)
        case s if s == ICD10CM:
            return _of_book(concept)
        case s if s == ICD10:
            return _of_category(concept)
        case s if s == ICD9CM:
            return _of_prefix(concept)
    return None


def families_of(concept: CodedConcept) -> tuple[Family, ...]:
    """Every family that holds a concept, the narrowest first; none when it is not known."""
    problem = of(concept)
    return families.with_wider(problem.families) if problem else ()


def short_name(concept: CodedConcept) -> str:
    """What a reader calls it: the words of a known problem, else those that were sent, else the code."""
    problem = of(concept)
    return (problem.display if problem else "") or concept.display or concept.code


def _of_book(concept: CodedConcept) -> Problem | None:
    display = icd10cm.describe(concept.code)
    ids = families.by_prefix("icd10cm", icd10cm.normal(concept.code))
    return Problem(ICD10CM, concept.code, display, families=ids) if display else None


def _of_category(concept: CodedConcept) -> Problem | None:
    """ICD-10 of the WHO shares its categories with ICD-10-CM, but not what stands behind the point."""
    category = icd10cm.normal(concept.code)[:_CATEGORY]
    display = concept.display or icd10cm.describe(category)
    ids = families.by_prefix("icd10cm", category)
    return Problem(ICD10, concept.code, display, families=ids) if icd10cm.describe(category) else None


def _of_prefix(concept: CodedConcept) -> Problem | None:
    """A code of ICD-9-CM, whose book is not at hand, is known as a member of a family only."""
    ids = families.by_prefix("icd9cm", concept.code.replace(".", ""))
    name = concept.display or (families.known()[ids[0]].name if ids else "")
    return Problem(ICD9CM, concept.code, name, families=ids) if ids else None


def _by_words(concept: CodedConcept) -> Problem | None:
    if row := _by_display().get(words(concept.display)):
        return Problem(concept.system, concept.code, concept.display, row.kind, row.families)
    ids = families.by_name(concept.display)
    return Problem(concept.system, concept.code, concept.display, families=ids) if ids else None


@cache
def _rows() -> dict[tuple[str, str], Problem]:
    rows = tables.index(tables.read("problems", COLUMNS), "system", "code").values()
    problems = (
        Problem(coding_systems.uri(row["system"]), row["code"], row["display"], row["kind"], row.several("families"))
        for row in rows
    )
    return {(problem.system, problem.code): problem for problem in problems}


@cache
def _by_display() -> dict[str, Problem]:
    return {words(problem.display): problem for problem in _rows().values()}
