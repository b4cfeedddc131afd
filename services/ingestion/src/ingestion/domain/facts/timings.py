"""When and how much: TQ1 (HL7 v2.5.1 section 4.5.4), and the data type TQ that older versions keep in ORC-7 and RXE-1.

A timing that nobody dated has no start. A duration counts from the start, or where there is none from the order.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from terminology import units

from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.scope import Origin
from ingestion.domain.hl7 import Segment, Value
from ingestion.domain.numbers import decimal_of
from ingestion.domain.timestamps import parse_timestamp

# TQ.3: letter and number (v2.5.1 section 4.3.3). X counts occurrences and T amounts; `INDEF` has no end.
_DURATION = re.compile(r"([SMHDWLX])(\d{1,6})")
_LETTERS = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk", "L": "mo"}
_SPANS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "wk": 604_800}
# Repeat patterns of table 0335 that say how long one interval is: Q<integer>S, M, H, D, W, L.
_INTERVAL = re.compile(r"Q(\d{1,3})([SMHDWL])")
_AS_NEEDED = "PRN"
# Table 0472: the next timing follows this one.
_SYNCHRONOUS = "S"


@dataclass(frozen=True, slots=True)
class Timing:
    """One way of taking a drug, as far as it was said."""

    amount: str = ""
    unit: str = ""
    frequency: str = ""
    instruction: str = ""
    # Number and unit (UCUM, or `times`).
    duration: tuple[int, str] | None = None
    start: datetime | None = None
    end: datetime | None = None
    conjunction: str = ""

    def ends(self, ordered_at: datetime) -> datetime | None:
        """When it is over: the end as stated, else the duration from the start or the order."""
        if self.end is not None or self.duration is None:
            return self.end
        return _after(self.start or ordered_at, *self.duration, self.frequency)


def timings(order: Order, detail: Segment, origin: Origin, ordered_at: datetime) -> list[Timing]:
    """The timings of an order, those that follow another one begun where that ends."""
    read = [_of_tq1(segment, origin) for segment in belonging(order, detail, "TQ1")] or list(
        _embedded(order, detail, origin)
    )
    for index, (before, after) in enumerate(pairwise(read), 1):
        if after.start is None and before.conjunction == _SYNCHRONOUS:
            read[index] = replace(after, start=read[index - 1].ends(ordered_at))
    return read


def belonging(order: Order, detail: Segment, name: str) -> list[Segment]:
    """The segments of a name that follow a detail segment, else all of the order (an encoded order repeats them)."""
    place = next(number for number, segment in enumerate(order.segments) if segment is detail)
    after: list[Segment] = []
    for segment in order.segments[place + 1 :]:
        if segment.name.startswith("RX") and segment.name not in {"RXR", "RXC"}:
            break
        if segment.name == name:
            after.append(segment)
    return after or order.all(name)


def _of_tq1(tq1: Segment, origin: Origin) -> Timing:
    pattern = " ".join(value.get(1) for value in tq1.values(3))
    count = decimal_of(tq1.get(14))
    duration = _span(tq1.get(6), tq1.get(6, 2) or tq1.get(6, 2, 2)) or (_times(count) if count else None)
    return Timing(
        amount=decimal_of(tq1.get(2)) or "",
        unit=tq1.get(2, 2) or tq1.get(2, 2, 2),
        frequency=_frequency(pattern or _clock(tq1), tq1.get(9)),
        instruction=_joined(tq1.text(10), tq1.text(11) if pattern else ""),
        duration=duration,
        start=_moment(tq1, 7, origin),
        end=_moment(tq1, 8, origin),
        conjunction=tq1.get(12),
    )


def _clock(tq1: Segment) -> str:
    """Explicit times (TQ1-4), else what is said in words (TQ1-11)."""
    return ", ".join(value.get(1) for value in tq1.values(4)) or tq1.text(11)


def _embedded(order: Order, detail: Segment, origin: Origin) -> Iterator[Timing]:
    orc = order.first("ORC")
    for segment, number in ((detail, 1), (orc, 7)):
        if segment is None or (segment.name not in {"RXE", "ORC"}):
            continue
        timed = [value for value in segment.values(number) if value.raw.strip("^&")]
        if timed:
            yield from (_of_tq(value, origin) for value in timed)
            return


def _of_tq(value: Value, origin: Origin) -> Timing:
    pattern = value.get(2) or value.get(2, 2)
    duration = _DURATION.fullmatch(value.get(3).upper())
    count = decimal_of(value.get(12))
    spoken = _letters(*duration.groups()) if duration else None
    return Timing(
        amount=decimal_of(value.get(1)) or "",
        unit=value.get(1, 2),
        frequency=_frequency(pattern or value.get(8), value.get(6)),
        instruction=_joined(value.get(7), value.get(8) if pattern else ""),
        duration=spoken or (_times(count) if count else None),
        start=parse_timestamp(value.get(4), origin.zone) if value.get(4) else None,
        end=parse_timestamp(value.get(5), origin.zone) if value.get(5) else None,
        conjunction=value.get(9),
    )


def _frequency(pattern: str, priority: str) -> str:
    as_needed = priority == _AS_NEEDED and _AS_NEEDED not in pattern.upper()
    return f"{pattern} {_AS_NEEDED}".strip() if as_needed else pattern


def _joined(*texts: str) -> str:
    return "; ".join(text for text in texts if text)


def _moment(segment: Segment, number: int, origin: Origin) -> datetime | None:
    stamp = origin.time(segment, number)
    return stamp.ToDatetime(UTC) if stamp else None


def _span(number: str, unit: str) -> tuple[int, str] | None:
    """A number with a unit of time, or a duration written as in TQ.3."""
    written = _DURATION.fullmatch(number.upper())
    if written:
        return _letters(*written.groups())
    known = units.ucum(unit.lower()) or ""
    whole = decimal_of(number)
    return (int(whole), known) if whole and whole.isdigit() and known in {*_SPANS, "mo", "a"} else None


def _letters(letter: str, number: str) -> tuple[int, str]:
    return int(number), _LETTERS.get(letter, "times")


def _times(count: str) -> tuple[int, str] | None:
    return (int(count), "times") if count.isdigit() else None


def _after(start: datetime, number: int, unit: str, frequency: str) -> datetime | None:
    """`number` units later; so many times end with the last interval, where it is known."""
    if unit == "times":
        interval = _INTERVAL.fullmatch(frequency.upper())
        if interval is None:
            return start if number == 1 else None
        number, unit = number * int(interval[1]), _LETTERS[interval[2]]
    try:
        if unit in _SPANS:
            return start + timedelta(seconds=number * _SPANS[unit])
        return _months_later(start, number * (12 if unit == "a" else 1))
    except (OverflowError, ValueError):
        return None


def _months_later(start: datetime, months: int) -> datetime:
    """The same day of a later month, or its last."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    first = start.replace(year=year, month=month + 1, day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(start.day, (following - timedelta(days=1)).day))


def span_of(timed: Sequence[Timing], ordered_at: datetime) -> tuple[datetime | None, datetime | None]:
    """From the first start to the last end; open where one of them is."""
    starts = [timing.start for timing in timed if timing.start]
    ends = [timing.ends(ordered_at) for timing in timed]
    return (min(starts) if starts else None, None if None in ends or not ends else max(filter(None, ends)))
