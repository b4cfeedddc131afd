"""Moments and intervals of facts. A missing bound is open; equal bounds are one instant."""

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1.fact_pb2 import FACT_STATUS_ENDED, ClinicalFact

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


def moment(message: Message, field: str) -> datetime | None:
    """A timestamp field as UTC, None when unset; ValueError when outside the years 1 to 9999."""
    if not message.HasField(field):
        return None
    value: Timestamp = getattr(message, field)
    return value.ToDatetime(UTC)


def stamp(moment: datetime) -> Timestamp:
    """The protobuf form of a moment."""
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def interval(fact: ClinicalFact) -> tuple[datetime | None, datetime | None]:
    """[valid_from, valid_to) as stated."""
    return moment(fact, "valid_from"), moment(fact, "valid_to")


def contains(start: datetime | None, end: datetime | None, at: datetime) -> bool:
    """Whether a moment lies in the interval; an instant contains itself."""
    if start is not None and start == end:
        return at == start
    return (start is None or start <= at) and (end is None or at < end)


def overlap(one: ClinicalFact, other: ClinicalFact) -> bool:
    """Whether two facts are stated for a common moment."""
    (start, end), (from_, to) = _bounds(one), _bounds(other)
    if start == end:
        return contains(from_, to, start)
    if from_ == to:
        return contains(start, end, from_)
    return max(start, from_) < min(end, to)


def known_since(fact: ClinicalFact) -> datetime | None:
    """Its start, or where nobody stated one, when it was stated."""
    return moment(fact, "valid_from") or moment(fact, "stated_at")


def _bounds(fact: ClinicalFact) -> tuple[datetime, datetime]:
    """The interval with open ends filled in, as far as it is known.

    What nobody gave a start is known since it was stated, or at its end where that lies before. What ended at an
    unknown time is taken to hold at its start only.
    """
    start, end = known_since(fact) or EARLIEST, moment(fact, "valid_to")
    if end is None:
        return start, start if fact.status == FACT_STATUS_ENDED else LATEST
    return min(start, end), end
