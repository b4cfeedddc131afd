"""Measured values: what a number in OBX-5 means in the unit of OBX-6, as sent and as normalised."""

import re
from dataclasses import dataclass

from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import LOINC, CodedElement, Coding
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment, Value
from ingestion.domain.terms import Analyte, analyte, decimal_of, local_analyte, ucum

_COMPARATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "", "": "", "≤": "<=", "≥": ">="}
_COMPARED = re.compile(r"(?P<comparator><=|>=|<|>|=|≤|≥)?\s*(?P<number>[+-]?[\d.]+)")
_RANGE = re.compile(r"(?P<low>-?[\d.]+)\s*(?:-|–|_|to|bis)\s*(?P<high>-?[\d.]+)", re.IGNORECASE)
_BOUND = re.compile(r"(?P<comparator><=?|>=?|≤|≥)\s*(?P<number>-?[\d.]+)")


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


def measured(text: str, unit: str) -> Measurement | None:
    """`5.4`, `<0.1`, `>= 60`; None when the text is no number."""
    match = _COMPARED.fullmatch(text.strip())
    number = decimal_of(match["number"]) if match else None
    if match is None or number is None:
        return None
    return Measurement(number, _COMPARATORS[match["comparator"] or ""], unit)


def structured_numeric(value: Value, unit: str) -> Measurement | None:
    """SN: comparator and number; None for ranges, ratios and categories."""
    number = decimal_of(value.get(2))
    comparator = _COMPARATORS.get(value.get(1))
    if number is None or comparator is None or value.get(3) or value.get(4):
        return None
    return Measurement(number, comparator, unit)


@dataclass(frozen=True, slots=True)
class NormalisedResult:
    """What was measured, in the vocabulary of the record. `analyte` is None where only the spelling was normalised."""

    code: pb.CodedConcept
    analyte: Analyte | None

    def quantities(self, sent: Measurement) -> dict[str, pb.Quantity]:
        """`quantity`, and `source_quantity` where the unit changed."""
        unit, value = sent.unit, sent.value
        if self.analyte is not None:
            unit, value = self.analyte.unit, self.analyte.convert(value, unit)
        quantity = pb.Quantity(value=value, unit=unit, comparator=sent.comparator)
        if unit == sent.unit_as_sent:
            return {"quantity": quantity}
        source = pb.Quantity(value=sent.value, unit=sent.unit_as_sent, comparator=sent.comparator)
        return {"quantity": quantity, "source_quantity": source}

    def reference_range(self, text: str, unit_as_sent: str) -> pb.ReferenceRange | None:
        """OBX-7, its bounds in the unit of the quantity."""
        if not text:
            return None
        low, high = _bounds(text)
        if self.analyte is not None:
            unit = ucum(unit_as_sent)
            low, high = (self.analyte.convert(bound, unit) if bound else "" for bound in (low, high))
        return pb.ReferenceRange(low=low, high=high, text=text)


def normalise_result(element: CodedElement, unit: str | None, scope: Scope) -> NormalisedResult:
    """The code of an observation. `unit`: as sent beside a number; None for values that are no numbers.

    A code of the common panel is used only when the value can be given in its unit: a number in another unit keeps the
    code that it came with.
    """
    coding = element.in_system(LOINC) or _as_loinc(element, unit)
    if coding is None:
        return NormalisedResult(scope.coding(element.primary), None)
    known = analyte(coding.code)
    if known is None:
        return NormalisedResult(scope.coding(coding), None)
    if unit is None:
        return NormalisedResult(_concept(known), None)
    if known.convertible(ucum(unit)):
        return NormalisedResult(_concept(known), known)
    return NormalisedResult(scope.coding(coding), None)


def unit_of(obx: Segment) -> str:
    """OBX-6 as sent: the identifier, else the text."""
    return obx.get(6, 1) or obx.get(6, 2)


def _as_loinc(element: CodedElement, unit: str | None) -> Coding | None:
    local = [coding for coding in element.codings if not coding.system]
    names = element.texts
    loinc = next((found for c in local if unit and (found := local_analyte(c.code, names, ucum(unit)))), None)
    return Coding(loinc, "", "LN") if loinc else None


def _concept(known: Analyte) -> pb.CodedConcept:
    return pb.CodedConcept(system=LOINC, code=known.loinc, display=known.display)


def _bounds(text: str) -> tuple[str, str]:
    both = _RANGE.fullmatch(text.strip())
    if both:
        return decimal_of(both["low"]) or "", decimal_of(both["high"]) or ""
    bound = _BOUND.fullmatch(text.strip())
    number = (decimal_of(bound["number"]) if bound else None) or ""
    return (number, "") if bound and bound["comparator"][0] in ">≥" else ("", number)
