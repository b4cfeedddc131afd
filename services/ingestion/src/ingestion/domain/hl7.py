"""HL7 v2 in ER7 form: delimiters of any dialect, segments, and fields by path. Splits only what is asked for.

A message is split into segments and fields at once; repetitions, components and escape sequences are taken apart when
read, so that a message costs little more than a split of its text. Source: HL7 v2.5.1 chapter 2, sections 2.5 and 2.6.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from longitude.ingestion.v1.events_pb2 import Remark

from ingestion.domain import line_ends
from ingestion.domain.escapes import escape, unescape
from ingestion.domain.protocol import table
from ingestion.domain.refusal import Condition, Location, RefusedError

# Bounds on what one message may make us allocate; the largest message that a hospital sends is far below.
MAX_SEGMENTS = 20_000
MAX_FIELDS = 500_000
MAX_REPETITIONS = 1_000

_PATH = re.compile(r"([A-Z][A-Z0-9]{2})-(\d+)(?:\.(\d+)(?:\.(\d+))?)?")
_NULL = '""'
_NAME = 3


@dataclass(frozen=True, slots=True, eq=False)
class Delimiters:
    """MSH-1 and MSH-2, and the codec that hexadecimal escapes are read with.

    Compared by identity, so that it is a cheap part of a cache's key: one dialect is one object (`_dialect`).
    """

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    codec: str = "utf-8"

    @property
    def encoding_characters(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent


@dataclass(slots=True, eq=False)
class Value:
    """One repetition of a field."""

    raw: str
    delimiters: Delimiters

    def get(self, component: int = 1, subcomponent: int = 1) -> str:
        """Text of a component (from 1), unescaped; empty when absent or the HL7 null."""
        if self.raw.isalnum():
            return self.raw if component == subcomponent == 1 else ""
        return _component(self.raw, component, subcomponent, self.delimiters)

    def whole(self) -> str:
        """Text with its component separators as they stand: for data types that have no components."""
        return "" if self.raw == _NULL else unescape(self.raw, self.delimiters)


class Segment:
    """A segment and its place. Fields are numbered as HL7 does: `MSH` counts its separator as field 1."""

    __slots__ = ("delimiters", "fields", "name", "occurrence")

    def __init__(self, name: str, occurrence: int, fields: list[str], delimiters: Delimiters) -> None:
        self.name = name
        self.occurrence = occurrence
        self.fields = fields
        self.delimiters = delimiters

    @property
    def label(self) -> str:
        """`OBX[3]`: the segment with its occurrence in the message, from 1."""
        return f"{self.name}[{self.occurrence}]"

    def path(self, number: int, component: int = 0) -> str:
        """`OBX-5.1`, as source pointers write it."""
        return f"{self.name}-{number}.{component}" if component else f"{self.name}-{number}"

    def at(self, number: int, component: int = 0) -> Location:
        """Where a field stands, for an ERR segment."""
        return Location(self.name, self.occurrence, number, 1 if component else 0, component)

    def raw(self, number: int) -> str:
        """A field as it stands, delimiters and escapes included; empty when absent."""
        return self.fields[number] if number < len(self.fields) else ""

    def is_null(self, number: int) -> bool:
        """Whether a field holds the HL7 null and nothing else: it deletes what was stated (v2.5.1 section 2.5.3)."""
        raw = self.raw(number)
        return _NULL in raw and not raw.replace(_NULL, "").strip(self.delimiters.component + " ")

    def value(self, number: int) -> Value:
        """The first repetition of a field."""
        raw = self.raw(number)
        return Value(_nth(raw, self.delimiters.repetition, 1), self.delimiters)

    def values(self, number: int) -> list[Value]:
        """The repetitions of a field that are not empty."""
        raw = self.raw(number)
        if self.delimiters.repetition not in raw:
            return [Value(raw, self.delimiters)] if raw and raw != _NULL else []
        parts = raw.split(self.delimiters.repetition, MAX_REPETITIONS)[:MAX_REPETITIONS]
        return [Value(part, self.delimiters) for part in parts if part and part != _NULL]

    def get(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Text of a component of the first repetition, unescaped."""
        raw = self.fields[number] if number < len(self.fields) else ""
        # No delimiter is a letter or a digit: most fields have nothing to take apart.
        if not raw or raw.isalnum():
            return raw if component == subcomponent == 1 else ""
        return _component(_nth(raw, self.delimiters.repetition, 1), component, subcomponent, self.delimiters)

    def text(self, number: int) -> str:
        """A whole text field (ST, TX, FT): repetitions are lines."""
        raw = self.raw(number)
        if self.delimiters.repetition not in raw and self.delimiters.escape not in raw:
            return "" if raw == _NULL else raw
        return "\n".join(value.whole() for value in self.values(number))


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message. `remarks` say, without quoting, what was not as HL7 wants it."""

    segments: list[Segment]
    delimiters: Delimiters
    remarks: list[Remark] = field(default_factory=list)

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    def all(self, name: str) -> Iterator[Segment]:
        """Every segment of a name, in order."""
        return (segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next(self.all(name), None)

    def get(self, path: str) -> str:
        """Text at a path such as `PID-3.1` or `PID-3.4.2`, in the first segment and repetition; empty when absent."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise ValueError(f"not a path: {path}")
        segment, number = self.first(match[1]), int(match[2])
        if segment is None:
            return ""
        if segment.name == "MSH" and number in {1, 2}:
            return segment.raw(number)
        return segment.get(number, int(match[3] or 1), int(match[4] or 1))


def parse(text: str, codec: str = "utf-8") -> Message:
    """RefusedError when the text is no HL7 v2 message or passes a bound."""
    # NUL is no text, and the stores of other services take none.
    text = text.replace("\0", "").strip("\r\n\t ")
    if not text.startswith("MSH"):
        raise RefusedError(Condition.SEGMENT_SEQUENCE, _not_hl7(text), Location("MSH"))
    delimiters = read_delimiters(text, codec)
    lines = _lines(text)
    _check_bounds(text, lines, delimiters)
    message = Message([], delimiters)
    counts: dict[str, int] = {}
    for block in _blocks(lines, delimiters.field):
        name = block[0][:_NAME]
        counts[name] = counts.get(name, 0) + 1
        line = block[0] if len(block) == 1 else _joined(block, f"{name}[{counts[name]}]", message)
        fields = line.split(delimiters.field)
        if name == "MSH":
            fields.insert(1, delimiters.field)
        message.segments.append(Segment(name, counts[name], fields, delimiters))
    return message


def read_delimiters(text: str, codec: str) -> Delimiters:
    """MSH-1 and MSH-2 of any dialect; RefusedError when they cannot serve."""
    separator = text[3:4]
    characters = text[4 : text.find(separator, 4)] if separator and text.find(separator, 4) > 0 else ""
    if separator.isspace() or separator.isalnum() or not separator.isprintable() or not separator:
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, "MSH-1 is not a field separator", Location("MSH", 1, 1))
    if not characters:
        raise RefusedError(Condition.REQUIRED_FIELD_MISSING, "MSH-2 is missing", Location("MSH", 1, 2))
    if characters == "^~&":
        # A known fault of senders that lose the backslash.
        characters = "^~\\&"
    # What is left out takes its usual value (v2.5.1 section 2.5.4), or none where that is used for something else.
    used = characters[:4] + "".join(c if c not in characters + separator else "\0" for c in "^~\\&"[len(characters) :])
    if len(set(used) - {"\0"}) != len(used.replace("\0", "")) or separator in used or not _printable(used):
        text_of_fault = "MSH-2 repeats a delimiter or uses a letter or digit"
        raise RefusedError(Condition.DATA_TYPE, text_of_fault, Location("MSH", 1, 2))
    component, repetition, escape, subcomponent = list(used)
    return _dialect(separator, component, repetition, escape, subcomponent, codec)


_dialect = lru_cache(maxsize=256)(Delimiters)


def _printable(characters: str) -> bool:
    """Whether each can delimit: a sender's control character would stand in every answer, and in whatever shows it."""
    return not any(c.isalnum() or c.isspace() or not (c.isprintable() or c == "\0") for c in characters)


def _not_hl7(text: str) -> str:
    if text[:3] in {"FHS", "BHS"}:
        return "a batch envelope: each message of a batch is sent in a frame of its own"
    return "the message does not begin with MSH" if text else "the frame is empty"


def _lines(text: str) -> list[str]:
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    return text.split("\r", MAX_SEGMENTS + 1)


def _check_bounds(text: str, lines: list[str], delimiters: Delimiters) -> None:
    if len(lines) > MAX_SEGMENTS:
        raise RefusedError(Condition.APPLICATION_ERROR, f"the message has more than {MAX_SEGMENTS} segments")
    if text.count(delimiters.field) > MAX_FIELDS:
        raise RefusedError(Condition.APPLICATION_ERROR, f"the message has more than {MAX_FIELDS} fields")


def _blocks(lines: list[str], separator: str) -> list[list[str]]:
    """The lines of each segment: one that begins none goes on with the segment before it."""
    lines = [line for line in lines if line and not line.isspace()]
    begins = [_begins_segment(line, separator) for line in lines]
    blocks: list[list[str]] = []
    for number, line in enumerate(lines):
        # A name without anything after it is an empty segment, or a word in the middle of a text.
        middle = line[_NAME:].strip() == "" and not all(begins[number + 1 : number + 2])
        if begins[number] and not middle:
            blocks.append([line])
        else:
            blocks[-1].append(line)
    return blocks


def _joined(block: list[str], label: str, message: Message) -> str:
    separator = message.delimiters.field
    return line_ends.join(block, label, separator, escape(separator, message.delimiters), message.remarks)


def _begins_segment(line: str, separator: str) -> bool:
    name = line[:_NAME]
    return (line[_NAME : _NAME + 1] == separator or len(line.rstrip()) == _NAME) and is_segment(name)


@lru_cache(maxsize=1024)
def is_segment(name: str) -> bool:
    """Whether a segment is called so: those of HL7, and the Z segments of a site (v2.5.1 section 2.10)."""
    return name in table("segments") or (name[0] == "Z" and name.isalnum() and name.isupper() and name.isascii())


def _component(raw: str, component: int, subcomponent: int, delimiters: Delimiters) -> str:
    part = _nth(_nth(raw, delimiters.component, component), delimiters.subcomponent, subcomponent)
    if not part or part == _NULL:
        return ""
    return unescape(part, delimiters).strip()


def _nth(text: str, separator: str, number: int) -> str:
    """Part `number` (from 1) of a text, without splitting more of it than needed."""
    if separator not in text:
        return text if number == 1 else ""
    if number == 1:
        return text[: text.index(separator)]
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""
