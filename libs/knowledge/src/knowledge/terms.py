"""The values that conditions are made of: drugs, problems, results, bounds. Each is checked against terminology.

Guarantee: a name that terminology does not know is refused, so that no row waits for a thing that never comes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from terminology import drug_classes, drugs, families, vaccines
from terminology.loinc import loinc
from terminology.observables import by_id

# What begins a name that is left out of a class.
_BUT = "!"


class Urgency(StrEnum):
    """How soon somebody must act, the most urgent first."""

    CONTRAINDICATED = "contraindicated"
    URGENT = "urgent"
    IMPORTANT = "important"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        return list(Urgency).index(self)


class Sex(StrEnum):
    """As recorded."""

    FEMALE = "female"
    MALE = "male"


class Direction(StrEnum):
    """Where a result moves."""

    RISE = "rise"
    FALL = "fall"


class Score(StrEnum):
    """A published early warning score."""

    NEWS2 = "news2"
    QSOFA = "qsofa"


class ChildPugh(StrEnum):
    """A class of the Child-Pugh score that asks for care."""

    B = "B"
    C = "C"

    @property
    def points(self) -> int:
        """The fewest points of the class."""
        return 7 if self is ChildPugh.B else 10


class Bounded:
    """Conditions with the fields `below` and `at_least`, of which either may be left out."""

    __slots__ = ()
    below: Decimal | None
    at_least: Decimal | None

    @property
    def is_bounded(self) -> bool:
        return self.below is not None or self.at_least is not None

    def holds(self, value: Decimal) -> bool:
        """Whether a value lies within."""
        over = self.at_least is None or value >= self.at_least
        return over and (self.below is None or value < self.below)


@dataclass(frozen=True, slots=True)
class Drugs:
    """Classes (ids) and ingredients (names), without those of `but`."""

    names: frozenset[str]
    but: frozenset[str] = frozenset()

    def matches(self, own: frozenset[str]) -> bool:
        """Whether one of these is among the names of a drug (`record.names_of`)."""
        return not self.names.isdisjoint(own) and self.but.isdisjoint(own)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(each for each in self.names if drug_classes.by_id(each)))


@dataclass(frozen=True, slots=True)
class Problems:
    """Ids of families of problems."""

    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Results:
    """LOINC codes of observables, any of which counts, the most usual first."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vaccines:
    """Antigens of terminology's vaccines."""

    antigens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ages:
    """Completed years, both included."""

    first: int
    last: int

    def holds(self, age: int | None) -> bool:
        return age is not None and self.first <= age <= self.last


def _texts(value: object) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed or not all(isinstance(each, str) and each.strip() for each in listed):
        raise ValueError("must be a text or a list of texts")
    if len(set(listed)) < len(listed):
        raise ValueError("names a thing twice")
    return tuple(listed)


def _drugs(value: object) -> Drugs:
    names = _texts(value)
    for each in names:
        name = each.removeprefix(_BUT)
        known = drugs.by_name(name)
        if drug_classes.by_id(name) is None and (known is None or known.name.casefold() != name):
            raise ValueError(f"“{name}” is neither the id of a class nor the name of an ingredient of terminology")
    own = frozenset(each for each in names if not each.startswith(_BUT))
    if not own:
        raise ValueError("names nothing but what is left out")
    return Drugs(own, frozenset(each.removeprefix(_BUT) for each in names if each.startswith(_BUT)))


def _problems(value: object) -> Problems:
    for each in _texts(value):
        if each not in families.known():
            raise ValueError(f"“{each}” is not the id of a family of problems of terminology")
    return Problems(frozenset(_texts(value)))


def _results(value: object) -> Results:
    for each in _texts(value):
        if each not in by_id():
            raise ValueError(f"“{each}” is not the id of an observable of terminology")
    return Results(tuple(map(loinc, _texts(value))))


def _vaccines(value: object) -> Vaccines:
    known = {antigen for each in vaccines.known() for antigen in each.antigens}
    for each in _texts(value):
        if each not in known:
            raise ValueError(f"“{each}” is not an antigen of terminology's vaccines")
    return Vaccines(_texts(value))


def _ages(value: object) -> Ages:
    match value:
        case [int(first), int(last)] if 0 <= first <= last <= 130:
            return Ages(first, last)
        case _:
            raise ValueError("must be the first and the last year of age")


def _number(value: object) -> Decimal:
    try:
        return Decimal(value) if isinstance(value, str) else Decimal("NaN")
    except InvalidOperation:
        return Decimal("NaN")


def _decimal(value: object) -> Decimal:
    number = _number(value)
    if not number.is_finite():
        raise ValueError('must be a number in quotation marks ("5.5")')
    return number


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100_000:
        raise ValueError("must be a whole number from 0 to 100000")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - a value of the file, not of the program
    return value


def _date(value: object) -> date:
    if not isinstance(value, date):
        raise ValueError("must be a day (2026-01-31, without quotation marks)")  # noqa: TRY004
    return value


def _choice(kind: type[StrEnum]) -> Callable[[object], Any]:
    def parse(value: object) -> Any:
        if value not in list(kind):
            raise ValueError(f"must be one of {', '.join(kind)}")
        return kind(str(value))

    return parse


# How a value of a file becomes one of a type; ValueError says what is wrong with it.
PARSERS: Mapping[Any, Callable[[object], Any]] = {
    Drugs: _drugs,
    Problems: _problems,
    Results: _results,
    Vaccines: _vaccines,
    Ages: _ages,
    Decimal: _decimal,
    int: _integer,
    str: _text,
    bool: _boolean,
    date: _date,
    tuple[str, ...]: _texts,
    Urgency: _choice(Urgency),
    Sex: _choice(Sex),
    Direction: _choice(Direction),
    Score: _choice(Score),
    ChildPugh: _choice(ChildPugh),
}
