from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord
from contracts.errors import PermanentError
from contracts.identifiers import event_id
from contracts.topics import MESSAGE_REJECTED, RECORD_UPDATED
from eventbus import Event, Outgoing
from longitude.ingestion.v1.events_pb2 import MessageRejected

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def outgoing() -> Outgoing:
    payload = MessageRejected(condition_code="100", reason="segment sequence error")
    return Outgoing(MESSAGE_REJECTED, event_id("test", "1"), b"key", payload, AT, "a-cause")


def record(value: bytes, headers: dict[str, str]) -> "ConsumerRecord[bytes, bytes]":
    wire = [(name, text.encode()) for name, text in headers.items()]
    return ConsumerRecord("t", 3, 17, 0, 0, b"key", value, None, 3, len(value), wire)


def test_an_event_is_read_as_it_was_written() -> None:
    sent = outgoing()
    event = Event.decode(MESSAGE_REJECTED, record(sent.value(), sent.headers()))
    assert (event.id, event.key, event.payload, event.time) == (sent.id, b"key", sent.payload, AT)
    assert (event.causation_id, event.partition, event.offset) == ("a-cause", 3, 17)


def test_a_following_event_carries_its_cause_time_and_key() -> None:
    sent = outgoing()
    event = Event.decode(MESSAGE_REJECTED, record(sent.value(), sent.headers()))
    follows = Outgoing.caused_by(event, RECORD_UPDATED, RECORD_UPDATED.payload(), id="x")
    assert (follows.causation_id, follows.time, follows.key) == (event.id, event.time, event.key)


@pytest.mark.parametrize("missing", ["ce_id", "ce_type", "ce_time"])
def test_a_record_without_a_required_attribute_is_undecodable(missing: str) -> None:
    headers = outgoing().headers()
    del headers[missing]
    with pytest.raises(PermanentError, match="undecodable"):
        Event.decode(MESSAGE_REJECTED, record(b"", headers))


@pytest.mark.parametrize(
    ("value", "changes"),
    [(b"\xff\xff\xff", {}), (b"", {"ce_type": "longitude.other.v1.Thing"}), (b"", {"ce_time": "yesterday"})],
    ids=["not protobuf", "another type", "not a time"],
)
def test_a_record_that_is_not_this_event_is_undecodable(value: bytes, changes: dict[str, str]) -> None:
    with pytest.raises(PermanentError, match="undecodable"):
        Event.decode(MESSAGE_REJECTED, record(value, outgoing().headers() | changes))
