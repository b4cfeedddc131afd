"""One function per input: a frame, a DICOM instance. Each keeps what came, publishes what it says, then answers.

The answer leaves only after every in-sync replica of Kafka has the events, and object storage what they refer to.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from contracts.errors import ConflictError, NotFoundError, UnavailableError
from contracts.mllp import frame
from contracts.places import place_of
from contracts.topics import DOCUMENT_RECEIVED, MESSAGE_RECEIVED, MESSAGE_REJECTED, STUDY_RECEIVED
from eventbus import Outgoing, delivery
from longitude.ingestion.v1.events_pb2 import Filing
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import PatientKey

from ingestion import metrics
from ingestion.adapters.objects import RawStore
from ingestion.adapters.reader import Reader
from ingestion.domain import dicom
from ingestion.domain.acknowledgement import Envelope, Policy, acknowledge, code_of, not_stored, read_envelope
from ingestion.domain.control_ids import REMARK, ControlIds
from ingestion.domain.dicom import HeaderBounds, ReceivedInstance
from ingestion.domain.mllp import BrokenFrame, Fault, Frame, Received
from ingestion.domain.protocol import table
from ingestion.domain.reading import Feed, Reading, digest_of
from ingestion.domain.reception import document_events, partition_key, received_event
from ingestion.domain.refusal import Condition, RefusedError, Verdict
from ingestion.domain.rejection import (
    refusal_of,
    rejected_event,
    rejected_event_id,
    rejected_instance,
    rejected_instance_id,
)
from ingestion.flows.turns import Turns

log = logging.getLogger("ingestion")

_NOT_STORED = "not stored, send again"


@dataclass(frozen=True, slots=True)
class Intake:
    """What handling an input needs."""

    publish: Callable[[Outgoing], Awaitable[None]]
    store: RawStore
    reader: Reader
    policy: Policy
    turns: Turns
    control_ids: ControlIds
    headers: HeaderBounds

    @property
    def feed(self) -> Feed:
        """What is known about senders."""
        return self.reader.feed


async def on_frame(received: Received, received_at: datetime, intake: Intake) -> list[bytes]:
    """What came over MLLP, and the frames to answer it with."""
    if isinstance(received, BrokenFrame):
        envelope = read_envelope(received.kept, "ascii")
        return await _reject(received.kept, envelope, refusal_of(received), received_at, intake, received.fault)
    try:
        reading = await intake.reader.read(received.payload, received_at)
        if intake.control_ids.is_reused(reading.envelope.header, digest_of(received.payload)):
            reading.remarks.append(REMARK)
        return await _take(received, reading, received_at, intake)
    except RefusedError as error:
        refusal = error
    except UnavailableError as error:
        _report("message not read", error)
        return _answers(received.payload, _envelope(received.payload), not_stored(), intake)
    except Exception as error:  # noqa: BLE001 - whatever a message makes us stumble over, its sender is answered
        _report("bug", error)
        refusal = RefusedError(Condition.APPLICATION_ERROR, "application internal error", None, Verdict.ERROR)
    return await _reject(received.payload, _envelope(received.payload), refusal, received_at, intake)


async def on_instance(instance: ReceivedInstance, received_at: datetime, intake: Intake) -> tuple[int, str]:
    """A DICOM file that came by C-STORE; the status to answer with, and a comment."""
    try:
        if instance.too_large:
            return await _refuse_instance(instance, dicom.OUT_OF_RESOURCES, dicom.TOO_LARGE, received_at, intake)
        return await _take_instance(instance.data, received_at, intake)
    except dicom.UnreadableInstanceError as error:
        return await _refuse_instance(instance, error.status, str(error), received_at, intake)


async def on_filing(uid: str, patient: PatientKey, filing: Filing, at: datetime, intake: Intake) -> str:
    """A person says whose instance it is; the id of the event that says so.

    NotFoundError when it is not unfiled, ConflictError when it was filed for another patient.
    """
    unfiled = await intake.store.unfiled(uid)
    if unfiled is None:
        raise NotFoundError("no instance of this UID came without a patient id")
    async with intake.turns.turn(uid.encode()):
        event = await intake.store.filed(uid) or dicom.filed(unfiled, patient, filing)
        if event.patient != patient:
            raise ConflictError("this instance is filed for another patient")
        await intake.store.keep_filed(event)
        cause = dicom.study_event_id(unfiled, bytes.fromhex(unfiled.instance.sha256))
        identifier = dicom.filed_event_id(event)
        await intake.publish(Outgoing(STUDY_RECEIVED, identifier, partition_key(patient), event, at, cause))
    return identifier


async def _take_instance(data: bytes, received_at: datetime, intake: Intake) -> tuple[int, str]:
    # Headers may be long, and other senders are answered meanwhile.
    event = await asyncio.to_thread(dicom.read_instance, data, intake.feed, intake.headers)
    key = partition_key(event.patient if event.HasField("patient") else None)
    try:
        async with intake.turns.turn(key):
            stored = await intake.store.keep_instance(data)
            event = dicom.with_object(event, stored, received_at)
            if not event.HasField("patient"):
                await intake.store.keep_unfiled(event)
            identifier = dicom.study_event_id(event, digest_of(data))
            await intake.publish(Outgoing(STUDY_RECEIVED, identifier, key, event, received_at))
    except UnavailableError as error:
        _report("instance not stored", error)
        return dicom.OUT_OF_RESOURCES, _NOT_STORED
    for remark in event.remarks:
        metrics.REMARKS.labels(place_of(remark), remark.reason).inc()
    return dicom.SUCCESS, ""


async def _refuse_instance(
    instance: ReceivedInstance, status: int, reason: str, received_at: datetime, intake: Intake
) -> tuple[int, str]:
    """Keep what cannot be taken, and say so; what could not be kept either must be sent again."""
    try:
        event = rejected_instance(await intake.store.keep_instance(instance.data), instance, status, reason)
        event.received_at.FromDatetime(received_at)
        identifier = rejected_instance_id(instance, status)
        await intake.publish(Outgoing(MESSAGE_REJECTED, identifier, b"", event, received_at))
    except UnavailableError as error:
        _report("rejected instance not stored", error)
        return dicom.OUT_OF_RESOURCES, _NOT_STORED
    return status, reason


async def _take(received: Frame, reading: Reading, received_at: datetime, intake: Intake) -> list[bytes]:
    patient = reading.content.patient
    key = partition_key(patient.key if patient else None)
    try:
        # One patient's next message waits until the one before is durable: that is what keeps their order.
        async with intake.turns.turn(key):
            await _make_durable(received.payload, reading, key, received_at, intake)
    except UnavailableError as error:
        _report("message not stored", error)
        return _answers(received.payload, reading.envelope, not_stored(), intake)
    for kind, count in Counter(fact.kind for fact in reading.content.facts).items():
        metrics.FACTS.labels(pb.FactKind.Name(kind)).inc(count)
    for remark in reading.remarks:
        metrics.REMARKS.labels(place_of(remark), remark.reason).inc()
    return _answers(received.payload, reading.envelope, None, intake)


async def _make_durable(payload: bytes, reading: Reading, key: bytes, received_at: datetime, intake: Intake) -> None:
    raw = await intake.store.keep_message(payload)
    message = received_event(reading, raw, received_at)
    message.acknowledgement_code = code_of(reading.envelope, None, intake.policy)
    outgoing = Outgoing(MESSAGE_RECEIVED, reading.event_id, key, message, received_at)
    if not reading.content.documents:
        await intake.publish(outgoing)
        return
    stored = await asyncio.gather(*(intake.store.keep_document(document) for document in reading.content.documents))
    documents = [
        Outgoing(DOCUMENT_RECEIVED, event.document_id, key, event, received_at, reading.event_id)
        for event in document_events(reading, stored, received_at)
    ]
    await asyncio.gather(*(intake.publish(event) for event in (outgoing, *documents)))


async def _reject(
    payload: bytes,
    envelope: Envelope,
    refusal: RefusedError,
    received_at: datetime,
    intake: Intake,
    fault: Fault | None = None,
) -> list[bytes]:
    """Keep what cannot be taken, and say so. What could not be kept either must be sent again."""
    code = "" if fault is Fault.NOISE else code_of(envelope, refusal, intake.policy)
    try:
        raw = await intake.store.keep_message(payload)
        event = rejected_event(raw, envelope, refusal, code, received_at)
        event_id = rejected_event_id(payload, refusal)
        await intake.publish(Outgoing(MESSAGE_REJECTED, event_id, b"", event, received_at))
    except UnavailableError as error:
        _report("rejected message not stored", error)
        refusal = not_stored()
    return [] if fault is Fault.NOISE else _answers(payload, envelope, refusal, intake)


def _answers(payload: bytes, envelope: Envelope, refusal: RefusedError | None, intake: Intake) -> list[bytes]:
    answers = acknowledge(envelope, refusal, digest_of(payload), intake.policy)
    message_code = envelope.header.get(9)
    label = message_code if message_code in table("message_types") else "other"
    for code, _ in answers or [("none", b"")]:
        metrics.MESSAGES.labels(label, code).inc()
    return [frame(answer) for _, answer in answers]


def _envelope(payload: bytes) -> Envelope:
    """The header of a message that could not be read, in a charset that can write any answer we give."""
    return read_envelope(payload, "latin-1")


def _report(what: str, error: Exception) -> None:
    """Type and place, never the text of a foreign error: it may quote the message."""
    detail = str(error) if isinstance(error, UnavailableError) else type(error).__name__
    log.error("%s: %s at %s", what, detail, delivery.place_of(error))
