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

LINE_END = re.compile(r"[\n\v\f\x1c\x1d\x1e\x85\u2028\u2029]|\r(?!\Z)")
"""The end of a line, unless more may belong to it."""
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
    reader = Reader()
    for line in lines(text):
        reader.read(line)
    reader.end()
    return tuple(reader.taken())


class Kind(Enum):
    BLANK = "blank"
    HEADING = "heading"
    TITLE = "title"
    ITEM = "item"
    ROW = "row"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Line:
    """`depth`: what is deeper than a leading line stands under it; items stand deeper than plain lines."""

    start: int
    raw: str
    kind: Kind
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

    @property
    def is_closed(self) -> bool:
        """Whether nothing can go on with it, whatever the next line is."""
        return not self.is_open and (self.kind not in (Kind.ITEM, Kind.PLAIN) or _STOPS.search(self.words) is not None)


@dataclass(slots=True)
class _Lead:
    """A line that governs those below; `start`: its block's. `closed`: a plain line at its own depth ends it."""

    depth: int
    text: str
    start: int
    used: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Open:
    """A block that goes on: its lines so far, and what governs it."""

    lines: list[Line]
    above: tuple[str, ...]

    @property
    def block(self) -> Block:
        first = self.lines[0]
        text = " ".join(line.text for line in self.lines)
        return Block(first.start, text, self.above, is_row=first.kind is Kind.ROW)


@dataclass(slots=True)
class Reader:
    """Reads line by line. A block is complete (`taken`) once the next one begins: then it is known whether it leads.

    `open`: the block that may go on; `waiting`: the one before it, until the next begins.
    """

    complete: list[Block] = field(default_factory=list)
    leads: list[_Lead] = field(default_factory=list)
    open: _Open | None = None
    waiting: Block | None = None

    def read(self, line: Line) -> None:
        last = self.open.lines[-1] if self.open else None
        if self.open and last and line.kind in (Kind.PLAIN, Kind.TITLE) and _continues(last, line):
            self.open.lines.append(replace(line, kind=Kind.PLAIN))
        else:
            introduced = last is not None and last.is_open and line.kind is Kind.ITEM
            self._close(introduces=introduced)
            self._close_leads(line)
            if line.kind is not Kind.BLANK:
                # After `... rose to`, the `6.` of the next line may be a number and no mark.
                self._begin(replace(line, mark=0) if introduced else line)

    def settle(self) -> None:
        """What the last line ended is whole before the next one comes."""
        if self.open and self.open.lines[-1].is_closed:
            self._close()

    def end(self) -> None:
        self._close()
        if self.waiting:
            self.complete.append(self.waiting)
            self.waiting = None

    def taken(self) -> list[Block]:
        """The complete blocks that were not taken before."""
        taken, self.complete = self.complete, []
        return taken

    def fork(self) -> "Reader":
        """Another reader that stands where this one does."""
        going_on = self.open and replace(self.open, lines=[*self.open.lines])
        return Reader([], [replace(lead) for lead in self.leads], going_on, self.waiting)

    def may_lead(self, block: Block) -> bool:
        """Whether what comes may stand under this block."""
        return any(lead.start == block.start for lead in self.leads)

    def _begin(self, line: Line) -> None:
        """A block begins under the leading lines that are left: those have something below them now."""
        if self.waiting:
            self.complete.append(replace(self.waiting, leads=self.may_lead(self.waiting)))
            self.waiting = None
        for lead in self.leads:
            lead.used = True
        self.open = _Open([line], tuple(lead.text for lead in self.leads))

    def _close(self, *, introduces: bool = False) -> None:
        """The open block is whole, and a leading one if it introduces what comes."""
        if not self.open:
            return
        first, block, self.open = self.open.lines[0], self.open.block, None
        self.waiting = block
        heading = first.kind in (Kind.HEADING, Kind.TITLE) or block.text.rstrip().endswith(":")
        if heading or introduces:
            *_, last = sentences(block.text, clauses=False)
            line = last.of(block.text)[:_LEAD_LONGEST].rstrip(":") + ":" * heading
            self.leads = [*self.leads, _Lead(first.depth, line, block.start)][-_LEADS:]

    def _close_leads(self, line: Line) -> None:
        match line.kind:
            case Kind.BLANK:
                for lead in self.leads:
                    lead.closed = lead.closed or lead.used
            case Kind.PLAIN:
                self.leads = [lead for lead in self.leads if lead.depth < line.depth or not lead.closed]
            case _:
                self.leads = [lead for lead in self.leads if lead.depth < line.depth]
                for lead in self.leads:
                    lead.closed = True


def lines(text: str, start: int = 0) -> Iterator[Line]:
    """The lines of a text that begins at `start` of the whole."""
    written = text.replace("\r\n", " \n").translate(_BREAKS)
    plain = _unemphasised(written)
    for raw, original in zip(plain.split("\n"), written.split("\n"), strict=True):
        yield _line(start, raw, original)
        start += len(raw) + 1


def _line(start: int, raw: str, original: str) -> Line:
    """`raw`: the line without its emphasis, which is no indentation."""
    if not any(map(str.isalnum, raw)):
        return Line(start, raw, Kind.BLANK, 0)
    indent = 2 * (len(original) - len(original.lstrip()))
    if heading := _HEADING.match(raw):
        return Line(start, raw, Kind.HEADING, len(heading.group(1)) - 10, heading.end())
    if item := _ITEM.match(raw):
        return Line(start, raw, Kind.ITEM, indent + 1, item.end())
    if _STAR.match(original):
        return Line(start, raw, Kind.ITEM, indent + 1)
    if row := _ROW.fullmatch(raw):
        return Line(start, " " * row.start(1) + _cells(row[1]), Kind.ROW, indent + 1)
    title = is_title(raw)
    return Line(start, raw, Kind.TITLE if title else Kind.PLAIN, -1 if title else indent)


def _cells(row: str) -> str:
    """The cells of a row without their marks; where each tells its own time (`May 2020: 5.6`), as a list."""
    name, *cells = row.split("|")
    dated = bool(cells) and all(":" in cell for cell in cells if cell.strip())
    return f"{name}:{';'.join(cells).rstrip(' ;')}".ljust(len(row)) if dated else row.replace("|", " ")


def is_marked(line: str) -> bool:
    """Whether the beginning of a line, however it goes on, is that of a heading, a list item or a row."""
    plain = _unemphasised(line)
    return any(map(str.isalnum, line)) and any(
        form.match(text) for form, text in ((_HEADING, plain), (_ITEM, plain), (_STAR, line), (_ROW, plain))
    )


def is_title(line: str) -> bool:
    """`Past medical history`: a line that leads others, with no end of a sentence."""
    words = line.strip()
    ends = _STOPS.search(words) or _OPEN_END.search(words) or len(sentences(words, clauses=False)) > 1
    return not ends and section(words) is not None


def _unemphasised(text: str) -> str:
    return _EMPHASIS.sub(lambda mark: " " * len(mark.group()), text)


def _continues(line: Line, following: Line) -> bool:
    """Whether a sentence that was wrapped goes on: by a small letter, after a word that cannot be the last, or because
    the line is as long as only wrapped lines are.
    """
    if line.kind in (Kind.HEADING, Kind.TITLE, Kind.ROW) or _STOPS.search(line.words):
        return False
    is_section = len(sentences(following.words, clauses=False)) == 1 and section(following.words) is not None
    wrapped = len(line.raw) >= _WRAPPED_FROM and following.kind is Kind.PLAIN and not is_section
    return wrapped or line.is_open or following.words[0].islower()
