"""Reads UCUM codes: what a unit measures and how much of it. The atoms are data; no factor is written here.

Guarantee: two units of one form and one set of dimensions differ by an exact factor; a code that cannot be read whole
is None. Numerator and denominator are kept apart, so that `mmol/mol`, `mg/g` and `%` are three things: which fraction
is meant matters in medicine. An annotation that stands alone (`{score}`, `{1.73_m2}`) is a dimension of its own.
"""

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

from terminology.tables import Row, read

_COLUMNS = ("atom", "value", "unit", "offset", "metric", "source")
_PREFIXES = {"k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_TOKEN = re.compile(
    r"(?P<operator>[./])|(?P<alone>\{[^}]*\})"
    r"|(?P<atom>10[*^]|%|(?:[A-Za-z]*\[[A-Za-z0-9_']+\]|[A-Za-z]+))(?P<exponent>-?\d+)?(?:\{[^}]*\})?"
    r"|(?P<number>\d+)(?:\{[^}]*\})?"
)
_LONGEST = 60

Dimensions = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a code measures: `factor` times the base units of numerator over denominator, `offset` before it."""

    factor: Fraction
    above: Dimensions
    below: Dimensions
    offset: Fraction = Fraction(0)


@lru_cache(maxsize=4096)
def parse(code: str) -> Unit | None:
    """The unit of a UCUM code, case-sensitive; None when it cannot be read whole."""
    tokens = _tokens(code) if 0 < len(code) <= _LONGEST else None
    return _product(tokens) if tokens else None


def _tokens(code: str) -> list[re.Match[str]] | None:
    matches, position = [], 0
    while position < len(code):
        match = _TOKEN.match(code, position)
        if match is None:
            return None
        matches.append(match)
        position = match.end()
    return matches


def _product(tokens: list[re.Match[str]]) -> Unit | None:
    """The factors of a term from left to right; `/` divides by the next factor only."""
    factor, sides, sign, expected, offset = Fraction(1), (Counter[str](), Counter[str]()), 1, True, Fraction(0)
    for token in tokens:
        if token["operator"]:
            if expected and token.start():
                return None
            sign, expected = (-1 if token["operator"] == "/" else 1), True
            continue
        part = _part(token) if expected else None
        if part is None:
            return None
        factor *= part.factor**sign
        _add(sides if sign > 0 else sides[::-1], part)
        offset, expected = part.offset, False
    if expected or (offset and len(tokens) > 1):
        return None
    return Unit(factor, _dimensions(sides[0]), _dimensions(sides[1]), offset)


def _add(sides: tuple[Counter[str], ...], part: Unit) -> None:
    for side, dimensions in zip(sides, (part.above, part.below), strict=True):
        side.update(dict(dimensions))


def _dimensions(side: Counter[str]) -> Dimensions:
    return tuple(sorted((name, power) for name, power in side.items() if power))


def _part(token: re.Match[str]) -> Unit | None:
    if token["number"]:
        return Unit(Fraction(token["number"]), (), ()) if int(token["number"]) else None
    if token["alone"]:
        return Unit(Fraction(1), ((token["alone"], 1),), ())
    unit = _prefixed(token["atom"])
    power = int(token["exponent"] or 1)
    return None if unit is None or (unit.offset and power != 1) else _raised(unit, power)


def _raised(unit: Unit, power: int) -> Unit:
    above, below = (unit.above, unit.below) if power > 0 else (unit.below, unit.above)
    times = abs(power)
    raised = [tuple((name, count * times) for name, count in side) for side in (above, below)]
    return Unit(unit.factor**power, raised[0], raised[1], unit.offset)


def _prefixed(name: str) -> Unit | None:
    rows = _atoms()
    if name in rows:
        return _atom(name)
    row = rows.get(name[1:])
    if name[0] not in _PREFIXES or row is None or row["metric"] != "yes":
        return None
    unit = _atom(name[1:])
    return Unit(unit.factor * Fraction(10) ** _PREFIXES[name[0]], unit.above, unit.below)


@cache
def _atom(name: str) -> Unit:
    row = _atoms()[name]
    value, offset = _exact(row["value"]), _exact(row["offset"])
    if row["unit"] == name:
        return Unit(value, ((name, 1),), ())
    unit = parse(row["unit"])
    assert unit is not None, f"ucum_atoms.tsv, line {row.line}: {row['unit']} cannot be read"
    return Unit(unit.factor * value, unit.above, unit.below, offset)


@cache
def _atoms() -> dict[str, Row]:
    return {row["atom"]: row for row in read("ucum_atoms", _COLUMNS)}


def _exact(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    return Fraction(numerator) / Fraction(denominator or "1")
