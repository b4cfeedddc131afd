"""A value that the runtime computed from facts by a named calculator."""

import re
from collections.abc import Iterator, Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Calculation

from grounding.calculator import Calculator
from grounding.calculators import CALCULATORS
from grounding.kind import Choice, Kind, Shown
from grounding.statements import Computed, Day, Method, Name, Part, Statement, Words

# What a calculator's words leave open: its method, or the name or day of a fact that the value names.
_GAP = re.compile(r"\{(method|name|day)(?: (\d))?\}")


def statement(name: str, fact_ids: Sequence[str]) -> Statement:
    """The result of a calculator, behind its words."""
    calculator = CALCULATORS[name]
    computed = Computed(name, tuple(fact_ids), day=calculator.says_day)
    return Statement(wire.STATEMENT_KIND_CALCULATION, (*_lead(calculator, fact_ids), computed))


def choose(computed: Calculation, _: Shown) -> Choice:
    return Choice("calculate", tuple(computed.fact_ids), calculation=computed.name)


def _lead(calculator: Calculator, fact_ids: Sequence[str]) -> Iterator[Part]:
    end = 0
    for gap in _GAP.finditer(calculator.words):
        yield from _words(calculator.words[end : gap.start()])
        yield _filled(gap, calculator, fact_ids)
        end = gap.end()
    yield from _words(calculator.words[end:])


def _filled(gap: re.Match[str], calculator: Calculator, fact_ids: Sequence[str]) -> Part:
    match gap[1]:
        case "name":
            return Name(fact_ids[int(gap[2])])
        case "day":
            return Day(fact_ids[int(gap[2])])
        case _:
            return Method(calculator.method)


def _words(text: str) -> Iterator[Part]:
    if text:
        yield Words(text)


KIND = Kind(
    word="calculate",
    proto=wire.STATEMENT_KIND_CALCULATION,
    handle="K",
    roles={"diagnostician": ("hypothesise",), "pharmacist": ("check",)},
    choose=choose,
    say=lambda _, choice: statement(choice.calculation, choice.fact_ids),
)
