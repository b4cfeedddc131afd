"""Times that are said without a date: a season, this year and the last, New Year."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

Span = tuple[date, date]
# First month of each season.
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_MONTHS_OF_A_SEASON = 3
_SEASON = re.compile(rf"\b(?:(last|this) )?({'|'.join(_SEASONS)})(?: of)?(?: ((?:19|20)[0-9]{{2}}))?\b")
_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = re.compile(
    rf"\b(last|since|than in|than|with|from|in|of|before|after|until) ({'|'.join(_NAMES)})"
    r"(?! (?:[0-9]|last year|this year))\b"
    rf"|\b({'|'.join(_NAMES)}) (last|this) year\b"
)
_YEAR = re.compile(r"\b(?:(this)|last|past) year\b")
# `the last five years`, `the past 6 months`.
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12}
_DAYS = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}
_SO_LONG = re.compile(
    rf"\b(?:last|past|previous|recent) (?:([0-9]{{1,2}}|{'|'.join(_NUMBERS)}) |couple of |few )({'|'.join(_DAYS)})s?\b"
)
_NEW_YEAR = re.compile(r"\bnew years?(?: s)?(?: day| eve)?\b")


def spans(plain: str, today: date) -> Iterator[Span]:
    """In lower case and words alone; `fall` and `winter` only with a year or beside last or this."""
    for match in _SEASON.finditer(plain):
        if match.group(1) or match.group(3):
            yield _season(match.group(2), int(match.group(3) or 0), today)
    for match in _MONTH.finditer(plain):
        yield _month(_NAMES.index(match.group(2) or match.group(3)) + 1, match.group(4), today)
    for match in _YEAR.finditer(_MONTH.sub("", plain)):
        year = today.year if match.group(1) else today.year - 1
        yield date(year, 1, 1), date(year, 12, 31)
    for match in _SO_LONG.finditer(plain):
        number = _NUMBERS.get(match.group(1)) or int(match.group(1) or 1)
        yield today - timedelta(days=round(number * _DAYS[match.group(2)])), today
    if _NEW_YEAR.search(plain):
        yield date(today.year - 1, 12, 31), date(today.year - 1, 12, 31)


def _month(month: int, year: str | None, today: date) -> Span:
    """Of this year or the last, else the newest that has begun."""
    return _begun(date(today.year - (year == "last"), month, 1), 1, today, named=bool(year))


def _season(name: str, year: int, today: date) -> Span:
    """Of a year, else the newest that has begun."""
    return _begun(date(year or today.year, _SEASONS[name], 1), _MONTHS_OF_A_SEASON, today, named=bool(year))


def _begun(first: date, months: int, today: date, *, named: bool) -> Span:
    """So many months; a year earlier where no year was named and they lie ahead."""
    if not named and first > today:
        first = first.replace(year=first.year - 1)
    last = first.month - 1 + months
    return first, date(first.year + last // 12, last % 12 + 1, 1) - timedelta(days=1)
