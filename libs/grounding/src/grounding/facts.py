"""Reading one clinical fact: its number, days, names and laterality, the same for rendering and for checking.

Guarantee: nothing here invents; what a fact does not say is None or empty.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_STATUS_ENDED,
    FACT_STATUS_ORDERED,
    ClinicalFact,
    CodedConcept,
    Quantity,
)
from terminology import allergens, drug_classes, drugs, observables, problems, units
from terminology import names as observed
from terminology.allergens import Allergen
from terminology.concepts import LOINC
from terminology.drug_classes import DrugClass
from terminology.drugs import Ingredient

from grounding import keys as k

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


def ingredients(fact: ClinicalFact) -> tuple[Ingredient, ...]:
    """What a medication is made of, by code before name; none for an unknown one."""
    if fact.kind != FACT_KIND_MEDICATION:
        return ()
    return _ingredients(*_coded(fact.code), *_coded(fact.source_code))


def allergens_of(fact: ClinicalFact) -> tuple[Allergen, ...]:
    """What an allergy is about: ingredients, a class or another substance; none where it is not known."""
    return _allergens(*_coded(fact.code), *_coded(fact.source_code)) if fact.kind == FACT_KIND_ALLERGY else ()


def classes(fact: ClinicalFact) -> tuple[DrugClass, ...]:
    """The classes of a medication. Of an allergy, the class that it is about, and of an ingredient those whose members
    are taken as alike.
    """
    own = [each for ingredient in ingredients(fact) for each in drug_classes.classes_of(ingredient)]
    for allergen in allergens_of(fact):
        own += [allergen.drug_class] if allergen.drug_class else []
        own += [each for each in _classes_of(allergen.ingredient) if each in allergens.alike()]
    return tuple(dict.fromkeys(own))


def class_of(fact: ClinicalFact, *identifiers: str) -> DrugClass | None:
    """The first of these classes (ids of terminology) that the fact belongs to."""
    own = {each.id: each for each in classes(fact)}
    return next((own[each] for each in identifiers if each in own), None)


def keys(fact: ClinicalFact) -> frozenset[str]:
    """Every key under which a name in a text may mean this fact."""
    made_of = ingredients(fact)
    meant = [k.of_ingredient(each) for each in made_of]
    meant += [k.of_class(each) for each in classes(fact)]
    return own_keys(fact) | frozenset(meant)


def own_keys(fact: ClinicalFact) -> frozenset[str]:
    """Every key that means this concept itself: not the class of a drug, not one part of a combination."""
    meant = {k.of_concept(concept) for concept in _concepts(fact) if concept.code or concept.display}
    made_of = ingredients(fact)
    if made_of:
        meant.add(k.of_drug(made_of))
    about = [each.ingredient for each in allergens_of(fact) if each.ingredient]
    return frozenset(meant).union(map(k.of_ingredient, about))


def names(fact: ClinicalFact) -> tuple[str, ...]:
    """How the fact's concept is written: its short name, every display it was sent with, and `urine creatinine`."""
    texts = [name_of(fact), *(concept.display for concept in _concepts(fact))]
    texts += [
        f"{other} {concept.display.split(' [')[0]}"
        for concept in _concepts(fact)
        if (other := observed.other_specimen(concept))
    ]
    plain = [" ".join(text.split()) for text in texts if text.strip()]
    return tuple(dict.fromkeys([*plain, *(_WRAPPING.sub("", text) for text in plain)]))


def name_of(fact: ClinicalFact) -> str:
    """What a reader calls it: a medication by its ingredients."""
    concept = fact.code if fact.code.display or fact.code.code else fact.source_code
    made_of = ingredients(fact)
    if fact.kind == FACT_KIND_ALLERGY:
        made_of = drugs.ingredients_of_code(concept.system, concept.code)
    if made_of:
        return " / ".join(each.name for each in made_of)
    if fact.kind == FACT_KIND_PROBLEM and not concept.display:
        return problems.short_name(concept)
    return observed.short_name(concept)


def convert(fact: ClinicalFact, quantity: Quantity, unit: str) -> Decimal | None:
    """One of the fact's quantities in another unit; None where it is no number or the units cannot be compared."""
    value = number(quantity)
    return None if value is None else observables.convert(value, quantity.unit, unit, measured(fact, quantity))


def measured(fact: ClinicalFact, quantity: Quantity) -> str:
    """The LOINC code of what one of the fact's quantities measures; empty where it is not known.

    What was sent may measure another substance than what is recorded: urea for urea nitrogen.
    """
    as_sent = fact.HasField("source_quantity") and quantity == fact.source_quantity
    return (_loinc(fact.source_code) if as_sent else "") or _loinc(fact.code)


def _loinc(concept: CodedConcept) -> str:
    known = observables.of(concept)
    return "" if known is None else concept.code if concept.system == LOINC else known.loinc


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


@lru_cache(maxsize=16_384)
def _ingredients(system: str, code: str, display: str, *sent: str) -> tuple[Ingredient, ...]:
    source_system, source_code, source_display = sent
    return (
        drugs.ingredients_of_code(system, code)
        or drugs.ingredients_of_code(source_system, source_code)
        or drugs.ingredients_in(display)
        or drugs.ingredients_in(source_display)
    )


@lru_cache(maxsize=16_384)
def _allergens(system: str, code: str, display: str, *sent: str) -> tuple[Allergen, ...]:
    source_system, source_code, source_display = sent
    source = CodedConcept(system=source_system, code=source_code, display=source_display)
    return allergens.allergens_of(CodedConcept(system=system, code=code, display=display)) or (
        allergens.allergens_of(source)
    )


def _classes_of(ingredient: Ingredient | None) -> tuple[DrugClass, ...]:
    return drug_classes.classes_of(ingredient) if ingredient else ()


def _coded(concept: CodedConcept) -> tuple[str, str, str]:
    return concept.system, concept.code, concept.display


def _concepts(fact: ClinicalFact) -> tuple[CodedConcept, ...]:
    found = [fact.code, fact.source_code]
    if fact.HasField("coded"):
        found.append(fact.coded)
    return tuple(found)
