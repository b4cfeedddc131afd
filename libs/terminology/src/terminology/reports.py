"""Reports, panels and questionnaires: LOINC codes of what holds several results and has no value of its own."""

from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import tables
from terminology.concepts import LOINC

COLUMNS = ("code", "display", "source")


def of(concept: CodedConcept) -> CodedConcept | None:
    """A report or panel with its usual words; None when it is not known."""
    display = _rows().get(concept.code) if concept.system == LOINC else None
    return CodedConcept(system=LOINC, code=concept.code, display=display) if display else None


@cache
def _rows() -> dict[str, str]:
    rows = tables.index(tables.read("reports", COLUMNS), "code").values()
    return {row["code"]: row["display"] for row in rows}
