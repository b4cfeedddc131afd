"""A family: the conditions that its rows have, and the evaluator that says what a row has to say about a patient."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.finding import Finding
from knowledge.record import Patient
from knowledge.row import Row


@dataclass(frozen=True, slots=True)
class Family:
    """Its file in `families/` and its table in `data/` are all that it needs. `conditions` is a dataclass whose fields
    are columns; `says` is what its rows are about, in a few words.
    """

    name: str
    says: str
    conditions: type[Any]
    evaluate: Callable[[Row, Patient], Iterator[Finding]]
