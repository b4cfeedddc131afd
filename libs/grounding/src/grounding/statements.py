"""Typed statements: a kind and a sequence of parts, in which every value is a reference and never a text.

Guarantee: words of a statement hold no digit; a number, date, name, dose or quotation can only enter as a part that
names the fact, passage or calculation it is taken from. What the renderer fills in is always the source's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from longitude.reasoning.v1.assessment_pb2 import StatementKind

from grounding.calculators import METHODS as CALCULATOR_METHODS


@dataclass(frozen=True, slots=True)
class Words:
    """Fixed words between the values. A digit in them is refused: it would be a value without a source."""

    text: str

    def __post_init__(self) -> None:
        if any(character.isdigit() for character in self.text):
            raise ValueError("words hold no numbers: a value is a part that names its source")


@dataclass(frozen=True, slots=True)
class Method:
    """The name of a published method; the only names with digits that are not a source's."""

    name: str

    def __post_init__(self) -> None:
        if self.name.lower() not in METHODS:
            raise ValueError("an unknown method name")


# Lower case; the verifier takes these as names and not as numbers. Documents beside the calculators' methods.
METHODS = tuple(
    dict.fromkeys(["kdigo 2024", "kdigo 2022", "fda label", *(name.lower() for name in CALCULATOR_METHODS)])
)


@dataclass(frozen=True, slots=True)
class Name:
    """What the fact's concept is called."""

    fact_id: str
    capital: bool = False


@dataclass(frozen=True, slots=True)
class ClassName:
    """The class of the fact's drug or allergen, e.g. ACE inhibitor. `drug_class` is its id in terminology."""

    fact_id: str
    drug_class: str


@dataclass(frozen=True, slots=True)
class Value:
    """The fact's value with its unit; `bare` leaves out the unit where the same one was just named; `rounded` gives as
    many digits as a physician writes.
    """

    fact_id: str
    bare: bool = False
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """The day the fact begins to hold, or with `end` the day it stopped."""

    fact_id: str
    end: bool = False


@dataclass(frozen=True, slots=True)
class StatedDay:
    """The day on which the source first stated the fact, with its dose: no start."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Age:
    """The years since the day of birth that the fact states, on the day of the question."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Dose:
    """Every dose with route and frequency as far as the fact states them; nothing if it does not."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Severity:
    """How severe an allergy is."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments that came with a result, in quotation marks."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """The reaction of an allergy as sent."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class CrossReaction:
    """How likely somebody with the allergy reacts to the medication, and the evidence."""

    medication_id: str
    allergy_id: str


@dataclass(frozen=True, slots=True)
class Probability:
    """How sure a network was of an imaging finding."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Computed:
    """The result of a named calculation over facts (see `calculators`); `day` adds the day it holds for."""

    name: str
    fact_ids: tuple[str, ...]
    day: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """Characters [start, end) of a passage's text, in quotation marks."""

    passage_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Characters [start, end) of a document's text (`Sources.text_of`), in quotation marks."""

    fact_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Language:
    """The language of a document's text by name."""

    fact_id: str


@dataclass(frozen=True, slots=True)
class Count:
    """On how many days the facts begin."""

    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a passage comes from: its source, year and grade."""

    passage_id: str


@dataclass(frozen=True, slots=True)
class Label:
    """The display of a concept that was looked for and is in no fact."""

    display: str


Part: TypeAlias = (
    Words
    | Method
    | Name
    | ClassName
    | Value
    | Day
    | StatedDay
    | Age
    | Dose
    | Severity
    | Comments
    | Reaction
    | CrossReaction
    | Probability
    | Computed
    | Quote
    | Excerpt
    | Language
    | Count
    | Origin
    | Label
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is to be said, before it is text. `also` are facts it rests on beside those that its parts name."""

    kind: "StatementKind.ValueType"
    parts: tuple[Part, ...]
    also: tuple[str, ...] = ()

    @property
    def fact_ids(self) -> tuple[str, ...]:
        """Facts the statement rests on, in the order of mention."""
        return tuple(dict.fromkeys([*(fact_id for part in self.parts for fact_id in _facts_of(part)), *self.also]))

    @property
    def passage_ids(self) -> tuple[str, ...]:
        found = (part.passage_id for part in self.parts if isinstance(part, Quote | Origin))
        return tuple(dict.fromkeys(found))


def join(separator: str, groups: Iterable[tuple[Part, ...]]) -> tuple[Part, ...]:
    """Groups of parts with words between them."""
    joined: list[Part] = []
    for group in groups:
        joined += [Words(separator), *group] if joined else list(group)
    return tuple(joined)


def _facts_of(part: Part) -> tuple[str, ...]:
    match part:
        case Words() | Method() | Quote() | Origin() | Label():
            return ()
        case Computed(fact_ids=fact_ids) | Count(fact_ids=fact_ids):
            return fact_ids
        case CrossReaction(medication_id=medication_id, allergy_id=allergy_id):
            return (medication_id, allergy_id)
        case _:
            return (part.fact_id,)
