"""One Kafka record as the log sees it, and which event it stands for.

Guarantee: every record, also one that no service of Longitude wrote, has exactly one identity, and a record that a
producer or a consumer sent twice has the same identity both times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from contracts.identifiers import event_id

DEAD_LETTER_PREFIX = "dlq."
MAX_HEADER_CHARACTERS = 255
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_INSTANT = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Signed:
    """`state` of a record's signature: good, missing or wrong, or empty where nobody looked; `by` whom, where it is
    somebody's.
    """

    by: str = ""
    state: str = ""


@dataclass(frozen=True)
class Record:
    """A record as fetched. `timestamp` is Kafka's, in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: Mapping[str, str]
    value: bytes
    signed: Signed = Signed()

    @cached_property
    def sha256(self) -> bytes:
        """SHA-256 of the value; of the empty string for a record without one."""
        return hashlib.sha256(self.value).digest()

    @property
    def dead_letter(self) -> bool:
        """Whether a consumer gave up on the event."""
        return self.topic.startswith(DEAD_LETTER_PREFIX)

    @property
    def origin(self) -> str:
        """The topic whose payload it carries: `dlq.<consumer>.<topic>` carries that of `<topic>`."""
        return self.topic.removeprefix(DEAD_LETTER_PREFIX).partition(".")[2] if self.dead_letter else self.topic

    def header(self, name: str) -> str:
        """A header that can be an identifier: at most 255 printable characters; else the empty string."""
        value = self.headers.get(name, "")
        return value if len(value) <= MAX_HEADER_CHARACTERS and value.isprintable() else ""

    @property
    def recorded_at(self) -> str:
        """Kafka's timestamp as a FHIR instant."""
        milliseconds = min(max(self.timestamp, 0), _LAST_INSTANT)
        return _instant(_EPOCH + timedelta(milliseconds=milliseconds))

    @cached_property
    def occurred_at(self) -> str:
        """CloudEvents `time` as a FHIR dateTime in UTC; empty if there is none."""
        try:
            time = datetime.fromisoformat(self.header("ce_time"))
            return _instant(time.astimezone(UTC)) if time.tzinfo else ""
        except (ValueError, OverflowError):
            return ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which event a record stands for, and which event led to it."""

    event_id: str
    causation_id: str


def identify(record: Record) -> Identity:
    """The first of these that applies: a replay, a dead letter, an event, a record of unknown origin."""
    original = record.header("ce_id")
    if replay := record.header("replay_id"):
        return Identity(replay, original)
    if record.dead_letter:
        return Identity(_dead_letter_id(record), original)
    if original:
        return Identity(original, record.header("ce_causationid"))
    return Identity(event_id("record", record.topic, str(record.partition), str(record.offset)), "")


def _dead_letter_id(record: Record) -> str:
    """One id per consumer and record given up, however often the consumer says so."""
    place = (record.header("dlq_topic"), record.header("dlq_partition"), record.header("dlq_offset"))
    if not all(place):
        place = (record.topic, str(record.partition), str(record.offset))
    return event_id("dead-letter", record.topic, *place)


def _instant(time: datetime) -> str:
    return time.isoformat(timespec="microseconds" if time.microsecond % 1000 else "milliseconds").replace("+00:00", "Z")
