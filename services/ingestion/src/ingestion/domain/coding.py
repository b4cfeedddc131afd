"""Coded elements (CE, CWE, CNE): their codings, and the concepts that these are to the record and to `terminology`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar, TypeVarTuple

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import coding_systems

from ingestion.domain.hl7 import Delimiters, Value

Meaning = TypeVar("Meaning")
More = TypeVarTuple("More")


@dataclass(frozen=True, slots=True)
class Coding:
    """One coding of a coded element: identifier, text and system as sent."""

    code: str
    text: str
    system_name: str

    @property
    def system(self) -> str:
        """The FHIR URI of the system; empty for an unknown one."""
        return coding_systems.uri(self.system_name)

    @property
    def public(self) -> CodedConcept:
        """The coding as `terminology` is asked for it: a code of no known system is of none."""
        return CodedConcept(system=self.system, code=self.code, display=self.text)

    def concept(self, facility: str) -> CodedConcept:
        """The coding with its system as a URI: a known one, else one of the facility that sent it."""
        local = f"urn:longitude:local:{facility}:{self.system_name}"
        return CodedConcept(system=self.system or local, code=self.code or self.text, display=self.text)


@dataclass(frozen=True, slots=True, eq=False)
class CodedElement:
    """A coded element: its codings (primary first, then alternate ones) and the original text.

    Compared by identity, so that it is a cheap key of a cache: what a feed repeats is read once (`_read_again`).
    """

    codings: tuple[Coding, ...]
    original_text: str
    # How many characters it has.
    size: int = field(init=False)

    def __post_init__(self) -> None:
        texts = [text for coding in self.codings for text in (coding.code, coding.text, coding.system_name)]
        object.__setattr__(self, "size", sum(map(len, [*texts, self.original_text])))

    @classmethod
    def read(cls, value: Value, default_system: str = "") -> "CodedElement":
        """CWE.1-3, 4-6 and 10-12 (v2.7), and CWE.9. `default_system`: what the field means where it names none."""
        read = _read_again if len(value.raw) <= _SHORT else _read
        return read(value.raw, value.delimiters, default_system)

    @property
    def primary(self) -> Coding:
        """The first coding, empty when there is none; with the original text where it has no text of its own."""
        if not self.codings:
            return Coding("", self.original_text, "")
        first = self.codings[0]
        return first if first.text else Coding(first.code, self.original_text, first.system_name)

    @property
    def texts(self) -> list[str]:
        """Everything a person would read, best first."""
        return [text for text in (*(coding.text for coding in self.codings), self.original_text) if text]

    def in_system(self, *systems: str) -> Coding | None:
        """The coding in the first of these systems that has one."""
        return next((c for system in systems for c in self.codings if c.code and c.system == system), None)

    def __bool__(self) -> bool:
        return bool(self.codings or self.original_text)


def _read(raw: str, delimiters: Delimiters, default_system: str) -> CodedElement:
    value = Value(raw, delimiters)
    codings = tuple(
        Coding(value.get(first), value.get(first + 1), value.get(first + 2) or default_system)
        for first in (1, 4, 10)
        if value.get(first) or value.get(first + 1)
    )
    return CodedElement(codings, value.get(9))


def most_complete(*readings: Sequence[Meaning]) -> Sequence[Meaning]:
    """The first reading that knows anything, or one that knows all of that and more.

    A sender may code one ingredient beside the name of a combination: no other ingredient is lost.
    """
    first = next(filter(None, readings), ())
    return next((reading for reading in readings if set(reading) > set(first)), first)


# Feeds repeat their codes; only short ones are kept, so that the cache stays small.
_SHORT = 512
_read_again = lru_cache(maxsize=4096)(_read)


def _concept(element: CodedElement, facility: str) -> CodedConcept:
    return element.primary.concept(facility)


def remembered(ask: Callable[[CodedElement, *More], Meaning]) -> Callable[[CodedElement, *More], Meaning]:
    """A question about elements whose answers are kept for the short ones. What else it asks must be short."""
    again = lru_cache(maxsize=4096)(ask)

    def answer(element: CodedElement, /, *more: *More) -> Meaning:
        return again(element, *more) if element.size <= _SHORT else ask(element, *more)

    return answer


# The primary coding of an element as its sender means it. It is shared: a fact takes a copy.
primary_concept = remembered(_concept)
