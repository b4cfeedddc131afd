"""Patient: one for each number of a person, with what was stated under that number; linked numbers are named."""

import re
from collections.abc import Iterable, Sequence

from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact, PatientKey
from terminology.loinc import BIRTH_DATE, DEATH, SEX

from gateway.domain.fhir import elements
from gateway.domain.fhir.elements import Element, Resource, without_empty
from gateway.domain.fhir.ids import logical_id

# date of FHIR R4; a moment without a zone is none.
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def patient(key: PatientKey, linked: Iterable[PatientKey], demographics: Sequence[RecordedFact]) -> Resource:
    """`demographics`: all that stand of the person; only those under this number are read."""
    own = [each for each in demographics if each.fact.patient == key]
    learned = max(own, key=lambda each: each.recorded_at.ToNanoseconds(), default=None)
    return without_empty(
        resourceType="Patient",
        id=logical_id(key),
        meta={"lastUpdated": elements.moment(learned.recorded_at)} if learned else {},
        identifier=[elements.identifier(key)],
        link=[{"other": elements.patient(other), "type": "seealso"} for other in linked if other != key],
    ) | _content([each.fact for each in own])


def _content(own: Sequence[ClinicalFact]) -> Element:
    """What one statement says; where several stand that differ, none is chosen."""
    content: Element = {}
    for code, read in ((SEX, _sex), (BIRTH_DATE, _birth), (DEATH, _death)):
        readings = [read(fact) for fact in own if fact.code.code == code]
        if readings and all(reading == readings[0] for reading in readings):
            content |= readings[0]
    return content


def _sex(fact: ClinicalFact) -> Element:
    return {"gender": fact.coded.code}


def _birth(fact: ClinicalFact) -> Element:
    return {"birthDate": fact.text} if _DATE.fullmatch(fact.text) else {}


def _death(fact: ClinicalFact) -> Element:
    """When, as precisely as it was sent; else that."""
    if _DATE.fullmatch(fact.text):
        return {"deceasedDateTime": fact.text}
    if fact.text and fact.HasField("valid_from"):
        return {"deceasedDateTime": elements.moment(fact.valid_from)}
    return {"deceasedBoolean": True}
