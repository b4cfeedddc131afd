"""The reading tools: what each may be asked about, why, and what can be said by its answer. None changes anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from grounding.calculator import Calculator
from grounding.calculators import PURPOSES
from longitude.record.v1.fact_pb2 import FactKind

from harness.forms import Form

CALCULATE, SEARCH_EVIDENCE = "calculate", "search_evidence"


@dataclass(frozen=True)
class Purpose:
    """Why a tool is called: about facts of these kinds (none: the whole record); what can be said by its answer."""

    kinds: frozenset["FactKind.ValueType"]
    changes: frozenset[Form]


@dataclass(frozen=True)
class Tool:
    name: str
    purposes: Mapping[str, Purpose]


def _purpose(kinds: tuple["FactKind.ValueType", ...], *changes: Form) -> Purpose:
    return Purpose(frozenset(kinds), frozenset(changes))


_PROBLEM, _ALLERGY = FactKind.FACT_KIND_PROBLEM, FactKind.FACT_KIND_ALLERGY
_RESULT, _MEDICATION = FactKind.FACT_KIND_RESULT, FactKind.FACT_KIND_MEDICATION
_DOCUMENT, _IMAGING = FactKind.FACT_KIND_DOCUMENT, FactKind.FACT_KIND_IMAGING_FINDING


def _computes(calculator: Calculator) -> Purpose:
    if calculator.of_medication:
        return _purpose((_MEDICATION,), Form.CALCULATION, Form.PROPOSE)
    return _purpose((_RESULT,), Form.CALCULATION)


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("read_timeline", {"trend": _purpose((_RESULT,), Form.TREND, Form.CHANGE)}),
        Tool(
            "search_memory",
            {
                "history": _purpose((_PROBLEM, _MEDICATION), Form.PROBLEM, Form.CHANGE),
                "reaction": _purpose((_ALLERGY,), Form.ALLERGY),
            },
        ),
        Tool(
            SEARCH_EVIDENCE,
            {
                "dose": _purpose((_MEDICATION, _PROBLEM), Form.EVIDENCE, Form.PROPOSE),
                "interaction": _purpose((_MEDICATION, _PROBLEM), Form.EVIDENCE, Form.PROPOSE),
            },
        ),
        Tool("read_document", {"history": _purpose((_DOCUMENT,), Form.PROBLEM, Form.CHANGE)}),
        Tool("read_image_findings", {"comparison": _purpose((_IMAGING,), Form.IMAGING)}),
        Tool("compare_with_last_visit", {"change": _purpose((), Form.CHANGE)}),
        Tool(
            CALCULATE,
            {word: _computes(calculator) for word, calculator in PURPOSES.items()},
        ),
    )
}
