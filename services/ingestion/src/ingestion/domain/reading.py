"""From the bytes of a frame to what they say, or to the reason why they are refused. Pure: no clock, no sockets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.identifiers import event_id
from longitude.ingestion.v1.events_pb2 import MessageHeader, Remark

from ingestion.domain import charset, hl7
from ingestion.domain.acknowledgement import Envelope
from ingestion.domain.facts import Normalised, Origin, normalise
from ingestion.domain.feed import FeedRules
from ingestion.domain.local_codes import with_standard_codes
from ingestion.domain.message_type import NOT_PRODUCTION, check_patient_present, check_supported, trigger_of
from ingestion.domain.timestamps import parse_timestamp, to_proto


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known about senders and not said in their messages."""

    # By sending facility (MSH-4.1); the default is for every other.
    facilities: Mapping[str, FeedRules] = field(default_factory=dict)
    default: FeedRules = field(default_factory=FeedRules)

    def rules(self, facility: str) -> FeedRules:
        """The rules of a facility."""
        return self.facilities.get(facility, self.default)


@dataclass(frozen=True, slots=True)
class Reading:
    """A message that is taken."""

    event_id: str
    envelope: Envelope
    header: MessageHeader
    content: Normalised
    remarks: list[Remark]


def digest_of(payload: bytes) -> bytes:
    """SHA-256 of the bytes as they came."""
    return hashlib.sha256(payload).digest()


def read(payload: bytes, received_at: datetime, feed: Feed) -> Reading:
    """RefusedError when the message is not taken; then nothing of it becomes a fact."""
    decoded = charset.decode(payload)
    message = hl7.parse(decoded.text, decoded.codec)
    rules = feed.rules(message.header.get(4))
    message = with_standard_codes(message, rules.local_codes)
    check_supported(message)
    check_patient_present(message)
    origin = _origin(message, payload, received_at, rules)
    origin.remarks.extend(filter(None, [decoded.remark, *message.remarks]))
    content = normalise(message, origin, rules.authority)
    if message.header.get(11) in NOT_PRODUCTION:
        origin.remark(message.header, 11, "not from production; kept, and not taken into the record")
        # The documents stand in the message; nobody is to read them as a patient's.
        content = replace(content, documents=[])
    header = _header(message, decoded.codec, rules)
    return Reading(origin.event_id, Envelope(message.header, decoded.codec), header, content, origin.remarks)


def message_event_id(header: hl7.Segment, payload: bytes) -> str:
    """The same sender, control id and bytes always give the same event: a message sent again is known again."""
    return event_id("message", header.raw(3), header.raw(4), header.get(10), digest_of(payload))


def _origin(message: hl7.Message, payload: bytes, received_at: datetime, rules: FeedRules) -> Origin:
    header = message.header
    return Origin(
        event_id=message_event_id(header, payload),
        control_id=header.get(10),
        facility=header.get(4) or header.get(3),
        zone=rules.zone,
        said_at=to_proto(parse_timestamp(header.get(7), rules.zone) or received_at),
        trigger=trigger_of(message),
        rules=rules,
    )


def _header(message: hl7.Message, codec: str, rules: FeedRules) -> MessageHeader:
    header = message.header
    sent_at = parse_timestamp(header.get(7), rules.zone)
    return MessageHeader(
        control_id=header.get(10),
        sending_application=header.get(3),
        sending_facility=header.get(4),
        message_code=header.get(9),
        trigger_event=trigger_of(message),
        version=header.get(12),
        charset=codec,
        sent_at=to_proto(sent_at) if sent_at else None,
        processing_id=header.get(11),
    )
