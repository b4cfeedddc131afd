"""A text sentence by sentence, each read with the lines that lead it.

Guarantee: what a leading line says of the lines below is read with each of them; where it is not read, they are not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from grounding.comparing.record import Record
from grounding.layout import LINE_END, Block, Kind, Reader, is_marked, lines
from grounding.reading.nodes import Node
from grounding.reading.sections import Section, section
from grounding.sentence import Reading
from grounding.sentence import read as read_sentence
from grounding.spans import Span, sentences

MOST_SENTENCES = 2_000
# Characters of a sentence that is read.
LONGEST_SENTENCE = 1_000


class TooManySentencesError(ValueError):
    """A text that is not checked in one piece."""

    def __init__(self) -> None:
        super().__init__(f"the text has more than {MOST_SENTENCES:,} sentences; check it in parts")


# Characters of a line that its mark is looked for in; what may be the end of a sentence.
_MARK = 40
_MAY_END = re.compile(r"[.!?][^\w\s]*\s+\S")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of a text, with the block that it stands in and the sentence before it there."""

    span: Span
    words: str
    block: Block
    before: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """The sentences of a text. TooManySentencesError at the first one too many."""
    cutter = Cutter()
    yield from cutter.feed(text)
    yield from cutter.end()


class Cutter:
    """Cuts a text that comes bit by bit, however it was cut before, into the sentences of the whole.

    A sentence is given once nothing that comes can change it: when the next one, or another line, begins. A line that
    may lead others is given when the line below begins. TooManySentencesError at the first sentence too many.
    """

    def __init__(self) -> None:
        self._reader = Reader()
        # The line that has not ended yet, where it begins in the text, and how far it was looked through.
        self._line, self._start, self._seen = "", 0, 0
        # Up to where the text was given, in how many sentences; the sentence before, and the block that it is of.
        self._given, self._count, self._before, self._block = 0, 0, "", -1
        self._wait_until = 0

    def feed(self, text: str) -> Iterator[Piece]:
        """The sentences that are complete with this."""
        looked = max(len(self._line) - 1, 0)
        self._line += text
        ends = max((end.end() for end in LINE_END.finditer(self._line, looked)), default=0)
        if ends:
            *whole, _ = lines(self._line[:ends], self._start)
            self._line, self._start, self._seen = self._line[ends:], self._start + ends, 0
            for line in whole:
                self._reader.read(line)
                self._reader.settle()
                yield from self._taken(self._reader)
        if self._is_time(begun=bool(ends)):
            yield from self._pending()

    def end(self) -> Iterator[Piece]:
        """The sentences that are left."""
        for line in lines(self._line, self._start):
            self._reader.read(line)
        self._reader.end()
        yield from self._taken(self._reader)

    def _is_time(self, *, begun: bool) -> bool:
        """Whether looking again may give something. A long sentence is looked at again when an eighth more is there:
        what a stranger sends bit by bit costs no more than a few readings of it.
        """
        known = self._start + len(self._line)
        rest = known - self._given
        if rest > LONGEST_SENTENCE and known < self._wait_until:
            return False
        self._wait_until = known + rest // 8
        at = max(self._seen, self._given - self._start)
        ended = [end.end() for end in _MAY_END.finditer(self._line, at)]
        marked = at == 0 and self._is_marked()
        self._seen = ended[-1] - 1 if ended else at + marked
        return begun or marked or bool(ended)

    def _is_marked(self) -> bool:
        return is_marked(self._line[:_MARK])

    def _pending(self) -> Iterator[Piece]:
        """Of what has not ended, the sentences that have: first as the whole lines say, then as the one that comes."""
        yield from self._begun(self._reader)
        for line in lines(self._line.removesuffix("\r"), self._start):
            if self._is_marked() or (line.kind is Kind.PLAIN and _settled(line.text)):
                ahead = self._reader.fork()
                ahead.read(line)
                yield from self._taken(ahead)
                yield from self._begun(ahead)

    def _taken(self, reader: Reader) -> Iterator[Piece]:
        for block in reader.taken():
            yield from self._of(block, sentences(self._rest(block), clauses=False))

    def _begun(self, reader: Reader) -> Iterator[Piece]:
        """Sentences of the block that waits to be known as a leading one, and of the one that goes on."""
        if reader.waiting:
            spans, leads = sentences(self._rest(reader.waiting), clauses=False), reader.may_lead(reader.waiting)
            yield from self._of(reader.waiting, spans[:-1] if leads else spans, more=leads)
        if reader.open:
            yield from self._of(reader.open.block, _settled(self._rest(reader.open.block)), more=True)

    def _rest(self, block: Block) -> str:
        return block.text[max(self._given - block.start, 0) :]

    def _of(self, block: Block, spans: Sequence[Span], *, more: bool = False) -> Iterator[Piece]:
        """Only the last sentence of a block leads what is below."""
        text = self._rest(block)
        start = max(self._given, block.start)
        for number, span in enumerate(spans, start=1):
            words = span.of(text)
            if not any(map(str.isalnum, words)):
                continue
            self._count += 1
            if self._count > MOST_SENTENCES:
                raise TooManySentencesError
            is_last = number == len(spans) and not more
            before = self._before if self._block == block.start else ""
            self._given, self._block = start + span.end, block.start
            self._before = words if len(words) <= LONGEST_SENTENCE else ""
            yield Piece(
                Span(start + span.start, self._given), words, block if is_last else replace(block, leads=False), before
            )


def _settled(text: str) -> tuple[Span, ...]:
    """The sentences of a block that goes on that nothing can change: not the last, none in an open quotation."""
    quoted = text.find("“", text.rfind("”") + 1)
    return tuple(span for span in sentences(text, clauses=False)[:-1] if quoted < 0 or span.end <= quoted)


def read(piece: Piece, record: Record) -> Reading:
    """A sentence read with what leads it."""
    above = [line for line in piece.block.above if line.endswith(":") or not piece.before or section(line)]
    leads = [(line, section(line)) for line in above]
    typed = [(line, each) for line, each in leads if each is None or each.lead]
    alone = read_sentence(_plain(piece), record, piece.before)
    if not typed:
        return alone
    line, nearest = typed[-1]
    others = [_leaves_alone(each, above, record) for above, each in typed[:-1]]
    if not all(others):
        return replace(alone, clauses=(), stopped=None)
    led = read_sentence(_plain(piece), record, lead=f"{nearest.lead} " if nearest else f"{line} ")
    if led.clauses:
        return led
    if _leaves_alone(nearest, line, record) and (nearest is None or _says_itself(alone)):
        return alone
    return led


def _leaves_alone(kind: Section | None, line: str, record: Record) -> bool:
    """Whether a line below may be read by itself: its leading line asserts something itself, or nothing else."""
    if kind is not None:
        return kind.lone
    clauses = read_sentence(line.rstrip(": "), record).clauses
    return bool(clauses) and all(each.kind in _AFFIRMING for each in clauses)


# Kinds of assertions that say nothing of the lines below them.
_AFFIRMING = frozenset({"problem", "measured", "takes", "listed", "course", "judged", "person", "image"})


def _says_itself(reading: Reading) -> bool:
    """Whether it says with its own words what it says of its names: a bare name says what its section says."""
    return bool(reading.clauses) and all(map(_has_verb, reading.clauses))


def _has_verb(node: Node) -> bool:
    if not node.parts:
        return not node.kinds and node.text.isalpha()
    return any(map(_has_verb, (part for part in node.parts if "regimen" not in part.kinds)))


def _plain(piece: Piece) -> str:
    """What is read: without the mark by which a line leads others, cells of a table side by side."""
    words = piece.words.removesuffix(":") if piece.words.endswith(":") else piece.words
    return words.replace("|", " ") if piece.block.is_row else words
