"""How one facility writes HL7 v2: its delimiters, its character set, its header.

Guarantee: a value never breaks the message, because every delimiter inside a value is escaped (HL7 v2.5.1, 2.7).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

# A field is a text, a tuple of components, or a list of repetitions of these.
Field = str | tuple[str, ...] | list[str | tuple[str, ...]]


@dataclass(frozen=True)
class Segment:
    """One segment; `fields` maps the field's number in the standard to its value."""

    name: str
    fields: Mapping[int, Field]


@dataclass(frozen=True)
class Dialect:
    """Delimiters in the order of MSH-1 and MSH-2: field, component, repetition, escape, subcomponent."""

    application: str
    facility: str
    authority: str
    separators: str
    codec: str
    charset: str
    version: str
    zone: tzinfo
    writes_offset: bool
    prefix: str

    def when(self, year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
        """A time on this facility's clock."""
        return datetime(year, month, day, hour, minute, tzinfo=self.zone)

    def time(self, at: datetime) -> str:
        """A time as this facility writes it (HL7 TS)."""
        return at.strftime("%Y%m%d%H%M%S%z" if self.writes_offset else "%Y%m%d%H%M%S")

    def escape(self, text: str) -> str:
        """The text with every delimiter replaced by its escape sequence; a line break becomes `.br`."""
        field, component, repetition, escape, sub = list(self.separators)
        names = {field: "F", component: "S", repetition: "R", escape: "E", sub: "T", "\n": ".br"}
        return "".join(f"{escape}{names[c]}{escape}" if c in names else c for c in text)

    def message(self, header: Segment, body: Sequence[Segment]) -> bytes:
        """The whole message as bytes, each segment ended by a carriage return."""
        lines = [self._header(header), *(self._segment(segment) for segment in body)]
        return "".join(f"{line}\r" for line in lines).encode(self.codec)

    def _header(self, segment: Segment) -> str:
        # MSH-1 is the field separator itself and MSH-2 the others: neither is written as an ordinary field.
        after = [self._field(segment.fields.get(number, "")) for number in range(3, max(segment.fields) + 1)]
        return self.separators[0].join(["MSH", self.separators[1:], *after])

    def _segment(self, segment: Segment) -> str:
        last = max(segment.fields, default=0)
        fields = [self._field(segment.fields.get(number, "")) for number in range(1, last + 1)]
        return self.separators[0].join([segment.name, *fields])

    def _field(self, field: Field) -> str:
        if isinstance(field, str):
            return self.escape(field)
        if isinstance(field, tuple):
            return self.separators[1].join(self.escape(component) for component in field)
        return self.separators[2].join(self._field(repetition) for repetition in field)


NORTHWEST = Dialect(
    application="EPIC",
    facility="NORTHWEST GENERAL",
    authority="NORTHWEST",
    separators="|^~\\&",
    codec="utf-8",
    charset="UNICODE UTF-8",
    version="2.5.1",
    zone=timezone(timedelta(hours=-5)),
    writes_offset=True,
    prefix="NW",
)

LAKESIDE = Dialect(
    application="KISLAB",
    facility="LAKESIDE CLINIC",
    authority="LAKESIDE",
    separators="|$%?!",
    codec="iso-8859-1",
    charset="8859/1",
    version="2.3.1",
    zone=UTC,
    writes_offset=False,
    prefix="LK",
)
