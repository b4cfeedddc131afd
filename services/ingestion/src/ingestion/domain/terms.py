"""Look-ups in the terminology tables: units, laboratory codes, drugs and allergens. Decimal arithmetic throughout."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import cache, lru_cache

from ingestion.domain.terminology import table

_FACTOR = re.compile(r"(?P<unit>[^=]+)=(?P<factor>[\d./]+)(?P<offset>[+-][\d./]+)?")
_OTHER_SPECIMEN = re.compile(
    r"\b(urine?|urinary|harn|csf|cerebrospinal|liquor|pleural|ascit\w*|peritoneal|synovial|sweat|saliva|stool|fluid)\b",
    re.IGNORECASE,
)
_URINE_RATIO = "9318-7"
_ARITHMETIC = Context(prec=34)


@dataclass(frozen=True, slots=True)
class Analyte:
    """A code of the common panel, the unit its values carry, and how other units become it."""

    loinc: str
    display: str
    unit: str
    decimals: int
    factors: dict[str, tuple[Fraction, Fraction]]

    def convertible(self, unit: str) -> bool:
        """Whether values in this UCUM unit can be given in the analyte's own."""
        return unit == self.unit or unit in self.factors

    def convert(self, value: str, unit: str) -> str:
        """A decimal in the analyte's unit; unchanged, digit for digit, when it is in that unit already."""
        if unit not in self.factors:
            return value
        factor, offset = self.factors[unit]
        if factor == 1 and not offset:
            return value
        exact = Fraction(Decimal(value)) * factor + offset
        quotient = _ARITHMETIC.divide(Decimal(exact.numerator), Decimal(exact.denominator))
        return str(quotient.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_EVEN, _ARITHMETIC))


def decimal_of(text: str) -> str | None:
    """A number as HL7's NM has it, digits kept as sent; None when it is none."""
    text = text.strip().removeprefix("+")
    if not re.fullmatch(r"-?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})", text):
        return None
    text = text.removesuffix(".")
    return text.replace(".", "0.", 1) if text.lstrip("-").startswith(".") else text


@lru_cache(maxsize=4096)
def ucum(unit: str) -> str:
    """A unit in UCUM where its spelling is known, else as sent."""
    plain = re.sub(r"\s", "", unit).replace("µ", "u").replace("\u03bc", "u").upper()
    row = table("units").get(plain)
    return row["ucum"] if row else unit.strip()


@cache
def analyte(loinc: str) -> Analyte | None:
    """The analyte of the common panel that a LOINC code stands for."""
    equivalent = table("loinc_equivalents").get(loinc)
    row = table("analytes").get(equivalent["common"] if equivalent else loinc)
    if row is None:
        return None
    own = equivalent["factors"] if equivalent else ""
    # A row with its own factors measures something else in the same unit, so that unit too is converted.
    factors = _factors(own or row["factors"])
    unit = row["unit"]
    return Analyte(row["loinc"], row["display"], unit, int(row["decimals"]), factors)


def local_analyte(code: str, texts: Sequence[str], unit: str) -> str | None:
    """LOINC of a local result code or name; None when unknown, of another specimen, or in a unit that does not fit."""
    for name in (code, *texts):
        row = table("local_results").get(plain(name))
        if row is None:
            continue
        known = analyte(row["loinc"])
        other_specimen = row["loinc"] != _URINE_RATIO and any(_OTHER_SPECIMEN.search(text) for text in texts)
        return row["loinc"] if known and known.convertible(unit) and not other_specimen else None
    return None


def plain(text: str) -> str:
    """Capitals without spaces and punctuation."""
    return re.sub(r"[\W_]", "", text.upper())


def words(text: str) -> str:
    """Capitals, punctuation as single spaces."""
    return re.sub(r"[\W_]+", " ", text.upper()).strip()


@lru_cache(maxsize=4096)
def drugs_in(texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """RxNorm ingredients (code, name) named in the first of the texts that names any, in order of their names."""
    for text in texts:
        padded = f" {words(text)} "
        found = {rxcui for name, rxcuis in _drug_names().items() if f" {name} " in padded for rxcui in rxcuis}
        if found:
            return sorted(((rxcui, ingredient_name(rxcui)) for rxcui in found), key=lambda item: item[1])
    return []


def drug_of_ndc(code: str) -> tuple[str, str] | None:
    """RxNorm ingredient of a National Drug Code in any of its written forms; None when unknown."""
    rxcui = next((found for form in _ndc_products(code) if (found := _ndc_table().get(form))), None)
    return (rxcui, ingredient_name(rxcui)) if rxcui else None


def ingredient_name(rxcui: str) -> str:
    """Name of an RxNorm ingredient of the table; empty when it is not there."""
    row = table("drugs").get(rxcui)
    return row["name"] if row else ""


@cache
def _drug_names() -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for rxcui, row in table("drugs").items():
        for name in filter(None, (row["name"], *row["synonyms"].split(","))):
            names.setdefault(words(name), set()).add(rxcui)
    return names


@cache
def _ndc_table() -> dict[tuple[str, str], str]:
    keys = ((key.partition("-"), row["rxcui"]) for key, row in table("ndc_products").items())
    return {(labeler, product): rxcui for (labeler, _, product), rxcui in keys}


def _ndc_products(code: str) -> list[tuple[str, str]]:
    """Labeler and product of 5-4-2, 4-4-2, 5-3-2, 5-4-1 with dashes, or of 11 digits, as the table writes them."""
    parts = code.split("-")
    if len(parts) < 2:  # no dashes
        parts = [code[:5], code[5:9]] if code.isdigit() and len(code) == 11 else []  # 5-4-2
    if not parts or not all(part.isdigit() for part in parts):
        return []
    labeler, product = parts[0].lstrip("0"), parts[1].zfill(4)
    return [(labeler.zfill(4), product), (labeler.zfill(5), product)]


def _factors(text: str) -> dict[str, tuple[Fraction, Fraction]]:
    matches = (_FACTOR.fullmatch(part) for part in text.split(";") if part)
    return {m["unit"]: (_fraction(m["factor"]), _fraction(m["offset"] or "0")) for m in matches if m}


def _fraction(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    try:
        return Fraction(Decimal(numerator)) / Fraction(Decimal(denominator or "1"))
    except (InvalidOperation, ZeroDivisionError) as error:
        raise ValueError(f"not a factor: {text}") from error
