"""Units: every spelling to its UCUM code, how people print it, and conversion between those that measure the same.

Guarantee: `convert` is exact to 34 digits, keeps the digits sent where only the decimal point moves, and answers None
when two units cannot be compared for what is measured; it never guesses.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache

from terminology import ucum as codes
from terminology.ordinary_words import is_one as is_ordinary
from terminology.substances import Relation, Substance, related_units, relation, substance
from terminology.tables import Row, read

_COLUMNS = ("ucum", "printed", "spellings", "prose", "misread", "source")
_ARITHMETIC = Context(prec=34)
_LONGEST = 64  # characters of a unit
_LOOKS = str.maketrans({"µ": "u", "\u03bc": "u", "²": "2", "³": "3", "×": "X"})

# As people print them: numbers with these are spans of time, not values.
TIME_UNITS = frozenset({"day", "week", "month", "year"})

Side = tuple[Fraction, codes.Dimensions]


def ucum(spelling: str, *, scanned: bool = False) -> str | None:
    """The UCUM code of a unit as sent or printed; None when it is not known. `scanned`: text recognition wrote it."""
    return _ucum(spelling, scanned=scanned) if len(spelling) <= _LONGEST else None


def readings(spelling: str) -> tuple[str, ...]:
    """The UCUM codes that a spelling in a field may mean: one, none, or several where what is measured decides."""
    return _readings(spelling) if len(spelling) <= _LONGEST else ()


# Only short texts are kept, so that the caches stay small whatever a sender writes.
@lru_cache(maxsize=4096)
def _readings(spelling: str) -> tuple[str, ...]:
    return _shared().get(spelling.strip()) or tuple(filter(None, [ucum(spelling)]))


@lru_cache(maxsize=4096)
def _ucum(spelling: str, *, scanned: bool) -> str | None:
    plain, text = _plain(spelling), spelling.strip()
    known = _spellings().get(plain) or (_misread().get(plain) if scanned else None)
    unit = codes.parse(text)
    # A bare number measures nothing: `10` is what is left of `10^3/uL` where a caret was not escaped.
    return known or (text if unit is not None and (unit.above or unit.below) else None)


def printed(unit: str) -> str:
    """A unit as people print it; unknown ones stay as they are, without double spaces."""
    code = ucum(unit)
    row = _rows().get(code) if code is not None else None
    return row["printed"] if row else " ".join(unit.split())


def comparable(unit: str, other: str, measured: str = "") -> bool:
    """Whether values in the two units can be compared when this substance is measured."""
    return convert(Decimal(1), unit, other, measured) is not None


def convert(value: Decimal, unit: str, to: str, measured: str = "", wanted: str = "") -> Decimal | None:
    """`value` in another unit; None when the two cannot be compared.

    `measured` names the substance where that matters (mass to moles), with `/` between two for a ratio. `wanted`: the
    substance that the answer counts where it is another one (urea given as urea nitrogen).
    """
    source, target = ucum(unit), ucum(to)
    if source is None or target is None:
        return None
    same = wanted in ("", measured)
    if source == target and same:
        return value
    exact = _related(Fraction(value), source, target, measured) if same else None
    if exact is None:
        exact = _scaled(Fraction(value), (source, measured), (target, wanted or measured))
    return None if exact is None else _decimal(exact, value)


def _related(value: Fraction, unit: str, to: str, measured: str) -> Fraction | None:
    """By a relation that holds for this substance, from and to any unit of the same size as those it names."""
    for pair in related_units(measured):
        for first, last in (pair, pair[::-1]):
            before, after = _scaled(value, (unit, ""), (first, "")), relation(measured, first, last)
            if before is not None and after is not None:
                return _scaled(_apply(after, before), (last, ""), (to, ""))
    return None


def _apply(known: Relation, value: Fraction) -> Fraction:
    return value * known.factor + known.offset


def _scaled(value: Fraction, source: tuple[str, str], target: tuple[str, str]) -> Fraction | None:
    """Between units of one dimension; of two, through the amount of substance."""
    unit, to = codes.parse(source[0]), codes.parse(target[0])
    if unit is None or to is None:
        return None
    if (unit.above, unit.below) == (to.above, to.below) and source[1] == target[1]:
        return (value + unit.offset) * unit.factor / to.factor - to.offset
    first, last = _amount(unit, source[1]), _amount(to, target[1])
    return value * first[0] / last[0] if first and last and first[1:] == last[1:] else None


def _amount(unit: codes.Unit, measured: str) -> tuple[Fraction, codes.Dimensions, codes.Dimensions] | None:
    """The unit with mass and charge of the substance (of two for a ratio) counted in moles; None for temperatures."""
    name, _, per = measured.partition("/")
    above, below = _in_moles(unit.above, name), _in_moles(unit.below, per)
    return None if unit.offset else (unit.factor * above[0] / below[0], above[1], below[1])


def _in_moles(dimensions: codes.Dimensions, name: str) -> Side:
    known = substance(name)
    factor = Fraction(1)
    counted: dict[str, int] = {}
    for dimension, power in dimensions:
        moles = _moles(dimension, known)
        factor *= (moles or Fraction(1)) ** power
        base = "mol" if moles else dimension
        counted[base] = counted.get(base, 0) + power
    return factor, tuple(sorted(counted.items()))


def _moles(dimension: str, known: Substance | None) -> Fraction | None:
    """How many moles one gram or one equivalent is; None for other dimensions."""
    if known is not None and dimension == "g" and known.molar_mass is not None:
        return 1 / known.molar_mass
    return Fraction(1, known.valence) if known is not None and dimension == "eq" and known.valence else None


def _decimal(exact: Fraction, sent: Decimal) -> Decimal:
    """Only the point moved: the digits as sent. Otherwise the quotient."""
    for places in range(-15, 16):
        if exact == Fraction(sent) * Fraction(10) ** places:
            moved = sent.scaleb(places, _ARITHMETIC)
            return moved if moved != moved.to_integral_value() or "E" not in str(moved) else moved.quantize(Decimal(1))
    return _ARITHMETIC.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def rounded(value: Decimal, sent: Decimal, decimals: int) -> Decimal:
    """A converted value with the digits that were sent, and with `decimals` at least; no digit is made up."""
    if value == sent:
        return sent
    figures = len(sent.normalize().as_tuple().digits)
    if value.as_tuple().digits == sent.as_tuple().digits:  # only the point moved
        return _trimmed(value, decimals)
    place = max(decimals, figures - 1 - value.adjusted())
    return value.quantize(Decimal(1).scaleb(-place), ROUND_HALF_EVEN, _ARITHMETIC)


def _trimmed(value: Decimal, decimals: int) -> Decimal:
    """Without zeros after `decimals`: 850 g are 0.85 kg, 120 g/L are 12.0 g/dL."""
    plain = value.normalize(_ARITHMETIC)
    exponent = plain.as_tuple().exponent
    assert isinstance(exponent, int)
    return plain.quantize(Decimal(1).scaleb(min(exponent, -decimals)), ROUND_HALF_EVEN, _ARITHMETIC)


def _plain(spelling: str) -> str:
    return re.sub(r"\s", "", spelling).translate(_LOOKS).upper()


@cache
def _rows() -> dict[str, Row]:
    return {row["ucum"]: row for row in read("units", _COLUMNS)}


@cache
def _spellings() -> dict[str, str]:
    """As fields and sentences write them; a printed form that two units share is the one that owns the spelling."""
    printed_forms = {_plain(row["printed"]): code for code, row in _rows().items() if row["printed"]}
    return printed_forms | {
        _plain(spelling): code
        for code, row in _rows().items()
        for spelling in (*row.several("spellings"), *row.several("prose"))
    }


@cache
def _shared() -> dict[str, tuple[str, ...]]:
    return {row["spelling"]: row.several("units") for row in read("unit_readings", ("spelling", "units", "source"))}


@cache
def _misread() -> dict[str, str]:
    return {spelling: code for code, row in _rows().items() for spelling in row.several("misread")}


def _in_sentences() -> set[str]:
    rows = read("units", _COLUMNS)
    printed_forms = {row["printed"].lower() for row in rows if row["printed"] and not is_ordinary(row["printed"])}
    return printed_forms | {word for row in rows for word in row.several("prose")}


# How sentences write units, lower case, the longest first: what stands after a number in a text.
PROSE: tuple[str, ...] = tuple(sorted(_in_sentences(), key=lambda word: (-len(word), word)))
