"""The calculators: each module of this folder is one. Adding a file adds a calculator wherever one is used."""

import pkgutil
import re
from collections.abc import Iterator, Mapping
from importlib import import_module

from grounding.calculator import Calculator, Given
from grounding.derived import Derived
from grounding.formula import CalculationError


def _read() -> Iterator[Calculator]:
    for module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        yield import_module(f"{__name__}.{module}").CALCULATOR


_ALL: tuple[Calculator, ...] = tuple(_read())
CALCULATORS: Mapping[str, Calculator] = {each.name: each for each in _ALL}
# The word by which an agent asks -> the calculator.
PURPOSES: Mapping[str, Calculator] = {each.purpose: each for each in _ALL}
METHODS: tuple[str, ...] = tuple(each.method for each in _ALL if each.method)
LABELS: tuple[tuple[str, re.Pattern[str]], ...] = tuple((each.name, each.label) for each in _ALL if each.label)
# Lower-case name of a value that is only ever computed -> its keys.
NAMES: Mapping[str, frozenset[str]] = {name: frozenset({key}) for each in _ALL for name, key in each.names.items()}
assert len(CALCULATORS) == len(PURPOSES) == len(_ALL), "a name or a purpose belongs to one calculator"


def compute(name: str, given: Given) -> Derived:
    """KeyError for an unknown name; CalculationError where the facts do not carry it."""
    return CALCULATORS[name].compute(given)


def everything(given: Given) -> tuple[Derived, ...]:
    """All that follows from the facts: what a text may state beside the recorded values."""
    return tuple(dict.fromkeys(value for each in _ALL for value in _values(each, given)))


def _values(calculator: Calculator, given: Given) -> list[Derived]:
    try:
        return list(calculator.every(given)) if calculator.every else [calculator.compute(given)]
    except CalculationError:
        return []
