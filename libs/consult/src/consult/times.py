"""Moments and intervals of facts. A missing bound is open; equal bounds are one instant."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1.fact_pb2 import FACT_STATUS_ENDED, ClinicalFact

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
_EPOCH = datetime.fromtimestamp(0, UTC)
_NANOS = 1_000_000_000


def moment(message: Message, field: str) -> datetime | None:
    """A timestamp field as UTC, None when unset; ValueError when outside the years 1 to 9999."""
    if not message.HasField(field):
        return None
    value: Timestamp = getattr(message, field)
    return _moment(value.seconds, value.nanos)


@lru_cache(maxsize=4096)
def _moment(seconds: int, nanos: int) -> datetime:
    """One message states few moments, and each of them often."""
    if not 0 <= nanos < _NANOS:
        raise ValueError("nanos of a timestamp are 0 to 999,999,999")
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError as error:
        raise ValueError("a timestamp lies in the years 1 to 9999") from error


def stamp(moment: datetime) -> Timestamp:
    """The protobuf form of a moment."""
    since = moment.astimezone(UTC) - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


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
