"""Dates in a text, as people and systems write them: days, months, years; where two readings are possible, both.

A day without a year is the last such day before the question, or of the year of the date before it in the text (in 2003
..., on 12 June). Impossible dates are no dates.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

Interval = tuple[date, date]
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = "(" + "|".join(f"{name}|{name[:3]}\\.?" for name in _MONTHS) + "|sept\\.?)"
# Of a year of two digits: how far it may lie ahead.
_AHEAD = 10
_YEAR = r"((?:19|20)[0-9]{2})"
_DAY = r"([0-3]?[0-9])(?:st|nd|rd|th)?"
# The first of two dates whose year stands behind the second: `from 3 May to 4 June 2019`.
_UP_TO = r"(?=\s+(?:and|to|until|till|through|-|–)\s+"

_SHORT_FORMS = frozenset(("month_day", "day_month", "only_day", "only_month", "listed_day"))
# What stands behind a number that is no year: more of it, a unit, or another number.
_LISTING = frozenset((",", "and", ", and", "&", "/"))
_NO_YEAR = r"(?![\w%/]|[.,][0-9]|-(?![12][0-9]{3}(?![\w.,-]))[0-9]|\s*(?:[kmuµμnp]?(?:g|mol|Eq|L|U)|IU)\b)"

_FORMS = (
    ("iso", re.compile(r"(?<![\w.-])" + _YEAR + r"-([0-9]{2})-([0-9]{2})(?:T[0-9:.Z+-]+)?(?![\w-])")),
    ("hl7", re.compile(r"(?<![\w.])" + _YEAR + r"([01][0-9])([0-3][0-9])(?!\w)")),
    ("month_first", re.compile(r"\b" + _MONTH + r"\s+" + _DAY + r",?\s+" + _YEAR + r"\b", re.IGNORECASE)),
    ("day_first", re.compile(rf"\b{_DAY}\.?(?:\s+of)?[\s-]+{_MONTH},?[\s-]+{_YEAR}\b", re.IGNORECASE)),
    ("numeric", re.compile(r"(?<![\w./-])([0-9]{1,2})[./-]([0-9]{1,2})[./-]" + _YEAR + r"(?![\w/])")),
    ("short", re.compile(r"(?<![\w./-])([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{2})(?![\w/%]|\.[0-9])")),
    ("month", re.compile(r"\b" + _MONTH + r",?\s+" + _YEAR + r"\b", re.IGNORECASE)),
    ("range_day", re.compile(rf"(?<![\w.]){_DAY}\s+{_MONTH}{_UP_TO}{_DAY}\s+{_MONTH}\s+{_YEAR})", re.IGNORECASE)),
    ("range_month", re.compile(r"\b" + _MONTH + _UP_TO + _MONTH + r"\s+" + _YEAR + ")", re.IGNORECASE)),
    ("iso_month", re.compile(r"(?<![\w.-])" + _YEAR + r"-([0-9]{2})(?![\w-])")),
    ("month_year", re.compile(r"(?<![\w./-])([01]?[0-9])/" + _YEAR + r"(?![\w/])")),
    ("decade", re.compile(r"(?<![\w./-])((?:19|20)[0-9]0)['’]?s(?!\w)")),
    ("year", re.compile(rf"(?:(?<![\w./-])|(?<=[12][0-9]{{3}}-)){_YEAR}{_NO_YEAR}")),
    ("listed_day", re.compile(rf"(?<=\bon ){_DAY}(?=\s+and\s+{_DAY}\s+{_MONTH}(?:,?\s+{_YEAR})?)", re.IGNORECASE)),
    ("month_day", re.compile(r"\b" + _MONTH + r"\s+" + _DAY + r"(?![\w.,]?\d)\b", re.IGNORECASE)),
    ("day_month", re.compile(r"(?<![\w.])" + _DAY + r"\.?(?:\s+of)?\s+" + _MONTH + r"\b", re.IGNORECASE)),
    ("only_day", re.compile(r"\bthe ([0-3]?[0-9])(?:st|nd|rd|th)"
                            r"(?=\s*(?:[.,;:()]|$|(?:and|to|until|with|but|when|he|she)\b))")),
    ("only_month", re.compile(r"(?:(?<=\bin )|(?<=\bby )|(?<=\buntil ))(?:the )?" + _MONTH + r"\b", re.IGNORECASE)),
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
    told: list[Found] = []
    for form, pattern in _FORMS:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            before = _before(match.start(), told) if form in _SHORT_FORMS else None
            readings = _readings(form, match.groups(), today)
            if form == "year" and (month := _month_of_list(match.start(), told, text)):
                readings = tuple(filter(None, (_whole_month(match[1], month),)))
            if before is not None:
                readings = tuple(dict.fromkeys((*_after(before, form, match), *readings)))
            elif form in ("month_day", "day_month"):
                readings = tuple(dict.fromkeys((*_ahead(match, form, told), *readings)))
            if readings:
                taken.append(match.span())
                told.append(Found(match.start(), match.end(), readings))
                yield told[-1]


def _month_of_list(start: int, earlier: Sequence[Found], text: str) -> int | None:
    """The month that goes on in `March 2019, 2020 and 2021`; None elsewhere."""
    before = _before(start, earlier)
    if before is None or before.is_day or text[before.end : start].strip() not in _LISTING:
        return None
    months = {first.month for first, last in before.readings if first.month == last.month}
    return months.pop() if len(months) == 1 else None


def _before(start: int, earlier: Sequence[Found]) -> Found | None:
    """The last date before a place; forms with their year are looked for first."""
    return max((each for each in earlier if each.end <= start), key=lambda each: each.end, default=None)


def _after(before: Found, form: str, match: re.Match[str]) -> tuple[Interval, ...]:
    """A day without a year, of the year that was told before it, or where it is over by then of the next; a day without
    a month, of the month of a day that was told before it.
    """
    if form == "only_day":
        months = {(first.year, first.month) for first, last in before.readings if first.month == last.month}
        same = (_day(year, month, match[1]) for year, month in sorted(months))
        return tuple(each for each in same if each and each[0] >= before.first)
    if form == "only_month":
        return tuple(_months_after(before, _month(match[1])))
    if form == "listed_day":
        day, _, month, year = match.groups()
        return (
            () if year else tuple(filter(None, (_day(first.year, _month(month), day) for first, _ in before.readings)))
        )
    month, day = match.groups() if form == "month_day" else reversed(match.groups())
    of_year = (_day(first.year, _month(month), day) for first, _ in before.readings)
    own = [each for each in of_year if each]
    past = (each for each in own if each[0] < before.first)
    return (*own, *filter(None, (_day(each[0].year + 1, each[0].month, day) for each in past)))


def _ahead(match: re.Match[str], form: str, dated: Sequence[Found]) -> Iterator[Interval]:
    """A day without a year, of the year of the date that follows it: 77 % on 17 May and 85 % on 31 May 2023."""
    later = min((each for each in dated if each.start >= match.end()), key=lambda each: each.start, default=None)
    month, day = match.groups() if form == "month_day" else reversed(match.groups())
    for first, last in later.readings if later else ():
        own = _day(first.year, _month(month), day)
        yield from (each for each in (own,) if each and each[0] <= last)


def _months_after(before: Found, month: int) -> Iterator[Interval]:
    """A month without a year: the first such month that is not over before a date."""
    for first, _ in before.readings:
        own = _whole_month(first.year, month)
        later = _whole_month(first.year + 1, month)
        yield from filter(None, (later if own and own[1] < before.first else own,))


def _readings(form: str, groups: tuple[str, ...], today: date) -> tuple[Interval, ...]:
    return tuple(dict.fromkeys(each for each in _READ[form](groups, today) if each))


def _either_order(first: str, second: str, year: str) -> list[Interval | None]:
    return [_day(year, second, first), _day(year, first, second)]


def _full(short: str, today: date) -> str:
    """The year that two digits mean: none that is still to come, but the next few."""
    return f"20{short}" if int(f"20{short}") <= today.year + _AHEAD else f"19{short}"


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


def _year_before(year: str, month: str, last: str) -> int:
    """The year of the first of two months, whose second is told with it: from December until January 1989."""
    return int(year) - (_month(month) > _month(last))


def _whole_month(year: str | int, month: str | int) -> Interval | None:
    if not 1 <= int(month) <= 12:
        return None
    first = date(int(year), int(month), 1)
    return first, first + timedelta(monthrange(int(year), int(month))[1] - 1)


_READ: Mapping[str, Callable[[tuple[str, ...], date], list[Interval | None]]] = {
    "iso": lambda of, _: [_day(of[0], of[1], of[2])],
    "hl7": lambda of, _: [_day(of[0], of[1], of[2])],
    "month_first": lambda of, _: [_day(of[2], _month(of[0]), of[1])],
    "day_first": lambda of, _: [_day(of[2], _month(of[1]), of[0])],
    "numeric": lambda of, _: _either_order(of[0], of[1], of[2]),
    "short": lambda of, today: _either_order(of[0], of[1], _full(of[2], today)),
    "month": lambda of, _: [_whole_month(of[1], _month(of[0]))],
    "range_day": lambda of, _: [_day(_year_before(of[4], of[1], of[3]), _month(of[1]), of[0])],
    "range_month": lambda of, _: [_whole_month(_year_before(of[2], of[0], of[1]), _month(of[0]))],
    "decade": lambda of, _: [(date(int(of[0]), 1, 1), date(int(of[0]) + 9, 12, 31))],
    "iso_month": lambda of, _: [_whole_month(of[0], of[1])],
    "month_year": lambda of, _: [_whole_month(of[1], of[0])],
    "only_day": lambda _, __: [],
    "listed_day": lambda of, today: [
        _day(of[3], _month(of[2]), of[0]) if of[3] else _last_such(_month(of[2]), of[0], today)
    ],
    "month_day": lambda of, today: [_last_such(_month(of[0]), of[1], today)],
    "day_month": lambda of, today: [_last_such(_month(of[1]), of[0], today)],
    "only_month": lambda of, today: [_last_month(_month(of[0]), today)],
    "year": lambda of, _: [(date(int(of[0]), 1, 1), date(int(of[0]), 12, 31))],
}
