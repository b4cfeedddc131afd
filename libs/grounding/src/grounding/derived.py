"""A computed value: what it is, how it is printed, and the facts it was computed from."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from grounding.given import Result, rounded


@dataclass(frozen=True, slots=True)
class Derived:
    """One computed value. `text` is how it is printed; `label` names a category (a stage) instead of a number.

    A `comparator` makes the number a bound. `source` is the published rule that sets it, where the name does not say.
    """

    name: str
    keys: frozenset[str]
    value: Decimal
    unit: str
    day: date
    fact_ids: tuple[str, ...]
    label: str = ""
    comparator: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        bound = "at most " if self.comparator == "<=" else ""
        by = f" by {self.source}" if self.source else ""
        return f"{self.label or bound + _with_unit(self.value, self.unit)}{by}"


def of_results(name: str, key: str, value: float, step: str, unit: str, *used: Result) -> Derived:
    """A value computed from results, rounded to `step`, of the day of the first."""
    fact_ids = tuple(result.fact.fact_id for result in used)
    return Derived(name, frozenset({key}), rounded(value, step), unit, used[0].day, fact_ids)


def _with_unit(value: Decimal, unit: str) -> str:
    gap = "" if unit == "%" else " "
    return f"{value}{gap}{unit}" if unit else str(value)
