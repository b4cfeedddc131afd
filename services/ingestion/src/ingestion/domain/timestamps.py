"""HL7 timestamps (TS, DTM, DT) of any precision and offset to instants; so is the extended form of ISO 8601."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

_OFFSET = r"\s*(?:(Z)|([+-])(\d\d):?(\d\d))?"
_FORM = re.compile(r"(\d{4})(?:(\d\d)(?:(\d\d)(?:T?(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d{1,6})\d*)?)?)?)?)?)?" + _OFFSET)
_EXTENDED = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6})\d*)?)?)?)?" + _OFFSET)

# Outside these years a timestamp is a placeholder (0001-01-01, 9999-12-31), not a time.
_EARLIEST, _LATEST = 1800, 2200
_LONGEST = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86_400


def parse_timestamp(text: str, zone: tzinfo) -> datetime | None:
    """The first instant of the period that was written (a year: its first of January); None when it is no timestamp.

    `zone`: used where the text has no offset of its own.
    """
    return _parse(text, zone) if len(text) <= _LONGEST else None


def timestamp(text: str, zone: tzinfo) -> Timestamp | None:
    """`parse_timestamp` as protobuf, shared by all who ask for the same: a fact takes a copy."""
    return _timestamp(text, zone) if len(text) <= _LONGEST else None


@lru_cache(maxsize=8192)
def _timestamp(text: str, zone: tzinfo) -> Timestamp | None:
    moment = _parse(text, zone)
    return to_proto(moment) if moment is not None else None


@lru_cache(maxsize=8192)
def _parse(text: str, zone: tzinfo) -> datetime | None:
    match = _match(text)
    if match is None or not _EARLIEST <= int(match[1]) <= _LATEST:
        return None
    year, month, day, hour, minute, second, fraction = match.group(1, 2, 3, 4, 5, 6, 7)
    try:
        return datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "").ljust(6, "0")),
            _offset(match) or zone,
        )
    except ValueError:
        return None


def parse_date(text: str) -> str:
    """A date as ISO 8601 with the precision that was sent (`1964`, `1964-05`, `1964-05-02`); empty when it is none."""
    match = _match(text)
    if match is None or parse_timestamp(text, UTC) is None:
        return ""
    return "-".join(part for part in match.group(1, 2, 3) if part)


def to_proto(moment: datetime) -> Timestamp:
    """A protobuf Timestamp of an aware datetime."""
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * _DAY_SECONDS + since.seconds, nanos=since.microseconds * 1000)


def _match(text: str) -> re.Match[str] | None:
    text = text.strip()
    return _FORM.fullmatch(text) or _EXTENDED.fullmatch(text)


def _offset(match: re.Match[str]) -> tzinfo | None:
    if match[8]:
        return UTC
    if match[9] is None:
        return None
    size = timedelta(hours=int(match[10]), minutes=int(match[11]))
    return timezone(-size if match[9] == "-" else size)
