"""Times that are said without a date: a season, this year and the last, New Year."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

Span = tuple[date, date]
# First month of each season.
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_MONTHS_OF_A_SEASON = 3
_SEASON = re.compile(rf"\b(?:(last|this) )?({'|'.join(_SEASONS)})(?: of)?(?: ((?:19|20)[0-9]{{2}}))?\b")
_YEAR = re.compile(r"\b(?:(this)|last|past) year\b")
_NEW_YEAR = re.compile(r"\bnew years?(?: s)?(?: day| eve)?\b")


def spans(plain: str, today: date) -> Iterator[Span]:
    """In lower case and words alone; `fall` and `winter` only with a year or beside last or this."""
    for match in _SEASON.finditer(plain):
        if match.group(1) or match.group(3):
            yield _season(match.group(2), int(match.group(3) or 0), today)
    for match in _YEAR.finditer(plain):
        year = today.year if match.group(1) else today.year - 1
        yield date(year, 1, 1), date(year, 12, 31)
    if _NEW_YEAR.search(plain):
        yield date(today.year - 1, 12, 31), date(today.year - 1, 12, 31)


def _season(name: str, year: int, today: date) -> Span:
    """Of a year, else the newest that has begun."""
    first = date(year or today.year, _SEASONS[name], 1)
    if not year and first > today:
        first = first.replace(year=first.year - 1)
    months = first.month - 1 + _MONTHS_OF_A_SEASON
    behind = date(first.year + months // 12, months % 12 + 1, 1)
    return first, behind - timedelta(days=1)
