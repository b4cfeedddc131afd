"""Coded occurrences of FHIR R4 resources, alone or in bundles."""

from collections.abc import Iterator
from typing import Any

from terminology import coding_systems
from terminology.coverage.occurrences import Coding, Kind, Occurrence, occurrence

# Where each type of resource holds codeable concepts, by a path of its elements.
_PLACES: dict[str, tuple[tuple[Kind, str], ...]] = {
    "AllergyIntolerance": (
        (Kind.ALLERGY, "code"),
        (Kind.ALLERGY, "reaction.substance"),
        (Kind.PROBLEM, "reaction.manifestation"),
    ),
    "CarePlan": ((Kind.PROCEDURE, "category"), (Kind.PROCEDURE, "activity.detail.code")),
    "Condition": ((Kind.PROBLEM, "code"),),
    "DiagnosticReport": ((Kind.OBSERVATION, "code"),),
    "DocumentReference": ((Kind.DOCUMENT, "type"),),
    "Encounter": ((Kind.ENCOUNTER, "type"), (Kind.ENCOUNTER, "class"), (Kind.PROBLEM, "reasonCode")),
    "ImagingStudy": ((Kind.PROCEDURE, "procedureCode"),),
    "Immunization": ((Kind.IMMUNISATION, "vaccineCode"),),
    "Medication": ((Kind.MEDICATION, "code"), (Kind.MEDICATION, "ingredient.itemCodeableConcept")),
    "MedicationAdministration": ((Kind.MEDICATION, "medicationCodeableConcept"),),
    "MedicationDispense": ((Kind.MEDICATION, "medicationCodeableConcept"),),
    "MedicationRequest": ((Kind.MEDICATION, "medicationCodeableConcept"),),
    "MedicationStatement": ((Kind.MEDICATION, "medicationCodeableConcept"),),
    "Observation": (
        (Kind.OBSERVATION, "code"),
        (Kind.OBSERVATION, "component.code"),
        (Kind.ANSWER, "valueCodeableConcept"),
        (Kind.ANSWER, "component.valueCodeableConcept"),
        (Kind.UNIT, "valueQuantity"),
        (Kind.UNIT, "component.valueQuantity"),
    ),
    "Procedure": ((Kind.PROCEDURE, "code"),),
    "ServiceRequest": ((Kind.OBSERVATION, "code"),),
}


def occurrences(resource: dict[str, Any]) -> Iterator[Occurrence]:
    """Every coded place of a resource and of those that it contains."""
    for kind, path in _PLACES.get(resource.get("resourceType", ""), ()):
        for element in _at(resource, path.split(".")):
            yield from occurrence(kind, _codings(kind, element))
    inner = [entry.get("resource", {}) for entry in resource.get("entry", ())]
    for each in (*inner, *resource.get("contained", ())):
        yield from occurrences(each)


def _at(element: Any, path: list[str]) -> Iterator[dict[str, Any]]:
    """The elements that a path leads to; lists are walked through."""
    if isinstance(element, list):
        for each in element:
            yield from _at(each, path)
    elif isinstance(element, dict):
        if not path:
            yield element
        elif path[0] in element:
            yield from _at(element[path[0]], path[1:])


def _codings(kind: Kind, element: dict[str, Any]) -> Iterator[Coding]:
    if kind is Kind.UNIT:
        yield Coding("", element.get("code") or element.get("unit", ""))
        return
    for coding in element.get("coding", [element]):
        system = coding.get("system", "")
        yield Coding(coding_systems.uri(system) or system, str(coding.get("code", "")), coding.get("display", ""))
