"""PID: birth date and administrative sex, which results are read against, and death."""

import re
from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology.loinc import BIRTH_DATE, DEATH, SEX, concept

from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.timestamps import parse_date, parse_timestamp, to_proto

_GENDERS = {
    "M": ("male", "Male"),
    "F": ("female", "Female"),
    "O": ("other", "Other"),
    "A": ("other", "Ambiguous"),
    "N": ("other", "Not applicable"),
}
_GENDER_SYSTEM = "http://hl7.org/fhir/administrative-gender"
_SEX_TABLE = "http://terminology.hl7.org/CodeSystem/v2-0001"
_UNKNOWN_SEX = frozenset({"", "U"})
# Zeros stand for a month and a day that are not known (`19500000`, `19500300`).
_KNOWN_PART = re.compile(r"(\d{4}(?:0[1-9]|1[0-2])?)(?:00)+")
_DEAD = "Y"
_ALIVE = "N"
_TIME_OF_DAY = re.compile(r"(\d\d)(\d\d)")


def demographics(pid: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """Facts of PID-7, PID-8, PID-29 and PID-30. The HL7 null takes one back."""
    born = _day(pid, 7, scope)
    if pid.is_null(7):
        yield _withdrawn(pid, 7, BIRTH_DATE, scope)
    elif born is not None:
        yield _fact(pid, 7, BIRTH_DATE, scope, text=parse_date(_known_part(pid.get(7))), valid_from=born)
    yield from _sex(pid, born, scope)
    yield from _death(pid, scope)


def _sex(pid: Segment, born: Timestamp | None, scope: Scope) -> Iterator[pb.ClinicalFact]:
    sent = pid.get(8).upper()
    gender = _GENDERS.get(sent)
    if pid.is_null(8):
        yield _withdrawn(pid, 8, SEX, scope)
    elif gender is not None:
        yield _fact(
            pid,
            8,
            SEX,
            scope,
            source_code=pb.CodedConcept(system=_SEX_TABLE, code=pid.get(8), display=gender[1]),
            coded=pb.CodedConcept(system=_GENDER_SYSTEM, code=gender[0], display=gender[1]),
            valid_from=born,
        )
    elif sent not in _UNKNOWN_SEX:
        scope.origin.remark(pid, 8, "not a code of HL7 table 0001")


def _death(pid: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """PID-29 says when, PID-30 whether. Without a time the time stated before stands."""
    indicator = pid.get(30).upper()
    died = _day(pid, 29, scope)
    if indicator == _ALIVE or pid.is_null(30) or (pid.is_null(29) and indicator != _DEAD):
        if died is not None:
            scope.origin.remark(pid, 29, "a time of death of somebody who is not dead (PID-30); taken back")
        yield _withdrawn(pid, 30 if pid.raw(30) else 29, DEATH, scope)
    elif died is not None or indicator == _DEAD:
        yield _fact(
            pid,
            29 if died else 30,
            DEATH,
            scope,
            text=_moment(_known_part(pid.get(29))) if died else None,
            valid_from=died,
            deleted=["text", "valid_from"] if pid.is_null(29) else [],
        )
    elif indicator:
        scope.origin.remark(pid, 30, "not a code of HL7 table 0136")


def _fact(pid: Segment, field: int, code: str, scope: Scope, **content: object) -> pb.ClinicalFact:
    identity = pb.Identity(groups=["person:"], names=[code])
    return scope.fact(pid, pid.path(field), identity, kind=pb.FACT_KIND_DEMOGRAPHIC, code=concept(code), **content)


def _withdrawn(pid: Segment, field: int, code: str, scope: Scope) -> pb.ClinicalFact:
    return _fact(pid, field, code, scope, status=pb.FACT_STATUS_ENTERED_IN_ERROR)


def _day(pid: Segment, field: int, scope: Scope) -> Timestamp | None:
    """The first instant of the period that was sent."""
    text = pid.get(field)
    moment = parse_timestamp(_known_part(text), scope.origin.zone) if text else None
    if text and moment is None:
        scope.origin.remark(pid, field, "not a timestamp")
    return to_proto(moment) if moment else None


def _moment(text: str) -> str:
    """Date and time of day as ISO 8601 writes them, as precise as they were sent."""
    time = _TIME_OF_DAY.match(text, 8)
    return f"{parse_date(text)}T{time[1]}:{time[2]}" if time else parse_date(text)


def _known_part(text: str) -> str:
    match = _KNOWN_PART.fullmatch(text.strip())
    return match[1] if match else text
