"""Coded answers: values of questions and tests that are no problem by themselves (yes, detected, never smoker)."""

from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import coding_systems, tables
from terminology.concepts import words

COLUMNS = ("system", "code", "display", "source")


def of(concept: CodedConcept) -> CodedConcept | None:
    """An answer with its usual words, by its code or, without one of a known system, by its words; None if unknown."""
    display = _rows().get((concept.system, concept.code))
    if not display and not (concept.code and coding_systems.known(concept.system)):
        display = _by_words().get(words(concept.display))
    return CodedConcept(system=concept.system, code=concept.code, display=display) if display else None


@cache
def _rows() -> dict[tuple[str, str], str]:
    rows = tables.index(tables.read("answers", COLUMNS), "system", "code").values()
    return {(coding_systems.uri(row["system"]), row["code"]): row["display"] for row in rows}


@cache
def _by_words() -> dict[str, str]:
    return {words(display): display for display in _rows().values()}
