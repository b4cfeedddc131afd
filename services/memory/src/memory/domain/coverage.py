"""For which problems and drugs the evidence library has a passage.

A drug is covered by a passage that is coded with its ingredient; a problem by one that is coded with it, or with a
problem whose narrowest family holds it: what is said of chronic kidney disease covers its stages. Families that hold
unlike things (WIDE) cover nothing: a sprain is no head injury.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from grounding import facts
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    ClinicalFact,
    CodedConcept,
    FactKind,
)
from terminology import drugs, problems
from terminology.concepts import SNOMED
from terminology.drugs import Ingredient

WIDE = frozenset({"injury", "fracture", "social-circumstance", "dental-disease", "respiratory-infection-upper"})
# What is no illness: nobody looks for evidence about having a job.
_SOCIAL = "social-circumstance"
_FREQUENT = ("kind", "code", "name")


@dataclass(frozen=True, slots=True)
class Subject:
    """A problem or a drug. `keys`: what a passage about it is coded with, too."""

    kind: FactKind.ValueType
    system: str
    code: str
    display: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Covered:
    """A subject with the ids of the passages about it, in the order of the library."""

    subject: Subject
    passages: tuple[str, ...]


def of_record(recorded: Iterable[ClinicalFact], today: date) -> list[Subject]:
    """The problems and drugs of a record that have not ended, each once."""
    found = {each.keys: each for fact in recorded if _is_current(fact, today) for each in _subjects(fact)}
    return list(found.values())


def frequent() -> list[Subject]:
    """The problems and drugs that are frequent in primary care (evidence/frequent.tsv)."""
    text = (files("memory") / "evidence" / "frequent.tsv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return [_frequent(row) for row in csv.DictReader(lines, _FREQUENT, delimiter="\t")]


def coverage(subjects: Iterable[Subject], library: Iterable[Passage]) -> list[Covered]:
    """Which passages are about each subject."""
    about = [(passage.passage_id, _keys_of(passage)) for passage in library]
    return [
        Covered(subject, tuple(name for name, keys in about if not keys.isdisjoint(subject.keys)))
        for subject in subjects
    ]


def _is_current(fact: ClinicalFact, today: date) -> bool:
    return not (facts.is_absent(fact) or facts.has_ended(fact, today) or facts.is_family_history(fact))


def _subjects(fact: ClinicalFact) -> Iterator[Subject]:
    if fact.kind == FACT_KIND_MEDICATION:
        yield from map(_drug, facts.about(fact).ingredients)
    if fact.kind == FACT_KIND_PROBLEM and fact.code.code:
        problem = _problem(fact.code)
        if _SOCIAL not in problem.keys:
            yield problem


def _frequent(row: dict[str, str]) -> Subject:
    if row["kind"] == "drug":
        ingredient = drugs.by_name(row["name"])
        if ingredient is None:
            raise LookupError(f"frequent.tsv: no ingredient is called {row['name']}")
        return _drug(ingredient)
    return _problem(CodedConcept(system=SNOMED, code=row["code"], display=row["name"]))


def _drug(ingredient: Ingredient) -> Subject:
    concept = drugs.concept_of(ingredient)
    return Subject(FACT_KIND_MEDICATION, concept.system, concept.code, concept.display, frozenset({ingredient.id}))


def _problem(concept: CodedConcept) -> Subject:
    keys = {f"{concept.system}|{concept.code}", *(each.id for each in problems.families_of(concept))}
    return Subject(FACT_KIND_PROBLEM, concept.system, concept.code, problems.short_name(concept), frozenset(keys))


def _keys_of(passage: Passage) -> frozenset[str]:
    ingredients = {each.id for code in passage.codes for each in drugs.ingredients_of_code(code.system, code.code)}
    known = [problem for code in passage.codes if (problem := problems.of(code))]
    families = {family for problem in known for family in problem.families} - WIDE
    return frozenset(ingredients | families | {f"{code.system}|{code.code}" for code in passage.codes})
