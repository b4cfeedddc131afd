"""Dates in text, in the forms that people and systems write. Two readings are kept where the form allows two."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from grounding.mentions import DateMention

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = "(" + "|".join(f"{name}|{name[:3]}\\.?" for name in _MONTHS) + ")"
_YEAR = r"((?:19|20)\d\d)"

_FORMS = (
    ("iso", re.compile(r"(?<![\d.-])" + _YEAR + r"-(\d\d)-(\d\d)(?![\d-])")),
    ("hl7", re.compile(r"(?<![\d.])" + _YEAR + r"([01]\d)([0-3]\d)(?!\d)")),
    ("month_first", re.compile(r"\b" + _MONTH + r"\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+" + _YEAR + r"\b", re.IGNORECASE)),
    ("day_first", re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\.?\s+" + _MONTH + r"\s+" + _YEAR + r"\b", re.IGNORECASE)),
    ("numeric", re.compile(r"(?<![\d./-])(\d{1,2})[./](\d{1,2})[./]" + _YEAR + r"(?!\d)")),
    ("month", re.compile(r"\b" + _MONTH + r"\s+" + _YEAR + r"\b", re.IGNORECASE)),
    ("iso_month", re.compile(r"(?<![\d.-])" + _YEAR + r"-(\d\d)(?![\d-])")),
    ("year", re.compile(r"(?<![\d./-])" + _YEAR + r"(?![\d%]|[.,]\d|-\d|\s*(?:[kmuµμnp]?(?:g|mol|Eq|L|U)|IU)\b)")),
)


def find(text: str) -> Iterator[DateMention]:
    """Dates of a text; the longer form wins where two overlap. Impossible dates are not dates."""
    taken: list[tuple[int, int]] = []
    for form, pattern in _FORMS:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            readings = _readings(form, match.groups())
            if readings:
                taken.append(match.span())
                yield DateMention(match.start(), match.end(), match.group(), readings)


def _readings(form: str, groups: tuple[str, ...]) -> tuple[tuple[date, date], ...]:
    match form:
        case "iso" | "hl7":
            possible = [_day(groups[0], groups[1], groups[2])]
        case "month_first":
            possible = [_day(groups[2], _month(groups[0]), groups[1])]
        case "day_first":
            possible = [_day(groups[2], _month(groups[1]), groups[0])]
        case "numeric":
            possible = [_day(groups[2], groups[1], groups[0]), _day(groups[2], groups[0], groups[1])]
        case "month":
            possible = [_whole_month(groups[1], _month(groups[0]))]
        case "iso_month":
            possible = [_whole_month(groups[0], groups[1])]
        case _:
            possible = [(date(int(groups[0]), 1, 1), date(int(groups[0]), 12, 31))]
    return tuple(dict.fromkeys(each for each in possible if each))


def _month(name: str) -> int:
    return next(number for number, full in enumerate(_MONTHS, 1) if full.startswith(name.lower().rstrip(".")[:3]))


def _day(year: str, month: str | int, day: str) -> tuple[date, date] | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found, found


def _whole_month(year: str, month: str | int) -> tuple[date, date] | None:
    if not 1 <= int(month) <= 12:
        return None
    return date(int(year), int(month), 1), date(int(year), int(month), monthrange(int(year), int(month))[1])
