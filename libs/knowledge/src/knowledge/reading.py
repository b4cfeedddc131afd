"""Reads files of rows (TOML) by a closed schema: the columns that every row has, and the conditions of its family.

Guarantee: a file that breaks a rule is refused with its name and line; nothing is skipped and nothing is guessed.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from datetime import date
from typing import Any, get_type_hints

from knowledge import patients
from knowledge.row import Document, Example, Row
from knowledge.terms import PARSERS, Urgency

_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,47}")
_HEADER = re.compile(r"\s*\[\[(\w+)\]\]\s*(#.*)?")
_WORDS, _LONGEST = 20, 400
_FIRST_DAY = date(2000, 1, 1)
_KINDS = ("guideline", "drug_label", "systematic_review", "trial", "cohort", "expert")
_MOST_BYTES = 4_000_000
# What every row has, and what it may have.
_REQUIRED = ("id", "version", "words", "urgency", "source", "section", "speaks", "silent")
_OPTIONAL = ("grade", "checked", "from", "until")


class RowError(ValueError):
    """A file of rows breaks its schema. The text names the file and the line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A table of an array of a file (`[[row]]`), with the lines of its keys."""

    file: str
    line: int
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def wrong(self, problem: str, key: str = "") -> RowError:
        """The error, at the line of the key where there is one."""
        where = f"{self.file}:{self.lines.get(key, self.line)}"
        return RowError(f"{where}: {key}: {problem}" if key else f"{where}: {problem}")

    def closed(self, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
        """RowError unless all required keys are there and no others than these."""
        for key in self.values:
            if key not in required and key not in optional:
                raise self.wrong(f"no such column; known are {', '.join((*required, *optional))}", key)
        for key in required:
            if key not in self.values:
                raise self.wrong(f"“{key}” is missing")

    def parsed(self, key: str, kind: Any) -> Any:
        try:
            return PARSERS[kind](self.values[key])
        except ValueError as error:
            raise self.wrong(str(error), key) from None


def entries(file: str, text: str, *arrays: str) -> Iterator[tuple[str, Entry]]:
    """Each table of these arrays in the order of the file, with the array's name; RowError for anything else."""
    if len(text) > _MOST_BYTES:
        raise RowError(f"{file}:1: longer than {_MOST_BYTES} characters")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        raise RowError(f"{file}:{at[1] if at else text.count(chr(10)) + 1}: no TOML: {error}") from None
    for key, value in document.items():
        if key not in arrays or not isinstance(value, list):
            raise RowError(f"{file}:1: “{key}” is none of the arrays {', '.join(arrays)}")
    counted = dict.fromkeys(arrays, 0)
    for array, line, lines in _places(text, arrays):
        values = document[array][counted[array]]
        counted[array] += 1
        yield array, Entry(file, line, values, lines)
    if counted != {array: len(document.get(array, ())) for array in arrays}:
        raise RowError(f"{file}:1: write each table as [[{'|'.join(arrays)}]] on a line of its own")


def _places(text: str, arrays: tuple[str, ...]) -> Iterator[tuple[str, int, dict[str, int]]]:
    """Array, line of its header and lines of its keys."""
    array, start, lines = "", 0, dict[str, int]()
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.fullmatch(line)
        if header and header[1] in arrays:
            if array:
                yield array, start, lines
            array, start, lines = header[1], number, {}
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            lines.setdefault(key[1], number)
    if array:
        yield array, start, lines


def documents(file: str, text: str) -> dict[str, Document]:
    """The documents of a file of sources, by key."""
    known: dict[str, Document] = {}
    for _, entry in entries(file, text, "source"):
        document = document_of(entry)
        if document.key in known:
            raise entry.wrong("stands in this file already", "key")
        known[document.key] = document
    return known


def document_of(entry: Entry) -> Document:
    entry.closed(("key", "title", "year", "kind"), ("superseded", "by"))
    kind = entry.parsed("kind", str)
    if kind not in _KINDS:
        raise entry.wrong(f"must be one of {', '.join(_KINDS)}", "kind")
    year = entry.parsed("year", int)
    if not 1950 <= year <= 2100:
        raise entry.wrong("must be a year", "year")
    document = Document(entry.parsed("key", str), entry.parsed("title", str), year, kind)
    return superseded(document, entry) if "superseded" in entry.values or "by" in entry.values else document


def superseded(document: Document, entry: Entry) -> Document:
    """The document with since when another stands in its place, and which."""
    for key in ("superseded", "by"):
        if key not in entry.values:
            raise entry.wrong(f"“{key}” is missing")
    return replace(document, superseded=entry.parsed("superseded", date), by=entry.parsed("by", str))


def row_of(entry: Entry, family: str, conditions: type[Any], known: Mapping[str, Document]) -> Row:
    """One row of a family, whose conditions are a dataclass; RowError."""
    columns = fields(conditions)
    needed = tuple(each.name for each in columns if each.default is MISSING)
    others = tuple(each.name for each in columns if each.default is not MISSING)
    entry.closed((*_REQUIRED, *needed), (*_OPTIONAL, *others))
    hints = get_type_hints(conditions)
    given = {name: entry.parsed(name, _plain(hints[name])) for name in (*needed, *others) if name in entry.values}
    try:
        checked = conditions(**given)
    except ValueError as error:
        raise entry.wrong(str(error)) from None
    return Row(
        family=family,
        id=_matching(entry, "id", _ID),
        version=_positive(entry, "version"),
        conditions=checked,
        words=_words(entry),
        urgency=entry.parsed("urgency", Urgency),
        document=_document(entry, known),
        section=entry.parsed("section", str),
        grade=entry.parsed("grade", str) if "grade" in entry.values else "",
        checked=entry.parsed("checked", date) if "checked" in entry.values else None,
        begins=entry.parsed("from", date) if "from" in entry.values else _FIRST_DAY,
        ends=entry.parsed("until", date) if "until" in entry.values else None,
        speaks=_examples(entry, "speaks"),
        silent=_examples(entry, "silent"),
        file=entry.file,
        line=entry.line,
    )


def _plain(hint: Any) -> Any:
    """`Decimal` of `Decimal | None`."""
    if hint in PARSERS:
        return hint
    (kind,) = (each for each in hint.__args__ if each is not type(None))
    return kind


def _matching(entry: Entry, key: str, pattern: re.Pattern[str]) -> str:
    text: str = entry.parsed(key, str)
    if not pattern.fullmatch(text):
        raise entry.wrong("must be 2 to 48 of a-z, 0-9 and -", key)
    return text


def _positive(entry: Entry, key: str) -> int:
    number: int = entry.parsed(key, int)
    if number < 1:
        raise entry.wrong("must be at least 1", key)
    return number


def _words(entry: Entry) -> str:
    """One or more whole sentences that can stand in quotation marks."""
    words: str = entry.parsed("words", str)
    if not _WORDS <= len(words) <= _LONGEST:
        raise entry.wrong(f"must have {_WORDS} to {_LONGEST} characters", "words")
    if any(mark in words for mark in "“”\n\t") or not words.endswith("."):
        raise entry.wrong("must be sentences that end with a full stop, without “ and ” and on one line", "words")
    return words


def _document(entry: Entry, known: Mapping[str, Document]) -> Document:
    key = entry.parsed("source", str)
    if key not in known:
        raise entry.wrong(f"“{key}” is the key of no source", "source")
    return known[key]


def _examples(entry: Entry, key: str) -> tuple[Example, ...]:
    listed = entry.values[key]
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise entry.wrong("must be a patient ({drugs = [...]}) or a list of patients", key)
    for each in listed:
        try:
            patients.check(each)
        except ValueError as error:
            raise entry.wrong(str(error), key) from None
    return tuple(Example(each) for each in listed)
