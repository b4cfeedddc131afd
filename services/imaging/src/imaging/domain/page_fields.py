"""From the rows of a page to its fields: who it is about, when the specimen was taken, and the results table.

Every field keeps its box and the lowest confidence among the lines it was read from. A value is kept as printed; one
that could be read two ways (`1,234`) stays text and gets no number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from terminology import units
from terminology.observables import result_units
from terminology.results import by_name

from imaging.domain.dates import find_date
from imaging.domain.page import Line, Page

IDENTIFIER = "patient identifier"
COLLECTED = "collected"

_IDENTIFIER = re.compile(
    r"\b(?:(?:MRN|PID|NHS\s?(?:No|number)|(?:patient|hospital|unit)\s?(?:ID|no|number|identifier)?)\s?[.:#]+\s?"
    r"|(?:MRN|(?:NHS|patient|hospital|unit)\s(?:ID|number|identifier))\s)"
    r"(?P<id>[A-Z0-9][A-Z0-9/-]*\d[A-Z0-9/-]*)",
    re.IGNORECASE,
)
_COLLECTED = re.compile(
    r"\b(?:collect(?:ed|ion)|sampled|sample\s?taken|specimen\s?(?:date|taken|collected)|drawn)\b(?:\s?(?:on|date|at))?\s?:?\s?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?P<sign>[<>]=?|≤|≥)?\s?(?P<digits>\d{1,7}(?:[.,]\d{1,4})?)(?P<rest>\D.*)?", re.DOTALL)
_FLAG = re.compile(r"[(\[]?(?:HH?|LL?|\*{1,2}|↑|↓)[)\]]?")
_RANGE = re.compile(r"[([]?(?:[<>≤≥]=?\s?)?\d+(?:[.,]\d+)?(?:\s?[-–—]\s?\d+(?:[.,]\d+)?)?[)\]]?")
_COMPARATORS = {"≤": "<=", "≥": ">="}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing read from a page."""

    name: str
    text: str
    """The row, or the part of it, as printed."""
    value: str
    """Decimal with a point for results; empty when what is printed is not certainly one number."""
    comparator: str
    unit: str
    """UCUM; empty when the printed unit is not known or not there."""
    reference: str
    confidence: float
    page: int
    box: tuple[float, float, float, float]
    row: int


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: Line


def read_fields(page: Page) -> list[Field]:
    """Header fields first, then the rows of the table from top to bottom."""
    rows = page.rows()
    header = [field for n, row in enumerate(rows) for field in _header_fields(page, n, row)]
    results = [field for n, row in enumerate(rows) if (field := _result(page, n, row))]
    return [*header, *results]


def printed_identifiers(fields: Sequence[Field]) -> set[str]:
    """Patient identifiers that the page itself shows."""
    return {field.value for field in fields if field.name == IDENTIFIER}


def identifiers_in(text: str) -> set[str]:
    """Patient identifiers that a letter itself shows."""
    return {match["id"] for match in _IDENTIFIER.finditer(text)}


def collected_at(fields: Sequence[Field], zone: tzinfo) -> datetime | None:
    """When the specimen was taken, if the page says so without ambiguity and in one way."""
    times = {find_date(field.value, zone) for field in fields if field.name == COLLECTED}
    return times.pop() if len(times) == 1 else None


def same_identifier(printed: str, identifier: str) -> bool:
    """Equal but for case, separators, and the letters that OCR takes for digits. Digits never stand for digits."""
    return _folded(printed) == _folded(identifier)


def _folded(identifier: str) -> str:
    plain = re.sub(r"[^A-Z0-9]", "", identifier.upper())
    return plain.translate(str.maketrans("OQILSBZ", "0011582"))


def _header_fields(page: Page, number: int, row: list[Line]) -> Iterator[Field]:
    text = "  ".join(line.text for line in row)
    if match := _IDENTIFIER.search(text):
        yield _field(page, number, row, IDENTIFIER, match[0], match["id"])
    if match := _COLLECTED.search(text):
        printed = text[match.end() : match.end() + 30].split("  ")[0].strip()
        yield _field(page, number, row, COLLECTED, match[0] + printed, printed)


def _field(page: Page, number: int, row: list[Line], name: str, text: str, value: str) -> Field:
    confidence = min(line.score for line in row)
    return Field(name, text, value, "", "", "", confidence, page.number, page.box(row), number)


def _result(page: Page, number: int, row: list[Line]) -> Field | None:
    """A laboratory row is: name value [flag] unit [reference]; the unit of a known analyte may be missing.

    None for any other row.
    """
    tokens = [_Token(text, line) for line in row for text in line.text.split()]
    at = _value_index(tokens)
    if at is None:
        return None
    match = _NUMBER.fullmatch(tokens[at].text)
    assert match is not None
    after = [_Token(match["rest"], tokens[at].line)] if match["rest"] else []
    after += tokens[at + 1 :]
    unit, used = _unit([token for token in after if not _FLAG.fullmatch(token.text)])
    name = " ".join(token.text for token in tokens[:at]).strip(" .:")
    if not used and by_name(name) is None:
        return None
    lines = list(dict.fromkeys(token.line for token in [*tokens[: at + 1], *used]))
    return Field(
        name=name,
        text="  ".join(line.text for line in row),
        value=_decimal(match["digits"]),
        comparator=_COMPARATORS.get(match["sign"] or "", match["sign"] or ""),
        unit=unit,
        reference=_reference(after),
        confidence=min(line.score for line in lines),
        page=page.number,
        box=page.box(row),
        row=number,
    )


def _value_index(tokens: list[_Token]) -> int | None:
    """The first number that stands by itself after a name: a line of its own is surest, then a word of its own."""
    numbers = [i for i in range(1, len(tokens)) if _is_value(tokens[i].text) and _names(tokens[:i])]
    alone = [i for i in numbers if tokens[i].line is not tokens[0].line]
    return next(iter(alone or numbers), None)


def _is_value(text: str) -> bool:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return False
    rest = match["rest"] or ""
    return not rest or bool(_FLAG.fullmatch(rest)) or bool(_ucum(rest))


def _names(tokens: list[_Token]) -> bool:
    return any(character.isalpha() for token in tokens for character in token.text)


def _unit(tokens: list[_Token]) -> tuple[str, list[_Token]]:
    """The longest known unit that follows; else, as unknown but present, a first word that looks like a unit."""
    for count in (3, 2, 1):
        code = _ucum("".join(token.text for token in tokens[:count]))
        # `umol/L 49` would be a power in UCUM: only what is a unit of results is read from several words.
        if code in result_units() or (code and count == 1):
            return code, tokens[:count]
    looks_like_one = (
        tokens and ("/" in tokens[0].text or "%" in tokens[0].text) and not _RANGE.fullmatch(tokens[0].text)
    )
    return "", tokens[:1] if looks_like_one else []


def _ucum(printed: str) -> str:
    """The code of a unit that a result can have; `250 mg tablet` is no result."""
    code = units.ucum(printed, scanned=True) or ""
    return code if "/" in code or code in result_units() else ""


def _decimal(digits: str) -> str:
    """A comma before three digits may part thousands: then it is no number for us."""
    if "," not in digits:
        return digits
    whole, _, part = digits.partition(",")
    return "" if len(part) == 3 else f"{whole}.{part}"


def _reference(tokens: list[_Token]) -> str:
    """The reference interval that ends the row, as printed."""
    for start in range(len(tokens)):
        rest = " ".join(token.text for token in tokens[start:])
        if _RANGE.fullmatch(rest):
            return rest.strip("()[]")
    return ""
