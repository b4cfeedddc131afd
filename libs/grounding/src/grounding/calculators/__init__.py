"""The calculators: each module of this folder is one. Adding a file adds a calculator wherever one is used."""

import re
from collections.abc import Mapping

from longitude.record.v1 import fact_pb2 as pb

from grounding import facts, keys
from grounding.calculator import Calculator, Given
from grounding.derived import Derived
from grounding.folder import declared
from grounding.formula import CalculationError

_ALL = declared(__name__, "CALCULATOR", Calculator)
CALCULATORS: Mapping[str, Calculator] = {each.name: each for each in _ALL}
# The word by which an agent asks -> the calculator.
PURPOSES: Mapping[str, Calculator] = {each.purpose: each for each in _ALL}
METHODS: tuple[str, ...] = tuple(each.method for each in _ALL if each.method)
LABELS: tuple[tuple[str, re.Pattern[str]], ...] = tuple((each.name, each.label) for each in _ALL if each.label)
# Lower-case name of a value that is only ever computed -> its keys.
NAMES: Mapping[str, frozenset[str]] = {name: frozenset({key}) for each in _ALL for name, key in each.names.items()}
# Keys of the results that any of them reads: those of a long record are many more.
_READ = frozenset(keys.of_loinc(code) for each in _ALL for code in each.inputs)
assert len(CALCULATORS) == len(PURPOSES) == len(_ALL), "a name or a purpose belongs to one calculator"


def compute(name: str, given: Given) -> Derived:
    """KeyError for an unknown name; CalculationError where the facts do not carry it."""
    return CALCULATORS[name].compute(given)


def everything(given: Given) -> tuple[Derived, ...]:
    """All that follows from the facts: what a text may state beside the recorded values."""
    read = tuple(fact for fact in given if fact.kind != pb.FACT_KIND_RESULT or not _READ.isdisjoint(facts.keys(fact)))
    return tuple(dict.fromkeys(value for each in _ALL for value in _values(each, read)))


def _values(calculator: Calculator, given: Given) -> list[Derived]:
    try:
        return list(calculator.every(given)) if calculator.every else [calculator.compute(given)]
    except CalculationError:
        return []
