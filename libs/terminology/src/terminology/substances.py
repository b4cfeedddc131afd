"""Mass, moles and charge of substances, and the unit relations that hold for one substance only.

Guarantee: every factor exists once: molar masses follow from formulas and atomic weights, relations are rows.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from terminology.tables import Row, read

_SUBSTANCES = ("substance", "formula", "mass", "valence", "source")
_RELATIONS = ("substance", "unit", "to", "factor", "offset", "source")
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")


@dataclass(frozen=True, slots=True)
class Substance:
    """`molar_mass` in grams per mole and the charge of an ion; None where it is not defined."""

    name: str
    molar_mass: Fraction | None
    valence: int | None


@dataclass(frozen=True, slots=True)
class Relation:
    """value in `to` = value in `unit` x factor + offset."""

    unit: str
    to: str
    factor: Fraction
    offset: Fraction


@cache
def substance(name: str) -> Substance | None:
    """The substance of this name; None when nothing is known of its moles."""
    row = _rows().get(name)
    return None if row is None else Substance(name, _molar_mass(row), int(row["valence"]) if row["valence"] else None)


@cache
def relation(name: str, unit: str, to: str) -> Relation | None:
    """The relation between two UCUM codes for a substance, also the other way round."""
    for row in _relations():
        factor, offset = Fraction(row["factor"]), Fraction(row["offset"])
        if (row["substance"], row["unit"], row["to"]) == (name, unit, to):
            return Relation(unit, to, factor, offset)
        if (row["substance"], row["unit"], row["to"]) == (name, to, unit):
            return Relation(unit, to, 1 / factor, -offset / factor)
    return None


@cache
def related_units(name: str) -> tuple[tuple[str, str], ...]:
    """The pairs of units that a relation of this substance joins."""
    return tuple((row["unit"], row["to"]) for row in _relations() if row["substance"] == name)


def _molar_mass(row: Row) -> Fraction | None:
    if row["mass"]:
        return Fraction(row["mass"])
    parts = _ELEMENT.findall(row["formula"])
    return sum((_weights()[element] * int(count or 1) for element, count in parts), Fraction(0)) or None


@cache
def _rows() -> dict[str, Row]:
    return {row["substance"]: row for row in read("substances", _SUBSTANCES)}


@cache
def _relations() -> tuple[Row, ...]:
    return read("relations", _RELATIONS)


@cache
def _weights() -> dict[str, Fraction]:
    return {row["element"]: Fraction(row["weight"]) for row in read("elements", ("element", "weight", "source"))}
