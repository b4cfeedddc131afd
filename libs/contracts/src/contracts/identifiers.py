"""Deterministic identifiers: the same cause always gives the same event, patient key and partition."""

import hashlib
import uuid

from longitude.record.v1.fact_pb2 import PatientKey

# The root of every UUIDv5 made here (RFC 9562 section 5.5), itself derived from the project's name.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "longitude.health")

# Of the salt in an event that says little but whose it is.
SALT_BYTES = 16

_ROOT = NAMESPACE.bytes


def event_id(kind: str, *parts: str | bytes) -> str:
    """UUIDv5 over a kind and its parts, each length-prefixed so that no two lists of parts collide."""
    data = hashlib.sha256()
    for part in (kind, *parts):
        text = part.encode() if isinstance(part, str) else part
        data.update(len(text).to_bytes(8, "big") + text)
    return _uuid5(data.hexdigest())


def _uuid5(name: str) -> str:
    """`str(uuid.uuid5(NAMESPACE, name))`, without the object."""
    digits = hashlib.sha1(_ROOT + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def format_patient(key: PatientKey) -> str:
    """`ID@AUTHORITY`, as people and commands write it (PID-3.1 and PID-3.4)."""
    return f"{key.id}@{key.authority}"


def parse_patient(text: str) -> PatientKey:
    """The inverse of `format_patient`; ValueError (without the text: it may identify a person) if it is not one."""
    identifier, separator, authority = text.rpartition("@")
    if not (separator and identifier and authority):
        raise ValueError("a patient is written ID@AUTHORITY (PID-3.1 and PID-3.4)")
    return PatientKey(id=identifier, authority=authority)


def patient_partition_key(key: PatientKey) -> bytes:
    """Kafka key that keeps a patient's events in order.

    It carries no identifier, and hides none: who tries every patient finds whose it is. It stays within Kafka, whose
    records say the patient anyway; with another key an upgrade would break the order.
    """
    return hashlib.sha256(format_patient(key).encode()).hexdigest()[:32].encode()
