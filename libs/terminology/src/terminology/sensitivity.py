"""What of a record is sensitive, by its codes: labels of HL7 v3 ActCode (MH, HIV, SUD, GDIS, SEX).

Rows of `data/sensitivities.tsv`. A problem has the labels of its code, of the families that hold it and of the name
where there is no code; a result, a procedure and a drug those of their own. Guarantee: what no row names has no label;
nothing is read from texts.
"""

from collections.abc import Iterable
from functools import cache, lru_cache

from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROCEDURE,
    FACT_KIND_RESULT,
    ClinicalFact,
    CodedConcept,
)

from terminology import coding_systems, drugs, families, icd10cm, problems, tables
from terminology.concepts import ICD9CM, ICD10, ICD10CM, LOINC

COLUMNS = ("label", "name", "icd10cm", "icd9cm", "results", "concepts", "classes", "source")
_REMEMBERED = 65_536
_BY_CODE = {FACT_KIND_RESULT, FACT_KIND_PROCEDURE}
_OF_DRUGS = {FACT_KIND_MEDICATION, FACT_KIND_ALLERGY}


def rules() -> str:
    """The table as it is: whoever keeps labels makes them again when it is another."""
    return repr([dict(row) for row in _rows()])


@cache
def names() -> dict[str, str]:
    """What a person calls each label, by label, in the order of the table."""
    return {row["label"]: row["name"] for row in _rows()}


def of_fact(fact: ClinicalFact) -> frozenset[str]:
    """The labels of what a fact says, as it was normalised and as it was sent; of every other kind, as of a problem."""
    own = _of_kind(fact.kind, fact.code)
    return own | _of_kind(fact.kind, fact.source_code) if fact.HasField("source_code") else own


def _of_kind(kind: int, concept: CodedConcept) -> frozenset[str]:
    if kind in _BY_CODE:
        return of_code(concept)
    return of_drug(concept) if kind in _OF_DRUGS else of_problem(concept)


def of_problem(concept: CodedConcept) -> frozenset[str]:
    """The labels of a problem."""
    return _of_problem(concept.system, concept.code, concept.display)


def of_drug(concept: CodedConcept) -> frozenset[str]:
    """The labels of a medication, by the classes of its ingredients."""
    return _of_drug(concept.system, concept.code, concept.display)


def of_code(concept: CodedConcept) -> frozenset[str]:
    """The labels of a result or a procedure, by its code alone."""
    return _labels_by_code().get((concept.system, concept.code), frozenset())


@lru_cache(_REMEMBERED)
def _of_problem(system: str, code: str, display: str) -> frozenset[str]:
    concept = CodedConcept(system=system, code=code, display=display)
    held = [family.id for family in problems.families_of(concept)]
    labels = {label for family in held for label in _by_family().get(family, ())}
    if system == ICD10CM:
        labels |= _by_range("icd10cm", icd10cm.normal(code))
    elif system == ICD10:
        labels |= _by_range("icd10cm", icd10cm.normal(code)[:3])
    elif system == ICD9CM:
        labels |= _by_range("icd9cm", code.replace(".", ""))
    return frozenset(labels) | of_code(concept)


@lru_cache(_REMEMBERED)
def _of_drug(system: str, code: str, display: str) -> frozenset[str]:
    concept = CodedConcept(system=system, code=code, display=display)
    classes = {one for ingredient in drugs.ingredients_of(concept) for one in ingredient.classes}
    return frozenset(row["label"] for row in _rows() if classes.intersection(row.several("classes")))


def _by_range(column: str, code: str) -> set[str]:
    return {row["label"] for row in _rows() if code and _is_within(row.several(column), code)}


def _is_within(cells: Iterable[str], code: str) -> bool:
    """Whether a code, without its point, lies in one of the ranges and in none that is left out."""
    inside = False
    for cell in cells:
        low, high = families.ends(cell)
        if low <= code[: len(low)] and code[: len(high)] <= high:
            if families.is_exception(cell):
                return False
            inside = True
    return inside


@cache
def _by_family() -> dict[str, frozenset[str]]:
    """The labels of families: those that all of its codes of ICD-10-CM have."""
    return {
        family: frozenset(set.intersection(*(_by_range("icd10cm", code) for code in codes)))
        for family, codes in families.first_codes().items()
        if codes
    }


@cache
def _labels_by_code() -> dict[tuple[str, str], frozenset[str]]:
    labels: dict[tuple[str, str], set[str]] = {}
    for row in _rows():
        named = [(LOINC, code) for code in row.several("results")]
        for cell in row.several("concepts"):
            system, _, code = cell.partition(":")
            named.append((coding_systems.uri(system), code))
        for key in named:
            labels.setdefault(key, set()).add(row["label"])
    return {key: frozenset(each) for key, each in labels.items()}


@cache
def _rows() -> tuple[tables.Row, ...]:
    return tuple(tables.index(tables.read("sensitivities", COLUMNS), "label").values())
