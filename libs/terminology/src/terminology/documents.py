"""Types of documents: LOINC, and the values of TXA-2 (HL7 table 0270) that lead to it.

Guarantee: no LOINC code says more than the value of the table; a value for which none is sure gives none.
"""

from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import tables
from terminology.concepts import LOINC
from terminology.tables import Row

COLUMNS = ("code", "display", "types", "names", "source")


def of_type(value: str) -> CodedConcept | None:
    """The LOINC type of TXA-2; None when no code is sure to mean it."""
    row = _by_type().get(value.strip().upper())
    return _concept(row) if row else None


def of(concept: CodedConcept) -> CodedConcept | None:
    """A LOINC type of document with its usual words; None when it is not known."""
    row = _by_code().get((concept.code,)) if concept.system == LOINC else None
    return _concept(row) if row else None


def names(concept: CodedConcept) -> tuple[str, ...]:
    """What else documents of a LOINC type are called."""
    row = _by_code().get((concept.code,)) if concept.system == LOINC else None
    return row.several("names") if row else ()


def _concept(row: Row) -> CodedConcept:
    return CodedConcept(system=LOINC, code=row["code"], display=row["display"])


@cache
def _by_code() -> dict[tuple[str, ...], Row]:
    return tables.index(tables.read("documents", COLUMNS), "code")


@cache
def _by_type() -> dict[str, Row]:
    return {value: row for row in _by_code().values() for value in row.several("types")}
