"""AL1 and IAM: allergies, single denials of one, and the statement that there are none known.

An allergy is known by its own number (IAM-7), else by what it is to, in the words and codes that were sent. All are in
one list, which an AL1 of HL7 nulls deletes (v2.5.1 section 2.10.4.1).
"""

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
from ingestion.domain.facts.names import instance_of, names_of
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.protocol import table

_LIST = "allergies:"
_SEVERITIES = "http://terminology.hl7.org/CodeSystem/v2-0128"
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
_OF_ALLERGY = re.compile(r"al+erg|denies|denied|challenge|\btest", re.IGNORECASE)
# What was taken without harm is no allergen: `Tolerates cephalosporins`, `Penicillin - tolerated amoxicillin`.
_TOLERATED = re.compile(
    r"(?<!not )(?<!never )(?<!poorly )(?<!badly )\btolerat(?:es|ed|ing)\b(?! (?:poorly|badly))", re.IGNORECASE
)
# Words that say that it is no allergy, or may be none.
_NO_ALLERGY = re.compile(
    r"\b(?:intoleran(?:ce|t)|side effects?|adverse (?:drug )?(?:reaction|event)|contraindicat\w+)\b"
)
# IAM-6 (HL7 table 0206): what is deleted, and what says nothing of the state.
_DELETED = "D"
_STATELESS = frozenset({"U", "X"})


@dataclass(frozen=True, slots=True)
class _Stated:
    """What an element says: of what, whether that is there, and whether it is doubted."""

    codes: Sequence[pb.CodedConcept]
    assertion: "pb.Assertion.ValueType" = pb.ASSERTION_PRESENT
    doubted: bool = False


def allergy(segment: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """One allergy for each allergen that is named, or the absence of any; of nulls, that the list is deleted."""
    number = instance_of(segment, 7) if segment.name == "IAM" else ""
    element = CodedElement.read(segment.value(3))
    if element:
        yield from _named(segment, element, number, scope)
    elif number and segment.get(6).upper() == _DELETED:
        yield _withdrawal(segment, 7, pb.Identity(groups=[_LIST], names=[number]), scope)
    elif segment.is_null(3):
        yield _withdrawal(segment, 3, pb.Identity(groups=[_LIST], whole_group=True), scope)
    else:
        scope.origin.remark(segment, 3, "no allergen")


def _withdrawal(segment: Segment, field: int, identity: pb.Identity, scope: Scope) -> pb.ClinicalFact:
    return scope.fact(
        segment,
        segment.path(field),
        identity,
        kind=pb.FACT_KIND_ALLERGY,
        status=pb.FACT_STATUS_ENTERED_IN_ERROR,
    )


def _named(segment: Segment, element: CodedElement, number: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    stated = _stated(element, segment.get(2), scope)
    if not stated.codes:
        scope.origin.remark(segment, 3, "what is none, unknown or of somebody else; no fact")
    status = _status(segment)
    if stated.doubted and status in {pb.FACT_STATUS_ACTIVE, pb.FACT_STATUS_UNSPECIFIED}:
        status = pb.FACT_STATUS_PRELIMINARY
    identity = pb.Identity(groups=[_LIST], names=[number] if number else names_of(element, scope))
    for code in stated.codes:
        fact = scope.fact(
            segment,
            segment.path(3),
            identity,
            kind=pb.FACT_KIND_ALLERGY,
            code=code,
            source_code=scope.coding(element.primary),
            assertion=stated.assertion,
            status=status,
            valid_from=scope.origin.time(segment, 11 if segment.name == "IAM" else 6),
            note="; ".join([*(value.get(2) or value.get(1) for value in segment.values(5)), *_other(segment, element)]),
            severity=_severity(segment, scope),
        )
        fact.identity.part = f"{code.system}|{code.code}" if len(stated.codes) > 1 else ""
        yield fact


def _other(segment: Segment, element: CodedElement) -> list[str]:
    """What the entry is instead of an allergy (a side effect, an intolerance), by its codes, else in its words."""
    kinds = [segment.get(9) if segment.name == "IAM" else "", segment.get(2)]
    rows = (table("allergy_kinds").get(kind.upper()) for kind in kinds)
    coded = [row["words"] for row in rows if row]
    said = [match[0] for text in element.texts for match in _NO_ALLERGY.finditer(text.lower())]
    return list(dict.fromkeys(coded or said))


def _severity(segment: Segment, scope: Scope) -> pb.CodedConcept | None:
    element = CodedElement.read(segment.value(4))
    sent = element.primary
    known = table("allergy_severities").get(sent.code.upper())
    if known:
        return pb.CodedConcept(system=_SEVERITIES, code=known["code"], display=known["display"])
    return scope.coding(sent) if element and sent.code.upper() != "U" else None


def _stated(element: CodedElement, kind: str, scope: Scope) -> _Stated:
    """What the element is about, and whether that is there; no codes where it says that this is not known."""
    whole = absences.whole(element, _ALLERGIES)
    if whole is not None:
        about = _ABOUT.get(kind, "") if whole.about == absence.ANY else whole.about
        none = absence.concept_of(Meaning.NONE, about) if whole.meaning is Meaning.NONE else None
        return _Stated([none] if none else [], pb.ASSERTION_ABSENT)
    meaning, rest = absences.said_of(element.primary) or (None, "")
    if meaning is Meaning.OTHER_PERSON or (not substances(element) and absence.of_another(element.primary.text)):
        return _Stated([])
    sent = scope.coding(element.primary)
    known = [allergens.concept_of(allergen) for allergen in substances(element)]
    if (of_tolerated := _tolerated(element.primary.text)) is not None:
        return of_tolerated
    if meaning is Meaning.RULED_OUT or (meaning is Meaning.NONE and _OF_ALLERGY.search(element.primary.text)):
        return _Stated(known or [absences.without_opening(sent, rest)], pb.ASSERTION_ABSENT)
    return _Stated(known or [sent], doubted=meaning is Meaning.SUSPECTED)


def _tolerated(text: str) -> _Stated | None:
    """Of a text that says what was tolerated: the allergens before that, else the absence of those after it."""
    cue = _TOLERATED.search(text)
    if cue is None or not (after := allergens.allergens_in(text[cue.end() :])):
        return None
    before = allergens.allergens_in(text[: cue.start()])
    concepts = [allergens.concept_of(allergen) for allergen in before or after]
    return _Stated(concepts, pb.ASSERTION_PRESENT if before else pb.ASSERTION_ABSENT)


@remembered
def substances(element: CodedElement) -> Sequence[Allergen]:
    """The allergens that an element names, by its codes, else by its texts; a combination has several."""
    codes = (allergens.allergens_of(concept(c.system, c.code)) for c in element.codings if c.system)
    return most_complete(next(filter(None, codes), ()), *map(allergens.allergens_in, element.texts))


def _status(segment: Segment) -> "pb.FactStatus.ValueType":
    """IAM-6 action code (table 0206) and IAM-17 clinical status (table 0438); AL1 says that the allergy is there."""
    if segment.name != "IAM":
        return pb.FACT_STATUS_ACTIVE
    if segment.get(6).upper() == _DELETED:
        return pb.FACT_STATUS_ENTERED_IN_ERROR
    state = table("allergy_states").get(segment.get(17).upper())
    if state is not None:
        return pb.FactStatus.Value(f"FACT_STATUS_{state['status']}")
    return pb.FACT_STATUS_UNSPECIFIED if segment.get(6).upper() in _STATELESS else pb.FACT_STATUS_ACTIVE
