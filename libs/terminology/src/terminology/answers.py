"""Coded answers: values of questions and tests that are no problem by themselves (yes, detected, never smoker)."""

from functools import cache

from longitude.ingestion.v1.clinical_fact_pb2 import CodedConcept

from terminology import coding_systems, tables

COLUMNS = ("system", "code", "display", "source")


def of(concept: CodedConcept) -> CodedConcept | None:
    """An answer with its usual words; None when it is not known."""
    display = _rows().get((concept.system, concept.code))
    return CodedConcept(system=concept.system, code=concept.code, display=display) if display else None


@cache
def _rows() -> dict[tuple[str, str], str]:
    rows = tables.index(tables.read("answers", COLUMNS), "system", "code").values()
    return {(coding_systems.uri(row["system"]), row["code"]): row["display"] for row in rows}
