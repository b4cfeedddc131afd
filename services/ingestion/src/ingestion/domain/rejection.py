"""What becomes of bytes that are not taken: the event that keeps them, under an id that the same bytes always get."""

from datetime import datetime

from contracts.identifiers import event_id
from longitude.ingestion.v1.events_pb2 import MessageRejected, Payload
from longitude.record.v1.object_pb2 import ObjectRef

from ingestion.domain.acknowledgement import Envelope
from ingestion.domain.dicom import ReceivedInstance
from ingestion.domain.mllp import BrokenFrame, Fault
from ingestion.domain.reading import digest_of
from ingestion.domain.refusal import Condition, RefusedError
from ingestion.domain.timestamps import to_proto

_LONGEST_CONTROL_ID = _LONGEST_NAME = 199


def refusal_of(broken: BrokenFrame) -> RefusedError:
    """The answer to bytes that are no whole frame."""
    texts = {
        Fault.OVERSIZED: f"the frame has {broken.size} bytes, more than this listener takes",
        Fault.UNTERMINATED: "the frame has no end block (0x1C 0x0D)",
        Fault.UNFRAMED: "the bytes have no start block (0x0B)",
        Fault.NOISE: "bytes outside a frame",
    }
    return RefusedError(Condition.APPLICATION_ERROR, texts[broken.fault])


def rejected_event_id(payload: bytes, refusal: RefusedError) -> str:
    """The same bytes refused for the same reason are one event."""
    return event_id("rejected", digest_of(payload), refusal.condition, refusal.text)


def rejected_instance(raw: ObjectRef, instance: ReceivedInstance, status: int, reason: str) -> MessageRejected:
    """The event of a C-STORE that is refused, without its arrival time."""
    uid = instance.sop_instance_uid[:_LONGEST_NAME]
    return MessageRejected(raw=Payload(object=raw), condition_code=f"{status:04X}", reason=reason, sop_instance_uid=uid)


def rejected_instance_id(instance: ReceivedInstance, status: int) -> str:
    """The same bytes refused with the same status are one event."""
    return event_id("rejected", digest_of(instance.data), f"{status:04X}", instance.sop_instance_uid)


def rejected_event(
    raw: Payload, envelope: Envelope, refusal: RefusedError, code: str, received_at: datetime
) -> MessageRejected:
    """`code`: the acknowledgement sent, empty when there was none."""
    return MessageRejected(
        raw=raw,
        acknowledgement_code=code,
        condition_code=refusal.condition,
        reason=refusal.text,
        location=str(refusal.location or ""),
        control_id=envelope.header.get(10)[:_LONGEST_CONTROL_ID],
        received_at=to_proto(received_at),
        sending_facility=envelope.header.get(4)[:_LONGEST_NAME],
    )
