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

from grounding import units
from grounding.concepts import CLASS_KEYS, class_key, key, short_name, specimen
from grounding.drugs import BY_RXCUI, RXNORM, Drug, DrugClass, drug_named

_SIDES = re.compile(r"\b(left|right|bilateral|both)\b", re.IGNORECASE)
_FAMILY = re.compile(
    r"\b(family history|family|mother|father|sister|brother|aunt|uncle|grandmother|grandfather|maternal|paternal|"
    r"daughter|son|cousin)\b",
    re.IGNORECASE,
)


# What terminologies put around a name: `Family history of ...`, `... (disorder)`, `..., unspecified`.
_WRAPPING = re.compile(
    r"^family history of (?:malignant neoplasm of )?|\s*\((?:disorder|finding|situation|substance|procedure)\)$|"
    r",? unspecified$",
    re.IGNORECASE,
)


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


def drug(fact: ClinicalFact) -> Drug | None:
    """The ingredient a medication or allergy names, by RxNorm code or by name."""
    for concept in (fact.code, fact.source_code):
        if concept.system == RXNORM and concept.code in BY_RXCUI:
            return BY_RXCUI[concept.code]
    return drug_named(fact.code.display) or drug_named(fact.source_code.display)


def belongs_to(fact: ClinicalFact, *classes: DrugClass) -> bool:
    found = drug(fact)
    return found is not None and found.drug_class in classes


def keys(fact: ClinicalFact) -> frozenset[str]:
    """Every key under which a name in a text may mean this fact."""
    found = {key(concept) for concept in _concepts(fact) if concept.code or concept.display}
    ingredient = drug(fact) if fact.kind == FACT_KIND_MEDICATION or not fact.HasField("quantity") else None
    if ingredient:
        found |= {f"{RXNORM}|{ingredient.rxcui}", class_key(ingredient.drug_class)}
    return frozenset(found)


def own_keys(fact: ClinicalFact) -> frozenset[str]:
    """Every key that means this concept itself; a drug's name does not mean the other drugs of its class."""
    return keys(fact) - CLASS_KEYS


def names(fact: ClinicalFact) -> tuple[str, ...]:
    """How the fact's concept is written: its short name, every display it was sent with, and `urine creatinine`."""
    texts = [name_of(fact), *(concept.display for concept in _concepts(fact))]
    texts += [
        f"{found} {concept.display.split(' [')[0]}" for concept in _concepts(fact) if (found := specimen(concept))
    ]
    plain = [" ".join(text.split()) for text in texts if text.strip()]
    return tuple(dict.fromkeys([*plain, *(_WRAPPING.sub("", text) for text in plain)]))


def name_of(fact: ClinicalFact) -> str:
    """What a reader calls it."""
    ingredient = drug(fact) if fact.kind == FACT_KIND_MEDICATION else None
    if ingredient:
        return ingredient.name
    return short_name(fact.code) if fact.code.display or fact.code.code else short_name(fact.source_code)


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


def _concepts(fact: ClinicalFact) -> tuple[CodedConcept, ...]:
    found = [fact.code, fact.source_code]
    if fact.HasField("coded"):
        found.append(fact.coded)
    return tuple(found)
