"""What a search asks for: its parameters as FHIR R4 reads them, held against the resources themselves.

What is not known is refused by its name, never ignored: an answer that a filter did not touch would say too much.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.errors import InvalidInputError
from longitude.record.v1.fact_pb2 import PatientKey

from gateway.domain.fhir.elements import Resource
from gateway.domain.fhir.ids import patient_of

DEFAULT_COUNT, LARGEST_COUNT = 50, 500
MOST_IDS = 50
# A value with commas, and parameters in all.
_MOST_VALUES, _MOST_PARAMETERS = 100, 50
JSON = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
REVINCLUDE = "Provenance:target"

# Search parameters of each type: the elements that hold a code, those that hold a time, and those that refer.
CODES: Mapping[str, Mapping[str, str]] = {
    "AllergyIntolerance": {"clinical-status": "clinicalStatus", "code": "code"},
    "Condition": {"category": "category", "clinical-status": "clinicalStatus", "code": "code"},
    "DetectedIssue": {"code": "code"},
    "DocumentReference": {"status": "status", "type": "type"},
    "Encounter": {"status": "status"},
    "Immunization": {"status": "status", "vaccine-code": "vaccineCode"},
    "MedicationAdministration": {"code": "medicationCodeableConcept", "status": "status"},
    "MedicationDispense": {"code": "medicationCodeableConcept", "status": "status"},
    "MedicationRequest": {"code": "medicationCodeableConcept", "status": "status"},
    "MedicationStatement": {"code": "medicationCodeableConcept", "status": "status"},
    "Observation": {"category": "category", "code": "code", "status": "status"},
    "Procedure": {"code": "code", "status": "status"},
    "Provenance": {},
    "ServiceRequest": {"code": "code", "status": "status"},
}
TIMES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "Condition": {"onset-date": ("onsetDateTime",), "recorded-date": ("recordedDate",)},
    "DetectedIssue": {"identified": ("identifiedDateTime",)},
    "DocumentReference": {"date": ("date",)},
    "Encounter": {"date": ("period",)},
    "Immunization": {"date": ("occurrenceDateTime",)},
    "MedicationRequest": {"authoredon": ("authoredOn",)},
    "Observation": {"date": ("effectiveDateTime",)},
    "Procedure": {"date": ("performedDateTime", "performedPeriod")},
}
REFERENCES: Mapping[str, Sequence[str]] = {"DetectedIssue": ("implicated",), "Provenance": ("target",)}
# Types of which no Provenance is told.
WITHOUT_PROVENANCE = frozenset({"DetectedIssue", "Provenance"})
_DATE = re.compile(
    r"(eq|ne|gt|lt|ge|le)?(\d{4})(?:-(\d\d)(?:-(\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?"
)
_PLACE = re.compile(r"(i?)(\d{1,6})\.(\d{1,16})\.([A-Za-z0-9_=-]*)", re.ASCII)
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Filter = Callable[[Resource], bool]
Parameters = Sequence[tuple[str, str]]


class NotSupportedError(InvalidInputError):
    """A part of FHIR that this door does not have."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: a page of memory, as of which state (microseconds since 1970), and what was passed of it.
    `of_issues`: a page of reasoning, of concerns.
    """

    token: str = ""
    as_of: int = 0
    skip: int = 0
    of_issues: bool = False

    def __str__(self) -> str:
        return f"{'i' * self.of_issues}{self.skip}.{self.as_of}.{self.token}"


@dataclass(frozen=True, slots=True)
class Search:
    """One search. `asked`: its parameters without the place, for links."""

    kind: str
    patient: PatientKey | None
    ids: tuple[str, ...]
    filters: tuple[Filter, ...]
    count: int
    place: Place
    with_provenance: bool
    asked: Parameters


def parsed(kind: str, parameters: Parameters) -> Search:
    """InvalidInputError for a parameter that cannot be read, NotSupportedError for one that is not known."""
    if len(parameters) > _MOST_PARAMETERS:
        raise InvalidInputError(f"at most {_MOST_PARAMETERS} parameters")
    values = dict(parameters)
    known = {"patient", "_id", "_lastUpdated", "_count", "_page", "_format", "_revinclude"}
    filters = [made for name, value in parameters if (made := _filter(kind, name, value, known))]
    for name in ("patient", "_id", "_count", "_page", "_revinclude"):
        if sum(other == name for other, _ in parameters) > 1:
            raise NotSupportedError(f"{name} more than once")
    ids = tuple(filter(None, values.get("_id", "").split(",")))
    if len(ids) > MOST_IDS:
        raise InvalidInputError(f"_id names more than {MOST_IDS}")
    if "_revinclude" in values and (values["_revinclude"] != REVINCLUDE or kind in WITHOUT_PROVENANCE):
        raise NotSupportedError(f"_revinclude other than {REVINCLUDE}, or of {kind}")
    patient = _patient(values["patient"]) if "patient" in values else None
    if patient is None and not ids:
        raise InvalidInputError("a search names `patient` or `_id`")
    return Search(
        kind=kind,
        patient=patient,
        ids=ids,
        filters=tuple(filters),
        count=count_of(values.get("_count", "")),
        place=place_of(values.get("_page", "")),
        with_provenance="_revinclude" in values,
        asked=[(name, value) for name, value in parameters if name != "_page"],
    )


def count_of(text: str) -> int:
    """How many resources a page has at most."""
    if not text:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text)):
        raise InvalidInputError("_count is a number of resources, 1 or more")
    return min(int(text), LARGEST_COUNT)


def place_of(text: str) -> Place:
    """Where the page begins that a link of ours names."""
    if not text:
        return Place()
    match = _PLACE.fullmatch(text)
    if match is None:
        raise InvalidInputError("_page is of a `next` link of this server")
    return Place(match[4], int(match[3]), int(match[2]), bool(match[1]))


def last_updated(value: str) -> Filter:
    """Whether the record learned it at that time."""
    return _timed(lambda resource: _times(resource["meta"], ("lastUpdated",)), "_lastUpdated", value)


def _filter(kind: str, name: str, value: str, known: set[str]) -> Filter | None:
    if name == "_lastUpdated":
        return last_updated(value)
    if name in known:
        return None
    if path := CODES[kind].get(name):
        return _coded(path, name, value)
    if paths := TIMES.get(kind, {}).get(name):
        return _timed(lambda resource: _times(resource, paths), name, value)
    if name in REFERENCES.get(kind, ()):
        return _referring(name, value)
    raise NotSupportedError(f"the parameter {name[:64]} of {kind}")


def _referring(path: str, value: str) -> Filter:
    wanted = value.split(",")
    if len(wanted) > _MOST_VALUES:
        raise InvalidInputError(f"{path} has more than {_MOST_VALUES} values")
    return lambda resource: any(one.get("reference") in wanted for one in resource.get(path, []))


def _patient(value: str) -> PatientKey | None:
    """None where the reference cannot be one of ours: nothing is found by it."""
    patient = patient_of(value.removeprefix("Patient/"))
    if patient is None:
        raise InvalidInputError("patient is not an id of a Patient of this server")
    return patient


def _coded(path: str, name: str, value: str) -> Filter:
    wanted = value.split(",")
    if len(wanted) > _MOST_VALUES or not all(one.strip("|") for one in wanted):
        raise InvalidInputError(
            f"{name} is `code`, `system|code`, `|code` or `system|`, at most {_MOST_VALUES} of them"
        )
    pairs = [one.rpartition("|") for one in wanted]

    def matches(resource: Resource) -> bool:
        return any(
            (not bar or not code or system == of) and (not code or own == code) and (code or system == of)
            for of, bar, code in pairs
            for system, own in _codes(resource.get(path))
        )

    return matches


def _codes(element: Any) -> Iterator[tuple[str, str]]:
    """System and code of whatever holds codes."""
    if isinstance(element, str):
        yield "", element
    elif isinstance(element, list):
        for one in element:
            yield from _codes(one)
    elif element:
        for coding in element.get("coding", []):
            yield coding.get("system", ""), coding["code"]


def _times(resource: Resource, paths: Sequence[str]) -> tuple[datetime, datetime] | None:
    """From when to when; None where no time is stated."""
    element = next((resource[path] for path in paths if path in resource), None)
    if element is None:
        return None
    if isinstance(element, str):
        return datetime.fromisoformat(element), datetime.fromisoformat(element)
    start, end = element.get("start"), element.get("end")
    return (
        datetime.fromisoformat(start) if start else _EARLIEST,
        datetime.fromisoformat(end) if end else _LATEST,
    )


def _timed(times: Callable[[Resource], tuple[datetime, datetime] | None], name: str, value: str) -> Filter:
    # A plus that was not escaped came as a space.
    dates = value.replace(" ", "+").split(",")
    if len(dates) > _MOST_VALUES:
        raise InvalidInputError(f"{name} has more than {_MOST_VALUES} values")
    wanted = [_interval(name, one) for one in dates]

    def matches(resource: Resource) -> bool:
        known = times(resource)
        return known is not None and any(_compared(prefix, *known, low, high) for prefix, low, high in wanted)

    return matches


def _compared(prefix: str, start: datetime, end: datetime, low: datetime, high: datetime) -> bool:
    """FHIR R4, section 3.1.1.4.7: the resource's interval beside the parameter's, [low, high)."""
    match prefix:
        case "gt":
            return end >= high
        case "lt":
            return start < low
        case "ge":
            return end >= low
        case "le":
            return start < high
    return (low <= start and end < high) == (prefix != "ne")


def _interval(name: str, value: str) -> tuple[str, datetime, datetime]:
    match = _DATE.fullmatch(value)
    if match is None:
        raise InvalidInputError(f"{name} is a date, after eq, ne, gt, lt, ge or le")
    prefix, year, month, day, time = match.groups()
    try:
        if time:
            low = datetime.fromisoformat(value.removeprefix(prefix or ""))
            low = low if low.tzinfo else low.replace(tzinfo=UTC)
            return prefix or "eq", low, low + timedelta(seconds=0 if "." in time else 1 if time.count(":") > 1 else 60)
        low = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        if day:
            return prefix or "eq", low, low + timedelta(days=1)
        months = low.year * 12 + low.month - 1 + (1 if month else 12)
        return prefix or "eq", low, datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    except (OverflowError, ValueError):
        raise InvalidInputError(f"{name} is not a date that there is") from None
