"""The labels of a fact as bits of a number, as the database keeps them beside its entry."""

from collections.abc import Iterable

from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROCEDURE,
    FACT_KIND_RESULT,
    ClinicalFact,
    CodedConcept,
)
from terminology import sensitivity

BITS = {label: 1 << place for place, label in enumerate(sensitivity.names())}
ALL = sum(BITS.values())
_BY_CODE = {FACT_KIND_RESULT, FACT_KIND_PROCEDURE}
_OF_DRUGS = {FACT_KIND_MEDICATION, FACT_KIND_ALLERGY}


def labels(fact: ClinicalFact) -> int:
    """Of what the fact says, as it was normalised and as it was sent; of every other kind, as of a problem."""
    found = _labels(fact.kind, fact.code)
    if fact.HasField("source_code"):
        found |= _labels(fact.kind, fact.source_code)
    return bits(found)


def bits(names: Iterable[str]) -> int:
    """KeyError for a label that there is not."""
    return sum(BITS[name] for name in set(names))


def names(of: int) -> list[str]:
    """The labels of a number, in the order of the table."""
    return [label for label, bit in BITS.items() if of & bit]


def _labels(kind: int, concept: CodedConcept) -> frozenset[str]:
    if kind in _BY_CODE:
        return sensitivity.of_code(concept)
    return sensitivity.of_drug(concept) if kind in _OF_DRUGS else sensitivity.of_problem(concept)
