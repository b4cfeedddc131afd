"""A value by a calculator: one purpose for each."""

from grounding.calculator import Calculator
from grounding.calculators import PURPOSES
from longitude.record.v1.fact_pb2 import FactKind

from harness.sources import Sources
from harness.tool import Purpose, Tool, purpose
from harness.words import Act

NAME = "calculate"


def _of(calculator: Calculator) -> Purpose:
    if calculator.of_medication:
        return purpose((FactKind.FACT_KIND_MEDICATION,), NAME, Act.PROPOSE)
    return purpose((FactKind.FACT_KIND_RESULT,), NAME)


def _brings(_: str, fact_id: str, word: str, sources: Sources) -> bool:
    return sources.computable(fact_id, word) is not None


TOOL = Tool(
    name=NAME,
    purposes={word: _of(calculator) for word, calculator in PURPOSES.items()},
    roles=frozenset({"diagnostician", "pharmacist"}),
    brings=_brings,
)
