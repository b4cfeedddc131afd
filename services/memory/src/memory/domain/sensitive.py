"""The labels of a fact as bits of a number, as the database keeps them beside its entry."""

from collections.abc import Iterable

from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import sensitivity

BITS = {label: 1 << place for place, label in enumerate(sensitivity.names())}
ALL = sum(BITS.values())


def labels(fact: ClinicalFact) -> int:
    """Of what the fact says."""
    return bits(sensitivity.of_fact(fact))


def bits(names: Iterable[str]) -> int:
    """KeyError for a label that there is not."""
    return sum(BITS[name] for name in set(names))


def names(of: int) -> list[str]:
    """The labels of a number, in the order of the table."""
    return [label for label, bit in BITS.items() if of & bit]
