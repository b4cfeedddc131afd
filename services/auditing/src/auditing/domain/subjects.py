"""What an event is about: the patient it concerns and the identifiers people trace it by. Never names.

An event whose payload cannot be read is about nothing; its leaf says that it could not be read.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from contracts.identifiers import format_patient
from contracts.topics import TOPICS
from google.protobuf.message import DecodeError, Message
from longitude.record.v1.look_pb2 import Look

_PAYLOADS: dict[str, type[Message]] = {topic.name: topic.payload for topic in TOPICS}
_PATIENT_PATHS = (
    "patient.key",
    "patient",
    "assessment.patient",
    "message.patient.key",
    "look.patient",
    "concern.patient",
)
# Who reviewed, filed, ordered, decided, imported or approved it.
_ACTOR_PATHS = (
    "reviewer",
    "filing.filed_by",
    "started_by",
    "decided_by",
    "imported_by.subject",
    "by.subject",
    "act.by.subject",
)
_SUBJECT_PATHS = (
    "header.control_id",
    "message.header.control_id",
    "control_id",
    "document_id",
    "document_ids",
    "source.control_id",
    "sop_instance_uid",
    "assessment_id",
    "assessment.assessment_id",
    "rereading_id",
    "job_id",
    "version_id",
    "version.job_id",
    "version.version_id",
    "opening_id",
    "concern.concern_id",
    "edition_id",
    "edition_ids",
)
MAX_SUBJECTS = 64
MAX_SUBJECT_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class Subject:
    """`patient` is a keyed pseudonym, hex; empty when the event is about no patient."""

    readable: bool
    patient: str = ""
    reviewer: str = ""
    identifiers: tuple[str, ...] = ()
    # What a look at a record was; of every other event none.
    look: Look | None = None


def subject_of(topic: str, value: bytes, pseudonym_key: bytes) -> Subject:
    """Read the payload of a topic's record (for a dead letter: of the topic that it was in)."""
    payload_type = _PAYLOADS.get(topic)
    if payload_type is None:
        return Subject(readable=False)
    try:
        payload = payload_type.FromString(value)
    except DecodeError:
        return Subject(readable=False)
    return Subject(
        readable=True,
        patient=_patient(payload, pseudonym_key),
        reviewer=_clean(next(filter(None, (_at(payload, path) for path in _ACTOR_PATHS)), "")),
        identifiers=_identifiers(payload),
        look=_look(payload),
    )


def pseudonym(key: bytes, patient: str) -> str:
    """HMAC-SHA256 of `ID@AUTHORITY`, hex: the same patient, not to be guessed without the key."""
    return hmac.new(key, patient.encode(), hashlib.sha256).hexdigest()


def _patient(payload: Message, key: bytes) -> str:
    for path in _PATIENT_PATHS:
        patient = _at(payload, path)
        if getattr(patient, "id", ""):
            return pseudonym(key, format_patient(patient))
    return ""


def _identifiers(payload: Message) -> tuple[str, ...]:
    found: list[str] = []
    for path in _SUBJECT_PATHS:
        value = _at(payload, path)
        found += [value] if isinstance(value, str) else list(value or ())
    cleaned = dict.fromkeys(_clean(value) for value in found)
    return tuple(value for value in cleaned if value)[:MAX_SUBJECTS]


def _look(payload: Message) -> Look | None:
    """A look whose texts can stand in a leaf."""
    look = _at(payload, "look")
    if not isinstance(look, Look) or not payload.HasField("look"):
        return None
    clean = Look()
    clean.CopyFrom(look)
    del clean.roles[:]
    clean.roles.extend(filter(None, map(_clean, look.roles[:MAX_SUBJECTS])))
    del clean.categories[:]
    clean.categories.extend(filter(None, map(_clean, look.categories[:MAX_SUBJECTS])))
    for name in ("object_id", "issuer", "subject", "process", "rpc", "purpose", "status"):
        setattr(clean, name, _clean(getattr(look, name)))
    return clean


def _at(message: Any, path: str) -> Any:
    """The value at a dotted path; None where a message has no such field."""
    for name in path.split("."):
        if not isinstance(message, Message) or name not in message.DESCRIPTOR.fields_by_name:
            return None
        message = getattr(message, name)
    return message


def _clean(value: str) -> str:
    return value if len(value) <= MAX_SUBJECT_CHARACTERS and value.isprintable() else ""
