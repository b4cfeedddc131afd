"""Dates in a text, as people and systems write them: days, months, years; where two readings are possible, both.

A day without a year is the last such day before the question. Impossible dates are no dates.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

Interval = tuple[date, date]
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = "(" + "|".join(f"{name}|{name[:3]}\\.?" for name in _MONTHS) + "|sept\\.?)"
_YEAR = r"((?:19|20)[0-9]{2})"
_DAY = r"([0-3]?[0-9])(?:st|nd|rd|th)?"

_FORMS = (
    ("iso", re.compile(r"(?<![\w.-])" + _YEAR + r"-([0-9]{2})-([0-9]{2})(?:T[0-9:.Z+-]+)?(?![\w-])")),
    ("hl7", re.compile(r"(?<![\w.])" + _YEAR + r"([01][0-9])([0-3][0-9])(?!\w)")),
    ("month_first", re.compile(r"\b" + _MONTH + r"\s+" + _DAY + r",?\s+" + _YEAR + r"\b", re.IGNORECASE)),
    ("day_first", re.compile(r"\b" + _DAY + r"\.?(?:\s+of)?[\s-]+" + _MONTH + r",?[\s-]+" + _YEAR + r"\b", re.IGNORECASE)),
    ("numeric", re.compile(r"(?<![\w./-])([0-9]{1,2})[./-]([0-9]{1,2})[./-]" + _YEAR + r"(?![\w/])")),
    ("short", re.compile(r"(?<![\w./-])([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{2})(?![\w./%])")),
    ("month", re.compile(r"\b" + _MONTH + r",?\s+" + _YEAR + r"\b", re.IGNORECASE)),
    ("iso_month", re.compile(r"(?<![\w.-])" + _YEAR + r"-([0-9]{2})(?![\w-])")),
    ("month_year", re.compile(r"(?<![\w./-])([01]?[0-9])/" + _YEAR + r"(?![\w/])")),
    ("month_day", re.compile(r"\b" + _MONTH + r"\s+" + _DAY + r"(?![\w.,]?\d)\b", re.IGNORECASE)),
    ("day_month", re.compile(r"(?<![\w.])" + _DAY + r"\.?(?:\s+of)?\s+" + _MONTH + r"\b", re.IGNORECASE)),
    ("only_month", re.compile(r"(?<=\bin )(?:the )?" + _MONTH + r"\b", re.IGNORECASE)),
    ("year", re.compile(r"(?:(?<![\w./-])|(?<=[12][0-9]{3}-))" + _YEAR + r"(?![\w%/]|[.,][0-9]|-(?![12][0-9]{3}(?![\w.,-]))[0-9]|\s*(?:[kmuµμnp]?(?:g|mol|Eq|L|U)|IU)\b)")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """Characters [start, end), and the intervals of days that they may mean. `is_day`: one day, not a month or year."""

    start: int
    end: int
    readings: tuple[Interval, ...]

    @property
    def is_day(self) -> bool:
        return all(first == last for first, last in self.readings)

    def includes(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.readings)

    @property
    def first(self) -> date:
        return min(first for first, _ in self.readings)

    @property
    def last(self) -> date:
        return max(last for _, last in self.readings)


def find(text: str, today: date) -> Iterator[Found]:
    """Dates of a text; the longer form wins where two overlap."""
    taken: list[tuple[int, int]] = []
    for form, pattern in _FORMS:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            readings = _readings(form, match.groups(), today)
            if readings:
                taken.append(match.span())
                yield Found(match.start(), match.end(), readings)


def _readings(form: str, groups: tuple[str, ...], today: date) -> tuple[Interval, ...]:
    match form:
        case "iso" | "hl7":
            possible = [_day(groups[0], groups[1], groups[2])]
        case "month_first":
            possible = [_day(groups[2], _month(groups[0]), groups[1])]
        case "day_first":
            possible = [_day(groups[2], _month(groups[1]), groups[0])]
        case "numeric":
            possible = [_day(groups[2], groups[1], groups[0]), _day(groups[2], groups[0], groups[1])]
        case "short":
            year = str(2000 + int(groups[2]))
            possible = [_day(year, groups[1], groups[0]), _day(year, groups[0], groups[1])]
        case "month":
            possible = [_whole_month(groups[1], _month(groups[0]))]
        case "iso_month":
            possible = [_whole_month(groups[0], groups[1])]
        case "month_year":
            possible = [_whole_month(groups[1], groups[0])]
        case "month_day":
            possible = [_last_such(_month(groups[0]), groups[1], today)]
        case "day_month":
            possible = [_last_such(_month(groups[1]), groups[0], today)]
        case "only_month":
            possible = [_last_month(_month(groups[0]), today)]
        case _:
            possible = [(date(int(groups[0]), 1, 1), date(int(groups[0]), 12, 31))]
    return tuple(dict.fromkeys(each for each in possible if each))


def _month(name: str) -> int:
    return next(number for number, full in enumerate(_MONTHS, 1) if full.startswith(name.lower().rstrip(".")[:3]))


def _day(year: str | int, month: str | int, day: str) -> Interval | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found, found


def _last_such(month: int, day: str, today: date) -> Interval | None:
    this_year = _day(today.year, month, day)
    return this_year if this_year is None or this_year[0] <= today else _day(today.year - 1, month, day)


def _last_month(month: int, today: date) -> Interval | None:
    return _whole_month(today.year if month <= today.month else today.year - 1, month)


def _whole_month(year: str | int, month: str | int) -> Interval | None:
    if not 1 <= int(month) <= 12:
        return None
    first = date(int(year), int(month), 1)
    return first, first + timedelta(monthrange(int(year), int(month))[1] - 1)
