"""Names of laboratory analytes as pages print them -> LOINC, and their values in the record's units.

Small on purpose: an analyte that is not in analytes.tsv is still reported as a field of the page, as printed, and
becomes no fact. A name is looked up, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cache

from imaging.domain.tables import table

LOINC = "http://loinc.org"

_ARITHMETIC = Context(prec=34)
_RATIO = "9318-7"
_OTHER_SPECIMEN = re.compile(r"(?:\bin\s+)?\b(urine|urinary|csf|fluid|stool|sweat|saliva|24\s?h)\b", re.IGNORECASE)
# `Creatinine [Mass/volume] in Serum or Plasma`, `Serum creatinine`, `Hemoglobin (blood)`: all of it says blood.
_BLOOD = re.compile(
    r"\[[^\]]*\]?|\s*\bin\s*(?:blood|serum|plasma)\b.*|\((?:blood|serum|plasma)\)|\b(?:serum|plasma|venous)\b",
    re.IGNORECASE,
)
_FACTOR = re.compile(r"(?P<unit>[^=]+)=(?P<factor>[\d./]+)(?:\+(?P<offset>[\d.]+))?")


@dataclass(frozen=True, slots=True)
class Analyte:
    """One analyte, the unit its facts carry, and what can stand on a page of a living patient in that unit."""

    loinc: str
    display: str
    unit: str
    decimals: int
    factors: dict[str, tuple[Fraction, Fraction]]
    low: Decimal
    high: Decimal

    def value_in_unit(self, value: Decimal, unit: str) -> Decimal | None:
        """Digit for digit as printed when `unit` is the analyte's own, else converted; None when neither is possible
        or the result cannot be true (a lost decimal point, a value of the row above).
        """
        converted = value if unit == self.unit else self._convert(value, unit)
        return converted if converted is not None and self.low <= converted <= self.high else None

    def _convert(self, value: Decimal, unit: str) -> Decimal | None:
        if unit not in self.factors:
            return None
        factor, offset = self.factors[unit]
        exact = Fraction(value) * factor + offset
        quotient = _ARITHMETIC.divide(Decimal(exact.numerator), Decimal(exact.denominator))
        return quotient.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_EVEN, _ARITHMETIC)


def find_analyte(printed: str) -> Analyte | None:
    """The analyte of exactly this name; None for another specimen than blood (but the urine ratio) and for the rest."""
    names = _by_name()
    if _OTHER_SPECIMEN.search(printed):
        ratio = names.get(_plain(_OTHER_SPECIMEN.sub(" ", _BLOOD.sub(" ", printed))))
        return ratio if ratio is not None and ratio.loinc == _RATIO else None
    return names.get(_plain(_BLOOD.sub(" ", printed))) or names.get(_plain(printed))


def ucum(printed: str) -> str:
    """The UCUM code of a unit as printed; empty if it is not known."""
    plain = re.sub(r"\s+", "", printed).lower().replace("µ", "u").replace("\u03bc", "u").replace("²", "2")
    return _units().get(plain, "")


def _plain(name: str) -> str:
    """Without spaces and punctuation at the ends: OCR loses spaces, pages add dots and colons."""
    return re.sub(r"[\s.:,*-]+", "", name.lower())


@cache
def _units() -> dict[str, str]:
    return {row["printed"]: row["ucum"] for row in table("units")}


@cache
def _by_name() -> dict[str, Analyte]:
    return {_plain(name): _analyte(row) for row in table("analytes") for name in row["names"].split("|")}


def _analyte(row: dict[str, str]) -> Analyte:
    factors = {
        match["unit"]: (_fraction(match["factor"]), Fraction(match["offset"] or 0))
        for match in map(_FACTOR.fullmatch, row["factors"].split(";"))
        if match is not None
    }
    limits = Decimal(row["low"]), Decimal(row["high"])
    return Analyte(row["loinc"], row["display"], row["unit"], int(row["decimals"]), factors, *limits)


def _fraction(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    return Fraction(numerator) / Fraction(denominator or 1)
