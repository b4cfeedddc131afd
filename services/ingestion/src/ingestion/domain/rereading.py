"""A message that was received is read again, by the reader and the rules of feeds of now. Pure."""

from datetime import UTC

from contracts.identifiers import event_id
from longitude.ingestion.v1.events_pb2 import MessageReceived, MessageReread, PartitionSpan, Remark

from ingestion.domain.reading import Feed, read
from ingestion.domain.reception import received_event
from ingestion.domain.refusal import RefusedError

UNREADABLE = "could not be read again; it stays as it was read"


def reread(original: MessageReceived, payload: bytes | None, feed: Feed) -> MessageReread:
    """All of a MessageReread but where it comes from. `payload`: None when its bytes are lost."""
    if payload is None:
        return _as_it_was(original)
    try:
        received_at = original.received_at.ToDatetime(tzinfo=UTC)
        message = received_event(read(payload, received_at, feed), original.raw, received_at)
    except RefusedError as error:
        return MessageReread(refusal=f"{error.condition.value} {error.text}")
    except Exception:  # noqa: BLE001 - whatever a message makes the reader stumble over, the record loses nothing of it
        return _as_it_was(original)
    message.acknowledgement_code = original.acknowledgement_code
    return MessageReread(message=message)


def reread_event_id(rereading_id: str, partition: int, offset: int) -> str:
    """The same record of the same rereading gives the same event."""
    return event_id("message-reread", rereading_id, str(partition), str(offset))


def messages_of(spans: list[PartitionSpan]) -> int:
    """How many records the spans hold."""
    return sum(span.end - span.begin for span in spans)


def _as_it_was(original: MessageReceived) -> MessageReread:
    message = MessageReceived()
    message.CopyFrom(original)
    message.remarks.append(Remark(reason=UNREADABLE))
    return MessageReread(message=message)
