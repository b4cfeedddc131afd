"""Visits: their classes (HL7 table 0004 to v3 ActCode) and types (SNOMED CT).

Guarantee: a class that says nothing (not applicable, unknown, a local letter) gives none.
"""

from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import coding_systems, tables
from terminology.concepts import ACT_CODE

TYPE_COLUMNS = ("system", "code", "display", "source")
CLASS_COLUMNS = ("class", "code", "source")


def of_class(letter: str) -> CodedConcept | None:
    """The ActCode of PV1-2; None when the letter says no class."""
    code = _classes().get(letter.strip().upper())
    return of(CodedConcept(system=ACT_CODE, code=code)) if code else None


def of(concept: CodedConcept) -> CodedConcept | None:
    """The type or class of a visit with its usual words; None when it is not known."""
    display = _types().get((concept.system, concept.code))
    return CodedConcept(system=concept.system, code=concept.code, display=display) if display else None


@cache
def _types() -> dict[tuple[str, str], str]:
    rows = tables.index(tables.read("encounter_types", TYPE_COLUMNS), "system", "code").values()
    return {(coding_systems.uri(row["system"]), row["code"]): row["display"] for row in rows}


@cache
def _classes() -> dict[str, str]:
    rows = tables.index(tables.read("encounter_classes", CLASS_COLUMNS), "class").values()
    return {row["class"]: row["code"] for row in rows}
