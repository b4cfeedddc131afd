"""Elements of FHIR R4 from those of the record. What the record does not know is left out, or said to be unknown."""

import json
import re
from collections.abc import Iterable
from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import quote

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, PatientKey, Quantity
from terminology import ucum
from terminology.concepts import UCUM
from terminology.fhir import DATA_ABSENT_REASON

from gateway.domain.fhir.ids import logical_id, system_of

Element = dict[str, Any]
Resource = dict[str, Any]

# The forms that FHIR gives the types code and uri (R4, section 2.24.0.1).
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
# What a string may not have: control characters, and white space of other scripts.
_NO_CHARACTER = re.compile(r"[^\S \t\r\n]|[\x00-\x08\x0e-\x1f\x7f]")
_URI_SAFE = "!#$%&'()*+,/:;=?@[]~"
UNKNOWN: Element = {"extension": [{"url": DATA_ABSENT_REASON, "valueCode": "unknown"}]}


def written(value: object) -> str:
    """JSON with decimals in the digits that were sent."""
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(key)}:{written(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case Decimal():
            return str(value)
        case str():
            return json.dumps(_NO_CHARACTER.sub(" ", value), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def without_empty(**elements: Any) -> Element:
    """The elements that have something to say."""
    return {name.rstrip("_"): value for name, value in elements.items() if value not in (None, "", [], {})}


def moment(at: Timestamp) -> str:
    """An instant, in UTC."""
    return at.ToDatetime(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stated(fact: ClinicalFact, field: Literal["stated_at", "valid_from", "valid_to"]) -> str:
    """A time of the fact; empty where nobody stated it."""
    return moment(getattr(fact, field)) if fact.HasField(field) else ""


def period(message: Any) -> Element:
    """From valid_from to valid_to, as far as they are stated."""
    ends = ("start", "valid_from"), ("end", "valid_to")
    return {name: moment(getattr(message, field)) for name, field in ends if message.HasField(field)}


def coding(concept: CodedConcept) -> Element:
    """A coding as far as it has the form of one: code systems have a URI, and a code no odd spaces."""
    system = quote(concept.system, safe=_URI_SAFE)
    is_code = _CODE.fullmatch(concept.code) and not _NO_CHARACTER.search(concept.code)
    code = concept.code if is_code else ""
    return without_empty(system=system, code=code, display=concept.display.strip()) if code else {}


def codeable(*concepts: CodedConcept) -> Element:
    """One concept as the record has it and as it was sent; the words are those that were sent, where there are any."""
    codings = [one for one in map(coding, concepts) if one]
    distinct = [one for place, one in enumerate(codings) if one not in codings[:place]]
    words = [concept.display or concept.code for concept in reversed(concepts)]
    return without_empty(coding=distinct, text=next(filter(str.strip, words), "").strip())


def named(fact: ClinicalFact) -> Element:
    """What the fact is about."""
    return codeable(fact.code, fact.source_code)


def of(system: str, code: str) -> Element:
    """A CodeableConcept of one of FHIR's own codes."""
    return {"coding": [{"system": system, "code": code}]}


def number(text: str) -> Decimal | None:
    """A decimal with its digits; None for what is none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def quantity(sent: Quantity) -> Element | None:
    """None where the value is no number. The unit is a UCUM code only where it is one."""
    value = number(sent.value)
    if value is None:
        return None
    is_ucum = bool(sent.unit) and ucum.parse(sent.unit) is not None
    return without_empty(
        comparator=sent.comparator,
        unit=sent.unit,
        system=UCUM if is_ucum else "",
        code=sent.unit if is_ucum else "",
    ) | {"value": value}


def patient(key: PatientKey) -> Element:
    """A reference to the patient under the number that the source used."""
    if logical := logical_id(key):
        return {"reference": f"Patient/{logical}"}
    return {"identifier": identifier(key)}


def identifier(key: PatientKey) -> Element:
    """A number of a patient, as its authority gave it."""
    return without_empty(
        system=system_of(key.authority) if key.authority else "", value=key.id if key.id.strip() else ""
    )


def visit(fact: ClinicalFact) -> Element | None:
    """The visit by its number, which is all that the fact has of it."""
    return {"identifier": {"value": fact.encounter_id}} if fact.encounter_id.strip() else None


def notes(*texts: str) -> list[Element]:
    """What was remarked, each a note of its own."""
    return [{"text": text.strip()} for text in texts if text.strip()]


def meta(fact: ClinicalFact, recorded_at: Timestamp) -> Element:
    """When the record learned it, and the event that brought it."""
    source = f"urn:uuid:{fact.source.event_id}" if fact.source.event_id else ""
    return without_empty(lastUpdated=moment(recorded_at), source=source)


def texts(values: Iterable[str]) -> str:
    """Several texts in one."""
    return "; ".join(text.strip() for text in values if text.strip())
