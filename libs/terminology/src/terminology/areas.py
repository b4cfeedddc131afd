"""Areas of medicine: the problems, results, drugs and procedures that physicians look at together, on which occasions
they look at others, and what is looked at before a drug is given.

Rows of `data/areas.tsv`, `data/occasions.tsv`, `data/suitability.tsv`, `data/moved_by_any.tsv` and
`data/same_answers.tsv`. An area is no diagnosis and no advice: it says what belongs beside what when one of it is
asked for.
"""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from terminology import tables
from terminology.drug_classes import DrugClass
from terminology.drugs import Ingredient

SUITABILITY = ("class", "results", "problems", "beside", "source")
MOVED_BY_ANY = ("class", "results", "source")
SAME_ANSWERS = ("question", "results", "source")
COLUMNS = ("area", "words", "problems", "results", "classes", "drugs", "procedures", "source")


@dataclass(frozen=True, slots=True)
class Area:
    """`problems` are family ids or words of names; `results` LOINC codes, the most telling first; `classes` ids of drug
    classes; `drugs` names of ingredients; `procedures` words of names.
    """

    id: str
    words: tuple[str, ...]
    problems: tuple[str, ...]
    results: tuple[str, ...]
    classes: tuple[str, ...]
    drugs: tuple[str, ...]
    procedures: tuple[str, ...]


@cache
def known() -> dict[str, Area]:
    """All areas by their id."""
    return _read("areas", COLUMNS)


@cache
def occasions() -> dict[str, Area]:
    """By their id: complaints, what is to be done, and circumstances. They are known by words alone."""
    return _read("occasions", ("occasion", *COLUMNS[1:]))


def _read(table: str, columns: tuple[str, ...]) -> dict[str, Area]:
    rows = tables.read(table, columns)
    by = columns[0]
    tables.index(rows, by)
    return {row[by]: Area(row[by], *(row.several(column) for column in columns[1:-1])) for row in rows}


def is_given_for(area: Area, drug: "Drug") -> bool:
    """Whether a drug is one of those of an area, by its class or by name."""
    by_class = any(each.id in area.classes for each in drug.classes)
    return by_class or any(each.name.casefold() in area.drugs for each in drug.ingredients)


def names_in_rows(drug: "Drug") -> frozenset[str]:
    """As what rows of tables name a drug: the ids of its classes and the names of its ingredients."""
    return frozenset([*(each.id for each in drug.classes), *(each.name.casefold() for each in drug.ingredients)])


class Drug(Protocol):
    """A medication as terminology knows it."""

    @property
    def classes(self) -> tuple[DrugClass, ...]: ...

    @property
    def ingredients(self) -> tuple[Ingredient, ...]: ...


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What is looked at before a drug is given. `drug`: the id of a class, or the name of an ingredient."""

    drug: str
    results: tuple[str, ...]
    problems: tuple[str, ...]
    beside: tuple[str, ...]


@cache
def moved_by_any() -> dict[str, tuple[str, ...]]:
    """Results that any drug may move which begins or ends, by the id of the class of drugs that is taken."""
    rows = tables.read("moved_by_any", MOVED_BY_ANY)
    tables.index(rows, "class")
    return {row["class"]: row.several("results") for row in rows}


@cache
def suitability() -> dict[str, LookedAt]:
    """By the id of a class, or the name of an ingredient."""
    rows = tables.read("suitability", SUITABILITY)
    tables.index(rows, "class")
    return {
        row["class"]: LookedAt(row["class"], *(row.several(column) for column in SUITABILITY[1:-1])) for row in rows
    }


def same_answer(loinc: str) -> tuple[str, ...]:
    """The results of which any answers what this one does, itself among them."""
    return next((codes for codes in _same_answers() if loinc in codes), (loinc,))


@cache
def _same_answers() -> tuple[tuple[str, ...], ...]:
    rows = tables.read("same_answers", SAME_ANSWERS)
    tables.index(rows, "question")
    return tuple(row.several("results") for row in rows)
