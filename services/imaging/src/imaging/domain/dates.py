"""Dates as pages print them. A date that can be read two ways is no date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(?<!\d)(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)")
_WORDS = re.compile(r"(?<!\d)(\d{1,2})\.?\s*([A-Za-z]{3})[a-z]*\.?,?\s*(\d{4})(?!\d)")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)")


def find_date(text: str, zone: tzinfo = UTC) -> datetime | None:
    """The first date in the text, with the time that follows it if one does, in the zone of the place; None if there
    is none, if it does not exist, or if day and month could be exchanged (03/04/2024).
    """
    for pattern, parts in ((_ISO, _iso), (_WORDS, _words), (_NUMBERS, _numbers)):
        if (match := pattern.search(text)) and (found := parts(match)):
            clock = _TIME.match(text[match.end() :].lstrip(" T,")) if text[match.end() :] else None
            return _instant(found, clock, zone)
    return None


def _iso(match: re.Match[str]) -> tuple[int, int, int] | None:
    return int(match[1]), int(match[2]), int(match[3])


def _words(match: re.Match[str]) -> tuple[int, int, int] | None:
    name = match[2].lower()
    return (int(match[3]), MONTHS.index(name) + 1, int(match[1])) if name in MONTHS else None


def _numbers(match: re.Match[str]) -> tuple[int, int, int] | None:
    """Dots are written day first everywhere; with slashes or dashes only the number above 12 decides."""
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] == "." or first > 12 or first == second:
        return year, second, first
    return (year, first, second) if second > 12 else None


def _instant(date: tuple[int, int, int], clock: re.Match[str] | None, zone: tzinfo) -> datetime | None:
    hour, minute = (int(clock[1]), int(clock[2])) if clock else (0, 0)
    try:
        return datetime(*date, hour, minute, tzinfo=zone)
    except ValueError:
        return None
