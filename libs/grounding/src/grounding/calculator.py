"""A calculator: one published formula with its name, inputs, words and source, and what it gives.

Guarantee: a computed value names the facts it was computed from; the same facts always give the same value, whoever
asks (the renderer that writes it or the verifier that reads it back).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding.derived import Derived

Given = Sequence[ClinicalFact]


@dataclass(frozen=True, slots=True)
class Calculator:
    """One calculator; its file in `calculators/` is all that it needs.

    `words` stand before the value: `{method}` is the method's name, `{name 0}` and `{day 0}` are those of the first
    fact that the value names. A `purpose` belongs to one calculator.
    """

    name: str
    # The word by which an agent asks for it.
    purpose: str
    # LOINC codes of the results it reads. It is asked for about the newest result of the first code that is there.
    inputs: tuple[str, ...]
    words: str
    # The paper or guideline, with year and place.
    source: str
    # CalculationError where the facts given do not carry it.
    compute: Callable[[Given], Derived]
    # How the method is named in a sentence; empty: it is not.
    method: str = ""
    # Asked for about each medication in force instead.
    of_medication: bool = False
    # Whether the sentence says the day that the value holds for.
    says_day: bool = True
    # All values of this name that follow from the facts, where there are more than the newest.
    every: Callable[[Given], Iterable[Derived]] | None = None
    # How a text writes a category of it.
    label: re.Pattern[str] | None = None
    # What texts call a value that is only ever computed (lower case), and the key of it.
    names: Mapping[str, str] = field(default_factory=dict)


def key_of(name: str) -> str:
    """The key of a value that no code names."""
    return f"calculation|{name}"
