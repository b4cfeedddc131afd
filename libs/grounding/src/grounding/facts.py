"""Reading one clinical fact: its number, days, names and laterality, the same for rendering and for checking.

Guarantee: nothing here invents; what a fact does not say is None or empty.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    FACT_KIND_MEDICATION,
    FACT_STATUS_ENDED,
    FACT_STATUS_ORDERED,
    ClinicalFact,
    CodedConcept,
    Quantity,
)
from terminology import observables, units
from terminology.drug_classes import DrugClass

from grounding import subject
from grounding.subject import Subject

_SIDES = re.compile(r"\b(left|right|bilateral|both)\b", re.IGNORECASE)
_FAMILY = re.compile(
    r"\b(family history|family|mother|father|sister|brother|aunt|uncle|grandmother|grandfather|maternal|paternal|"
    r"daughter|son|cousin)\b",
    re.IGNORECASE,
)


_NOTHING = CodedConcept()


def number(quantity: Quantity) -> Decimal | None:
    """The value, if it is a finite decimal number."""
    try:
        value = Decimal(quantity.value)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def quantities(fact: ClinicalFact) -> tuple[Quantity, ...]:
    """The normalised quantity and the one as sent, where there are any."""
    found = [fact.quantity] if fact.HasField("quantity") else []
    if fact.HasField("source_quantity"):
        found.append(fact.source_quantity)
    return tuple(found)


def moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


def starts_on(fact: ClinicalFact) -> date | None:
    """The UTC day on which the statement begins to hold; of a result, the day of observation."""
    return moment(fact.valid_from).date() if fact.HasField("valid_from") else None


def ends_on(fact: ClinicalFact) -> date | None:
    """The UTC day on which it stopped holding; None while it is open, and for results, which hold at an instant."""
    if not fact.HasField("valid_to") or (fact.HasField("valid_from") and fact.valid_to == fact.valid_from):
        return None
    return moment(fact.valid_to).date()


def days(fact: ClinicalFact) -> frozenset[date]:
    return frozenset(day for day in (starts_on(fact), ends_on(fact)) if day)


def is_absent(fact: ClinicalFact) -> bool:
    return fact.assertion == ASSERTION_ABSENT


def has_ended(fact: ClinicalFact, on: date | None = None) -> bool:
    """Whether the statement is over, by its status or because its end lies on or before `on`."""
    end = ends_on(fact)
    return fact.status == FACT_STATUS_ENDED or (on is not None and end is not None and end <= on)


def is_order(fact: ClinicalFact) -> bool:
    return fact.kind == FACT_KIND_MEDICATION and fact.status == FACT_STATUS_ORDERED


def about(fact: ClinicalFact) -> Subject:
    """What the fact is about, as terminology knows it."""
    coded = fact.coded if fact.HasField("coded") else _NOTHING
    return subject.of(fact.kind, _coded(fact.code), _coded(fact.source_code), _coded(coded))


def class_of(fact: ClinicalFact, *identifiers: str) -> DrugClass | None:
    """The first of these classes (ids of terminology) that the fact belongs to."""
    own = {each.id: each for each in about(fact).classes}
    return next((own[each] for each in identifiers if each in own), None)


def keys(fact: ClinicalFact) -> frozenset[str]:
    """Every key under which a name in a text may mean this fact."""
    return about(fact).keys


def names(fact: ClinicalFact) -> tuple[str, ...]:
    """How the fact's concept is written."""
    return about(fact).names


def name_of(fact: ClinicalFact) -> str:
    """What a reader calls it."""
    return about(fact).name


def convert(fact: ClinicalFact, quantity: Quantity, unit: str) -> Decimal | None:
    """One of the fact's quantities in another unit; None where it is no number or the units cannot be compared."""
    value = number(quantity)
    return None if value is None else observables.convert(value, quantity.unit, unit, measured(fact, quantity))


def measured(fact: ClinicalFact, quantity: Quantity) -> str:
    """The LOINC code of what one of the fact's quantities measures; empty where it is not known."""
    as_sent = fact.HasField("source_quantity") and quantity == fact.source_quantity
    return about(fact).sent_loinc if as_sent else about(fact).loinc


def sides(fact: ClinicalFact) -> frozenset[str]:
    """Lateralities that the fact mentions, `both` counted as bilateral."""
    found = {match.lower() for match in _SIDES.findall(searchable(fact))}
    return frozenset("bilateral" if side == "both" else side for side in found)


def is_family_history(fact: ClinicalFact) -> bool:
    """Whether the fact speaks of a relative (ICD-10 Z80-Z84, or words that say so)."""
    return fact.code.code[:3] in {"Z80", "Z81", "Z82", "Z83", "Z84"} or is_family_history_text(searchable(fact))


def is_family_history_text(text: str) -> bool:
    """Whether words say that a relative is meant."""
    return bool(_FAMILY.search(text))


def searchable(fact: ClinicalFact) -> str:
    """All words of the fact."""
    parts = [concept.display for concept in _concepts(fact)]
    parts += [fact.text, fact.note, fact.dosage.route, fact.dosage.frequency, fact.dosage.instruction]
    return " ".join(part for part in parts if part)


def printed_quantity(quantity: Quantity) -> str:
    """`1.9 mg/dL`, `<5 mg/L`: the digits as they stand in the record."""
    unit = units.printed(quantity.unit)
    gap = "" if unit == "%" else " "
    return f"{quantity.comparator}{quantity.value}{gap + unit if unit else ''}"


def _coded(concept: CodedConcept) -> tuple[str, str, str]:
    return concept.system, concept.code, concept.display


def _concepts(fact: ClinicalFact) -> tuple[CodedConcept, ...]:
    found = [fact.code, fact.source_code]
    if fact.HasField("coded"):
        found.append(fact.coded)
    return tuple(found)
