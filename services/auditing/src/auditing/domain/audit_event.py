"""The leaf of a record: a FHIR R4 AuditEvent in the manner of IHE BALP, as canonical JSON.

Guarantee: the bytes depend on the record, who signed it and the pseudonym key alone, so reading the record again gives
the same leaf; they hold no identifier of a patient; they fit a tlog-tiles entry (below 64 KiB).
"""

from __future__ import annotations

from dataclasses import dataclass

from auditing.domain import looks
from auditing.domain.canonical_json import Json, canonical
from auditing.domain.feeds import Reception, reception_of
from auditing.domain.records import Identity, Record, Signed, identify
from auditing.domain.subjects import Subject, subject_of

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_SUCCESS, _MINOR_FAILURE, _SERIOUS_FAILURE = "0", "4", "8"

# ISO 21089 life-cycle event and AuditEvent.action for each kind of event.
_LIFECYCLE: dict[str, tuple[str, str]] = {
    "ingestion.message-received.v1": ("receive", "C"),
    "ingestion.message-rejected.v1": ("receive", "C"),
    "ingestion.study-received.v1": ("receive", "C"),
    "ingestion.document-received.v1": ("receive", "C"),
    "ingestion.rereading-started.v1": ("originate", "E"),
    "ingestion.message-reread.v1": ("transform", "C"),
    "ingestion.rereading-finished.v1": ("transform", "E"),
    "imaging.study-analysed.v1": ("transform", "C"),
    "imaging.document-read.v1": ("transform", "C"),
    "imaging.record-read.v1": ("access", "R"),
    "memory.record-updated.v1": ("amend", "U"),
    "memory.record-rebuilt.v1": ("amend", "U"),
    "memory.record-read.v1": ("access", "R"),
    "memory.record-opened.v1": ("access", "E"),
    "memory.opening-ended.v1": ("access", "E"),
    "memory.opening-reviewed.v1": ("verify", "E"),
    "memory.evidence-loaded.v1": ("originate", "C"),
    "memory.evidence-approved.v1": ("attest", "U"),
    "memory.evidence-released.v1": ("amend", "U"),
    "memory.evidence-withdrawn.v1": ("deprecate", "U"),
    "reasoning.assessment-drafted.v1": ("originate", "C"),
    "reasoning.episode-closed.v1": ("archive", "C"),
    "reasoning.assessment-reviewed.v1": ("attest", "U"),
    "reasoning.concern-opened.v1": ("originate", "C"),
    "reasoning.concern-changed.v1": ("amend", "U"),
    "reasoning.concern-resolved.v1": ("amend", "U"),
    "reasoning.concern-acted.v1": ("attest", "U"),
    "reasoning.record-read.v1": ("access", "R"),
    "learning.consent-changed.v1": ("amend", "U"),
    "learning.candidate-trained.v1": ("originate", "C"),
    "learning.version-promoted.v1": ("attest", "U"),
    "learning.version-refused.v1": ("verify", "E"),
    "learning.version-rolled-back.v1": ("deprecate", "U"),
}
_OTHER = ("transmit", "E")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record made ready for the log: all of a leaf but its index."""

    data: bytes
    event_id: str
    event_type: str
    causation_id: str
    topic: str
    partition: int
    offset: int
    payload_sha256: bytes
    identifiers: tuple[str, ...]
    signed: Signed
    reception: Reception | None = None
    # The pseudonym of who was looked at; empty for every other event, and where nobody known was named.
    looked_at: str = ""


def entry_of(record: Record, pseudonym_key: bytes) -> Entry:
    """Never fails: a record that nobody can read is a leaf that says so."""
    identity = identify(record)
    subject = subject_of(record.origin, record.value, pseudonym_key)
    return Entry(
        data=canonical(audit_event(record, identity, subject)),
        event_id=identity.event_id,
        event_type=record.header("ce_type"),
        causation_id=identity.causation_id,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        payload_sha256=record.sha256,
        identifiers=subject.identifiers,
        signed=record.signed,
        reception=reception_of(record),
        looked_at=subject.patient if subject.look is not None and not record.dead_letter else "",
    )


def audit_event(record: Record, identity: Identity, subject: Subject) -> dict[str, Json]:
    """The AuditEvent of a record."""
    lifecycle, action = _OTHER if record.dead_letter else _LIFECYCLE.get(record.topic, _OTHER)
    event: dict[str, Json] = {
        "resourceType": "AuditEvent",
        "type": _coding(f"{_TERMINOLOGY}iso-21089-lifecycle", lifecycle),
        "subtype": _subtypes(record, subject),
        "action": action,
        "recorded": record.recorded_at,
        "outcome": _outcome(record, subject),
        "agent": _agents(record, subject),
        "source": {
            "observer": {"identifier": {"system": "urn:longitude:service", "value": "auditing"}},
            "type": [_coding(f"{_TERMINOLOGY}security-source-type", "4")],
        },
        "entity": _entities(record, identity, subject),
    }
    if record.occurred_at:
        event["period"] = {"start": record.occurred_at}
    return event


def _subtypes(record: Record, subject: Subject) -> list[Json]:
    own = _coding("urn:longitude:event-type", record.header("ce_type") or "unknown")
    return [own] if subject.look is None else [_coding("http://hl7.org/fhir/restful-interaction", "read"), own]


def _outcome(record: Record, subject: Subject) -> str:
    if record.dead_letter or not subject.readable or record.signed.state in {"missing", "wrong"}:
        return _SERIOUS_FAILURE
    if subject.look is not None:
        return looks.outcome(subject.look)
    return _MINOR_FAILURE if record.topic == "ingestion.message-rejected.v1" else _SUCCESS


def _agents(record: Record, subject: Subject) -> list[Json]:
    """The service that wrote the record (the consumer, for a dead letter) and the physician who signed."""
    producer = record.topic.split(".")[1] if record.dead_letter else record.topic.partition(".")[0]
    if subject.look is not None and not record.dead_letter:
        return looks.agents(subject.look, producer)
    agents: list[Json] = [
        {
            "type": {"coding": [_coding(_DCM, "110153")]},
            "who": {"identifier": {"system": "urn:longitude:service", "value": producer}},
            "requestor": not subject.reviewer,
        }
    ]
    if subject.reviewer:
        agents.append(
            {
                "type": {"coding": [_coding(f"{_TERMINOLOGY}v3-ParticipationType", "LA")]},
                "who": {"identifier": {"system": "urn:longitude:reviewer", "value": subject.reviewer}},
                "requestor": True,
            }
        )
    return agents


def _entities(record: Record, identity: Identity, subject: Subject) -> list[Json]:
    details = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "sha256": record.sha256.hex(),
        "bytes": str(len(record.value)),
        "causation-id": identity.causation_id,
        "dead-letter-reason": record.header("dlq_reason") if record.dead_letter else "",
        "signature": record.signed.state,
        "signed-by": record.signed.by,
        "replay-policy": record.header("replay_policy"),
        "replay-count": record.header("replay_count"),
    } | (looks.details(subject.look) if subject.look is not None else {})
    entities: list[Json] = [
        {
            "what": {"identifier": {"system": "urn:longitude:event", "value": identity.event_id}},
            "type": _coding(f"{_TERMINOLOGY}audit-entity-type", "2"),
            "role": _coding(f"{_TERMINOLOGY}object-role", "4"),
            "detail": [{"type": name, "valueString": value} for name, value in details.items() if value],
        }
    ]
    if subject.patient:
        entities.append(
            {
                "what": {"identifier": {"system": "urn:longitude:patient-pseudonym", "value": subject.patient}},
                "type": _coding(f"{_TERMINOLOGY}audit-entity-type", "1"),
                "role": _coding(f"{_TERMINOLOGY}object-role", "1"),
            }
        )
    return entities


def _coding(system: str, code: str) -> dict[str, Json]:
    return {"system": system, "code": code}
