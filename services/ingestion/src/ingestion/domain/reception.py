"""The events of a message that is taken: the message with its facts, and each document in it."""

from collections.abc import Sequence
from datetime import datetime

from contracts.identifiers import patient_partition_key
from longitude.ingestion.v1.events_pb2 import DocumentReceived, MessageReceived, Payload
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef

from ingestion.domain.reading import Reading
from ingestion.domain.refusal import Condition, RefusedError, Verdict
from ingestion.domain.timestamps import to_proto

# Below the largest record of the event bus (4 MiB), with room for its headers.
LARGEST_EVENT = 4 * 1024 * 1024 - 64 * 1024
_MOST_REMARKS = 200


def received_event(reading: Reading, raw: Payload, received_at: datetime) -> MessageReceived:
    """RefusedError when the message says more than one event can carry."""
    content = reading.content
    event = MessageReceived(
        header=reading.header,
        raw=raw,
        patient=content.patient,
        facts=content.facts,
        links=content.links,
        document_ids=[document.document_id for document in content.documents],
        received_at=to_proto(received_at),
        remarks=reading.remarks[:_MOST_REMARKS],
    )
    if event.ByteSize() > LARGEST_EVENT:
        text = "the message says more than one event can carry; send it in parts"
        raise RefusedError(Condition.APPLICATION_ERROR, text, None, Verdict.ERROR)
    return event


def document_events(reading: Reading, stored: Sequence[ObjectRef], received_at: datetime) -> list[DocumentReceived]:
    """One event for each document, in the order of the documents; `stored`: where each lies."""
    return [
        DocumentReceived(
            document_id=document.document_id,
            patient=document.fact.patient,
            type=document.fact.code,
            title=document.title,
            content=reference,
            authored_at=document.fact.valid_from if document.fact.HasField("valid_from") else None,
            encounter_id=document.fact.encounter_id,
            source=document.fact.source,
            received_at=to_proto(received_at),
        )
        for document, reference in zip(reading.content.documents, stored, strict=True)
    ]


def partition_key(patient: PatientKey | None) -> bytes:
    """Keeps a patient's events in order; empty for a message about nobody."""
    return patient_partition_key(patient) if patient is not None else b""
