"""What a text mentions: the typed pieces that checks look at, each with its characters.

Guarantee: mentions of one sentence do not overlap, and together with neutral words and punctuation they cover it:
there is no word that no check sees.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from grounding.spans import Span


class Cue(StrEnum):
    """Words that change what a statement asserts."""

    NEGATION = "negation"
    LEFT = "left"
    RIGHT = "right"
    BILATERAL = "bilateral"
    FAMILY = "family"
    RISE = "rise"
    FALL = "fall"
    STEADY = "steady"
    HIGH = "high"
    LOW = "low"
    NORMAL = "normal"
    ACTIVE = "active"
    ENDED = "ended"
    ORDERED = "ordered"
    ON_HOLD = "on hold"
    UNRENEWED = "not renewed"
    UNDATED = "start not stated"
    SCOPE_END = "scope end"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Mention:
    """Characters [start, end) of the text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class QuoteMention(Mention):
    """Words in quotation marks: must stand in a source as they are."""


@dataclass(frozen=True, slots=True)
class TitleMention(Mention):
    """Source, title or grade of a cited passage, or the name of a method: a name, whatever digits it holds."""


@dataclass(frozen=True, slots=True)
class DateMention(Mention):
    """A day, month or year. Numeric dates that can be read two ways keep both readings."""

    readings: tuple[tuple[date, date], ...]

    def includes(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.readings)


@dataclass(frozen=True, slots=True)
class NumberMention(Mention):
    """A number with its printed unit (empty if none) and comparator (empty, <, <=, >, >=)."""

    value: Decimal
    unit: str
    comparator: str

    @property
    def decimals(self) -> int:
        return max(0, -int(self.value.as_tuple().exponent))


@dataclass(frozen=True, slots=True)
class NameMention(Mention):
    """The name of a concept: of a fact of the record, a drug, a class of drugs, a result."""

    keys: frozenset[str]
    is_drug: bool = False


@dataclass(frozen=True, slots=True)
class LabelMention(Mention):
    """A category: a KDIGO stage, rapid progression."""

    family: str
    label: str


@dataclass(frozen=True, slots=True)
class CueMention(Mention):
    cue: Cue


@dataclass(frozen=True, slots=True)
class WordMention(Mention):
    """A word with meaning that nothing above explains."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with its mentions in order."""

    span: Span
    mentions: tuple[Mention, ...]
