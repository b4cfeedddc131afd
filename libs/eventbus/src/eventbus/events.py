"""Events on the wire: CloudEvents 1.0, Kafka protocol binding, binary content mode, protobuf payload.

Headers carry ids and times, never anything about the patient.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Self

from aiokafka import ConsumerRecord
from contracts.errors import PermanentError
from contracts.signatures import Verifier
from contracts.topics import M, Topic
from google.protobuf.message import DecodeError, Message

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/protobuf"


@dataclass(frozen=True, slots=True)
class Event(Generic[M]):
    """One record of a topic, decoded."""

    id: str
    topic: Topic[M]
    key: bytes
    payload: M
    # Id of the event that caused this one; empty for those that came from outside.
    causation_id: str
    time: datetime
    partition: int
    offset: int
    # The payload as it stood on the wire: what the audit log hashes.
    value: bytes
    headers: dict[str, str]

    @classmethod
    def decode(cls, topic: Topic[M], record: "ConsumerRecord[bytes, bytes]", verifier: Verifier | None = None) -> Self:
        """PermanentError(`undecodable`) when the record is not an event of this topic.

        SignatureError when a verifier is there, and the topic's owner did not sign it; it is asked first.
        """
        headers = decode_headers(record)
        if verifier is not None:
            verifier.require(topic.name, record.key or b"", headers, record.value or b"")
        try:
            payload = topic.payload.FromString(record.value or b"")
            if headers["ce_type"] != topic.event_type:
                raise PermanentError("undecodable")
            return cls(
                id=headers["ce_id"],
                topic=topic,
                key=record.key or b"",
                payload=payload,
                causation_id=headers.get("ce_causationid", ""),
                time=datetime.fromisoformat(headers["ce_time"]),
                partition=record.partition,
                offset=record.offset,
                value=record.value or b"",
                headers=headers,
            )
        except (DecodeError, KeyError, ValueError) as error:
            raise PermanentError("undecodable") from error


def decode_headers(record: "ConsumerRecord[Any, Any]") -> dict[str, str]:
    """Kafka headers as text; bytes that are not UTF-8 are shown escaped rather than lost."""
    return {name: value.decode("utf-8", "backslashreplace") for name, value in record.headers}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to be published. Publishing it twice is harmless: its id is deterministic."""

    topic: Topic[Any]
    id: str
    key: bytes
    payload: Message
    time: datetime
    causation_id: str = ""

    @classmethod
    def caused_by(cls, event: Event[Any], topic: Topic[Any], payload: Message, *, id: str, key: bytes = b"") -> Self:  # noqa: A002 - the CloudEvents name
        """An event that follows from another: it carries its cause's id, time and (unless given) key."""
        return cls(topic, id, key or event.key, payload, event.time, event.id)

    def headers(self) -> dict[str, str]:
        """The CloudEvents attributes of the record."""
        headers = {
            "ce_specversion": SPEC_VERSION,
            "ce_id": self.id,
            "ce_type": self.topic.event_type,
            "ce_source": f"/longitude/{self.topic.owner}",
            "ce_time": self.time.astimezone(UTC).isoformat(),
            "content-type": CONTENT_TYPE,
        }
        if self.causation_id:
            headers["ce_causationid"] = self.causation_id
        return headers

    def value(self) -> bytes:
        """The payload's bytes, the same for the same payload."""
        return self.payload.SerializeToString(deterministic=True)
