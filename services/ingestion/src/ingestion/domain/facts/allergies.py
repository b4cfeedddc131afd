"""AL1 and IAM: allergies, single denials of one, and the statement that there are none known."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longitude.record.v1 import fact_pb2 as pb
from terminology import absence, allergens
from terminology.absence import Meaning
from terminology.allergens import Allergen
from terminology.concepts import concept

from ingestion.domain.coding import CodedElement, most_complete, remembered
from ingestion.domain.facts import absences
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

# What `none` is about, by AL1-2 (HL7 table 0127): of drugs, of food, of the environment, or of anything.
_ABOUT = {
    "": "allergy",
    "MA": "allergy",
    "DA": "drug-allergy",
    "FA": "food-allergy",
    "EA": "environmental-allergy",
}
_ALLERGIES = ("allergy", "drug-allergy", "food-allergy", "environmental-allergy", "latex-allergy")
# `No penicillin` in a list of allergies may forbid the drug; only who speaks of the allergy denies it.
_OF_ALLERGY = re.compile(r"al+erg|denies|denied", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where AL1 and IAM keep the same things."""

    reaction: int
    onset: tuple[int, ...]


_AL1 = _Fields(reaction=5, onset=(6,))
_IAM = _Fields(reaction=5, onset=(11, 13, 20))


def allergy(segment: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """One allergy for each allergen that is named, or the absence of any."""
    fields = _AL1 if segment.name == "AL1" else _IAM
    element = CodedElement.read(segment.value(3))
    if not element:
        scope.origin.remark(segment, 3, "no allergen")
        return
    codes, assertion = _stated(element, segment.get(2), scope)
    if not codes:
        scope.origin.remark(segment, 3, "what is none or unknown is not clear; no fact")
    for code in codes:
        yield scope.fact(
            segment,
            segment.path(3),
            pb.Identity(groups=["allergies:"], names=[f"{code.system}|{code.code}"]),
            kind=pb.FACT_KIND_ALLERGY,
            code=code,
            source_code=scope.coding(element.primary),
            assertion=assertion,
            status=_status(segment),
            valid_from=scope.time(segment, *fields.onset),
            note="; ".join(value.get(2) or value.get(1) for value in segment.values(fields.reaction)),
        )


def _stated(
    element: CodedElement, kind: str, scope: Scope
) -> "tuple[Sequence[pb.CodedConcept], pb.Assertion.ValueType]":
    """What the element is about, and whether that is there; nothing where it says that this is not known."""
    stated = absences.whole(element, _ALLERGIES)
    if stated is not None:
        about = _ABOUT.get(kind, "") if stated.about == absence.ANY else stated.about
        none = absence.concept_of(Meaning.NONE, about) if stated.meaning is Meaning.NONE else None
        return [none] if none else [], pb.ASSERTION_ABSENT
    known = [allergens.concept_of(allergen) for allergen in substances(element)]
    sent = scope.coding(element.primary)
    denied = _denied(element)
    if denied:
        return known or [absences.without_opening(sent, denied)], pb.ASSERTION_ABSENT
    return known or [sent], pb.ASSERTION_PRESENT


def _denied(element: CodedElement) -> str:
    """What a text denies an allergy to; empty when it denies none."""
    meaning, rest = absences.opening(element.primary) or (None, "")
    return rest if meaning is Meaning.NONE and _OF_ALLERGY.search(element.primary.text) else ""


@remembered
def substances(element: CodedElement) -> Sequence[Allergen]:
    """The allergens that an element names, by its codes, else by its texts; a combination has several."""
    codes = (allergens.allergens_of(concept(c.system, c.code)) for c in element.codings if c.system)
    return most_complete(next(filter(None, codes), ()), *map(allergens.allergens_in, element.texts))


def _status(segment: Segment) -> "pb.FactStatus.ValueType":
    """IAM-6 action code (table 0206: D deletes) and IAM-17 clinical status (table 0438: E erroneous, I inactive)."""
    if segment.name != "IAM":
        return pb.FACT_STATUS_ACTIVE
    if segment.get(6) == "D" or segment.get(17) == "E":
        return pb.FACT_STATUS_ENTERED_IN_ERROR
    return pb.FACT_STATUS_ENDED if segment.get(17) == "I" else pb.FACT_STATUS_ACTIVE
