"""Measured values: what a number in OBX-5 means in the unit of OBX-6, as sent and as normalised."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from longitude.record.v1 import fact_pb2 as pb
from terminology import results, units
from terminology.concepts import LOINC
from terminology.observables import Code, by_loinc

from ingestion.domain.coding import CodedElement, remembered
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Delimiters, Segment, Value
from ingestion.domain.numbers import decimal_of, ucum

_COMPARATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "", "": "", "≤": "<=", "≥": ">="}
_COMPARED = re.compile(r"(?P<comparator><=|>=|<|>|=|≤|≥)?\s*(?P<number>[+-]?[\d.,]+)")
# Commas between thousands, where no one can take them for a decimal sign: several of them, or one before a point. One
# alone (`250,000`) may be either; the numbers of the reference range beside it tell.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)")
_ONE_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_DECIMAL_POINT = re.compile(r"\d+\.\d{1,2}")
_NUMBERS = re.compile(r"\d[\d.,]*")
_WITH_UNIT = re.compile(r"(?P<number>(?:[<>=≤≥]+\s*)?[+-]?[\d.,]+)\s*(?P<unit>[^\d\s.,].{0,40})")
_RANGE = re.compile(r"(?P<low>-?[\d.,]+)\s*(?:-|–|_|to|bis)\s*(?P<high>-?[\d.,]+)", re.IGNORECASE)
_BOUND = re.compile(r"(?P<comparator><=?|>=?|≤|≥)\s*(?P<number>-?[\d.,]+)")


_LONG_UNIT = 64


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number as sent, with the comparator and the unit beside it."""

    value: str
    comparator: str
    unit_as_sent: str

    @property
    def unit(self) -> str:
        """The unit in UCUM, where its spelling is known."""
        return ucum(self.unit_as_sent)


def measured(text: str, unit: str, beside: str = "") -> Measurement | None:
    """`5.4`, `<0.1`, `>= 60`; None when the text is no number. `beside`: the reference range, of the same writer."""
    ask = _measured_again if len(text) + len(unit) + len(beside) <= _LONG_UNIT else _measured
    return ask(text, unit, beside)


def _measured(text: str, unit: str, beside: str) -> Measurement | None:
    match = _COMPARED.fullmatch(text.strip())
    number = _number(match["number"], beside) if match else None
    if match is None or number is None:
        return None
    return Measurement(number, _COMPARATORS[match["comparator"] or ""], unit)


_measured_again = lru_cache(maxsize=4096)(_measured)


def with_unit(text: str) -> Measurement | None:
    """`5.4 mmol/L`, `<0.1mg/dL`: a number and its unit in one text; None when the unit is not known."""
    match = _WITH_UNIT.fullmatch(text.strip())
    unit = match["unit"] if match else ""
    return measured(match["number"], unit) if match and units.ucum(unit) else None


def _number(text: str, beside: str = "") -> str | None:
    if "," in text and (_THOUSANDS.fullmatch(text) or (_ONE_COMMA.fullmatch(text) and _has_thousands(beside))):
        text = text.replace(",", "")
    return decimal_of(text)


def _has_thousands(text: str) -> bool:
    """Whether every number of a text has thousands or a decimal point."""
    numbers = _NUMBERS.findall(text)
    forms = (_THOUSANDS, _ONE_COMMA, _DECIMAL_POINT)
    return bool(numbers) and all(any(form.fullmatch(number) for form in forms) for number in numbers)


def structured_numeric(value: Value, unit: str) -> Measurement | None:
    """SN: comparator and number; None for ranges, ratios and categories."""
    number = decimal_of(value.get(2))
    comparator = _COMPARATORS.get(value.get(1))
    if number is None or comparator is None or value.get(3) or value.get(4):
        return None
    return Measurement(number, comparator, unit)


@dataclass(frozen=True, slots=True)
class NormalisedResult:
    """What was measured, in the vocabulary of the record. `known` is None where only the spelling was normalised."""

    code: pb.CodedConcept
    known: Code | None

    def quantities(self, sent: Measurement) -> dict[str, pb.Quantity]:
        """`quantity`, and `source_quantity` where the unit changed."""
        unit, value = sent.unit, sent.value
        if self.known is not None:
            unit, value = self.known.observable.unit, _in_unit(self.known, value, sent.unit_as_sent)
        quantity = pb.Quantity(value=value, unit=unit, comparator=sent.comparator)
        if unit == sent.unit_as_sent:
            return {"quantity": quantity}
        source = pb.Quantity(value=sent.value, unit=sent.unit_as_sent, comparator=sent.comparator)
        return {"quantity": quantity, "source_quantity": source}

    def reference_range(self, text: str, unit_as_sent: str) -> pb.ReferenceRange | None:
        """OBX-7, its bounds in the unit of the quantity."""
        if not text:
            return None
        short = len(text) <= _LONG_UNIT and len(unit_as_sent) <= _LONG_UNIT
        loinc = self.known.loinc if self.known is not None else ""
        return (_range_again if short else _range)(loinc, text, unit_as_sent)


def _range(loinc: str, text: str, unit_as_sent: str) -> pb.ReferenceRange:
    known = by_loinc(loinc)
    low, high = _bounds(text)
    if known is not None:
        low, high = (_in_unit(known, bound, unit_as_sent) if bound else "" for bound in (low, high))
    return pb.ReferenceRange(low=low, high=high, text=text)


# Feeds repeat their ranges, units and codes; only short ones are kept, so that the caches stay small.
_range_again = lru_cache(maxsize=4096)(_range)


def normalise_result(
    element: CodedElement, unit: str | None, scope: Scope, within: Sequence[str] = ()
) -> NormalisedResult:
    """The code of an observation. `unit`: as sent beside a number; None for values that are no numbers.

    A known observable is taken only when the value can be given in its unit: a number in another unit keeps the code
    that it came with. `within`: what the order and the specimen say.
    """
    ask = _normalised_again if len(unit or "") < _LONG_UNIT else _normalised
    return ask(element, unit, scope.origin.facility, tuple(within))


def _normalised(element: CodedElement, unit: str | None, facility: str, within: tuple[str, ...]) -> NormalisedResult:
    loinc = element.in_system(LOINC)
    known = by_loinc(loinc.code) if loinc else _local(element, unit, within)
    sent = (loinc or element.primary).concept(facility)
    if known is None:
        return NormalisedResult(sent, None)
    if unit is None:
        return NormalisedResult(known.concept, None)
    return NormalisedResult(known.concept, known) if known.accepts(unit) else NormalisedResult(sent, None)


_normalised_again = remembered(_normalised)


def lacks_unit(element: CodedElement) -> bool:
    """Whether a number of this code says nothing without a unit."""
    loinc = element.in_system(LOINC)
    known = by_loinc(loinc.code) if loinc else None
    return known is not None and not known.accepts("")


def unit_of(obx: Segment) -> str:
    """OBX-6 as sent: the identifier, else the text; `10^3/uL` whole, although its caret was not escaped."""
    raw = obx.raw(6)
    return (_unit_again if len(raw) < _LONG_UNIT else _unit)(raw, obx.delimiters) if raw else ""


def _unit(raw: str, delimiters: Delimiters) -> str:
    field = Segment("OBX", 1, [raw], delimiters)
    identifier, text = field.get(0, 1), field.get(0, 2)
    whole = f"{identifier}^{text}"
    return whole if text and not units.ucum(identifier) and units.ucum(whole) else identifier or text


_unit_again = lru_cache(maxsize=4096)(_unit)


def _local(element: CodedElement, unit: str | None, within: tuple[str, ...]) -> Code | None:
    return _by_names(element, unit, within) if unit and len(unit) < _LONG_UNIT else None


@remembered
def _by_names(element: CodedElement, unit: str, within: tuple[str, ...]) -> Code | None:
    """The observable of a local code or name: the first that is known decides, all else that was sent may refuse it."""
    local = [coding.code for coding in element.codings if not coding.system]
    names = list(filter(None, [*local, *element.texts])) if local else []
    name = next((name for name in names if results.by_name(name)), None)
    beside = [other for other in names if other != name]
    return results.by_local(name, unit, beside, within) if name else None


def _in_unit(known: Code, value: str, unit: str) -> str:
    """In the record's unit; digit for digit as sent where the number stays the same."""
    if _is_own(known.loinc, unit):
        return value
    sent = Decimal(value)
    converted = known.in_unit(sent, unit)
    return value if converted is None or converted == sent else f"{converted:f}"


@lru_cache(maxsize=4096)
def _is_own(loinc: str, unit: str) -> bool:
    """Whether a value in this unit is one in the record's unit, of the same substance."""
    known = by_loinc(loinc)
    return known is not None and ucum(unit) == known.observable.unit and known.substance == known.observable.substance


def _bounds(text: str) -> tuple[str, str]:
    both = _RANGE.fullmatch(text.strip())
    if both:
        return _number(both["low"], text) or "", _number(both["high"], text) or ""
    bound = _BOUND.fullmatch(text.strip())
    number = (_number(bound["number"], text) if bound else None) or ""
    return (number, "") if bound and bound["comparator"][0] in ">≥" else ("", number)
