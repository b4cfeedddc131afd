"""The layout of a text that another system wrote: paragraphs, headings, list items, each with the lines that lead it.

Guarantee: a block's text is the original's characters from `start` on, with marks of layout blanked and nothing moved,
so that its offsets hold in the text as it came. A line that leads others ("Stopped:", "Family history") is kept with
each of them: it may turn what they say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from grounding.reading.sections import section
from grounding.spans import sentences

_BREAKS = str.maketrans(dict.fromkeys("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n"))
_EMPHASIS = re.compile(r"`+|(?<!\d)\*+|\*+(?!\d)|(?<!\w)_+|_+(?!\w)|\ufeff")
_HEADING = re.compile(r"\s*(#{1,6})\s")
_ITEM = re.compile(r"\s*(?:[-+•‣◦▪–—]|\(?\d{1,3}[.)]|\(?[a-z]\))(?:\s+\[[ xX]\])?(?=\s)")
_STAR = re.compile(r"\s*\*\s")
_ROW = re.compile(r"\s*\|(.*?)\|?\s*")
_STOPS = re.compile(r"[.!?:;][\"'”’)\]]*$")
# A line that ends in one of these goes on in the next.
_OPEN_END = re.compile(
    r"(?:[,(/]|\b(?:a|an|and|are|at|be|been|by|denied|denies|for|from|had|has|have|in|is|never|no|nor|not|of|on|or|since|"
    r"taking|takes|than|the|to|until|was|were|with|without))$",
    re.IGNORECASE,
)
# Characters from which on a line without an end of a sentence was wrapped.
_WRAPPED_FROM = 50
# Characters of a leading line that are read with those below.
_LEAD_LONGEST = 200
# Leading lines that can govern one line; of more, the nearest.
_LEADS = 8


@dataclass(frozen=True, slots=True)
class Block:
    """What is read together.

    `above`: the lines that govern it, the nearest last, with a colon unless the first sentence completes them.
    `leads`: whether it governs lines itself. `is_row`: of a table.
    """

    start: int
    text: str
    above: tuple[str, ...] = ()
    leads: bool = False
    is_row: bool = False


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a text in order; blank lines and rules are in none."""
    reader = _Reader()
    for line in _lines(text):
        reader.read(line)
    reader.flush()
    return tuple(reader.found)


class _Kind(Enum):
    BLANK = "blank"
    HEADING = "heading"
    TITLE = "title"
    ITEM = "item"
    ROW = "row"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class _Line:
    """`depth`: what is deeper than a leading line stands under it; items stand deeper than plain lines."""

    start: int
    raw: str
    kind: _Kind
    depth: int
    mark: int = 0

    @property
    def text(self) -> str:
        """The line with its mark blanked."""
        return " " * self.mark + self.raw[self.mark :]

    @property
    def words(self) -> str:
        return self.text.strip()

    @property
    def is_open(self) -> bool:
        """Whether the next line, even an item, completes what it says."""
        return _OPEN_END.search(self.words) is not None


@dataclass(slots=True)
class _Lead:
    """A line that governs those below; `place`: its block. `closed`: a plain line at its own depth ends it."""

    depth: int
    text: str
    place: int
    used: bool = False
    closed: bool = False


@dataclass(slots=True)
class _Reader:
    """Reads line by line; `pending` are the lines of the block that is not complete yet."""

    found: list[Block] = field(default_factory=list)
    leads: list[_Lead] = field(default_factory=list)
    pending: list[_Line] = field(default_factory=list)

    def read(self, line: _Line) -> None:
        last = self.pending[-1] if self.pending else None
        if last and line.kind in (_Kind.PLAIN, _Kind.TITLE) and _continues(last, line):
            self.pending.append(replace(line, kind=_Kind.PLAIN))
            return
        introduced = last is not None and last.is_open and line.kind is _Kind.ITEM
        self.flush(introduces=introduced)
        self._close_leads(line)
        if line.kind is not _Kind.BLANK:
            # After `... rose to`, the `6.` of the next line may be a number and no mark.
            self.pending.append(replace(line, mark=0) if introduced else line)

    def flush(self, *, introduces: bool = False) -> None:
        """The pending lines become a block, and a leading one if it introduces what comes."""
        if not self.pending:
            return
        lines, self.pending = self.pending, []
        first, text = lines[0], " ".join(line.text for line in lines)
        heading = first.kind in (_Kind.HEADING, _Kind.TITLE) or text.rstrip().endswith(":")
        self.found.append(Block(first.start, text, self._governing(), is_row=first.kind is _Kind.ROW))
        if heading or introduces:
            *_, last = sentences(text, clauses=False)
            line = last.of(text)[:_LEAD_LONGEST].rstrip(":") + ":" * heading
            self.leads = [*self.leads, _Lead(first.depth, line, len(self.found) - 1)][-_LEADS:]

    def _governing(self) -> tuple[str, ...]:
        """What governs the block that is being made; the leading lines now have something below them."""
        for lead in self.leads:
            lead.used = True
            self.found[lead.place] = replace(self.found[lead.place], leads=True)
        return tuple(lead.text for lead in self.leads)

    def _close_leads(self, line: _Line) -> None:
        match line.kind:
            case _Kind.BLANK:
                for lead in self.leads:
                    lead.closed = lead.closed or lead.used
            case _Kind.PLAIN:
                self.leads = [lead for lead in self.leads if lead.depth < line.depth or not lead.closed]
            case _:
                self.leads = [lead for lead in self.leads if lead.depth < line.depth]
                for lead in self.leads:
                    lead.closed = True


def _lines(text: str) -> Iterator[_Line]:
    written = text.replace("\r\n", " \n").translate(_BREAKS)
    plain = _EMPHASIS.sub(lambda found: " " * len(found.group()), written)
    start = 0
    for raw, original in zip(plain.split("\n"), written.split("\n"), strict=True):
        yield _line(start, raw, original)
        start += len(raw) + 1


def _line(start: int, raw: str, original: str) -> _Line:
    """`raw`: the line without its emphasis, which is no indentation."""
    if not any(map(str.isalnum, raw)):
        return _Line(start, raw, _Kind.BLANK, 0)
    indent = 2 * (len(original) - len(original.lstrip()))
    if heading := _HEADING.match(raw):
        return _Line(start, raw, _Kind.HEADING, len(heading.group(1)) - 10, heading.end())
    if item := _ITEM.match(raw):
        return _Line(start, raw, _Kind.ITEM, indent + 1, item.end())
    if _STAR.match(original):
        return _Line(start, raw, _Kind.ITEM, indent + 1)
    if row := _ROW.fullmatch(raw):
        return _Line(start, " " * row.start(1) + row[1].replace("|", " "), _Kind.ROW, indent + 1)
    title = is_title(raw)
    return _Line(start, raw, _Kind.TITLE if title else _Kind.PLAIN, -1 if title else indent)


def is_title(line: str) -> bool:
    """`Past medical history`: a line that leads others, with no end of a sentence."""
    words = line.strip()
    return _STOPS.search(words) is None and _OPEN_END.search(words) is None and section(words) is not None


def _continues(line: _Line, following: _Line) -> bool:
    """Whether a sentence that was wrapped goes on: by a small letter, after a word that cannot be the last, or because
    the line is as long as only wrapped lines are.
    """
    if line.kind in (_Kind.HEADING, _Kind.TITLE, _Kind.ROW) or _STOPS.search(line.words):
        return False
    wrapped = len(line.raw) >= _WRAPPED_FROM and following.kind is _Kind.PLAIN and not section(following.words)
    return wrapped or line.is_open or following.words[0].islower()
