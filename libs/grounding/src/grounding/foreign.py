"""A text that another system wrote, judged sentence by sentence against the whole record.

Guarantee: every word of the text is in a span or is layout; a span is judged with the headings and introducing lines
above it; only what is read as a leading line or as a question that presupposes nothing asserts nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from grounding import reader, reliability
from grounding.claims import Claim, Verdict, worst
from grounding.comparing.record import Record
from grounding.layout import Block, blocks
from grounding.reader import Reading
from grounding.reading.nodes import Node
from grounding.reading.sections import Section, asks_only, section
from grounding.spans import Span, sentences
from grounding.verify import Verifier

MOST_SENTENCES = 2_000
# Characters of a sentence that is read.
LONGEST_SENTENCE = 1_000


class TooManySentencesError(ValueError):
    """A text that is not checked in one piece."""

    def __init__(self) -> None:
        super().__init__(f"the text has more than {MOST_SENTENCES:,} sentences; check it in parts")


@dataclass(frozen=True, slots=True)
class Judged:
    """Characters [start, end) of the text, what they claim, and the worst verdict; None: they assert nothing.

    `assertions`: as what it was read, in words.
    """

    start: int
    end: int
    claims: tuple[Claim, ...]
    verdict: Verdict | None
    assertions: tuple[Node, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is not supported; empty when it is, or asserts nothing."""
        if self.verdict in (None, Verdict.SUPPORTED):
            return ""
        deciding = (f"{claim.check}: {claim.reason}" for claim in self.claims if claim.verdict is self.verdict)
        return next(deciding, "nothing in it can be checked")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of a text, with the block that it stands in and the sentence before it there."""

    span: Span
    words: str
    block: Block
    before: str = ""


def judge(text: str, verifier: Verifier) -> tuple[Judged, ...]:
    """The spans of a text in order, without overlap; offsets are those of the text as it came.

    TooManySentencesError before anything is verified.
    """
    found = tuple(pieces(text))
    return tuple(_judge(piece, verifier.record) for piece in found)


def worst_of(spans: Iterable[Judged]) -> Verdict:
    """Of the spans that assert something; a text that asserts nothing supports nothing."""
    verdicts = {span.verdict for span in spans} - {None}
    if Verdict.CONTRADICTED in verdicts:
        return Verdict.CONTRADICTED
    return Verdict.SUPPORTED if verdicts == {Verdict.SUPPORTED} else Verdict.UNSUPPORTED


def pieces(text: str) -> Iterator[Piece]:
    """The sentences of a text. TooManySentencesError at the first one too many."""
    count = 0
    for block in blocks(text):
        before = ""
        for span in sentences(block.text, clauses=False):
            words = span.of(block.text)
            if not any(map(str.isalnum, words)):
                continue
            count += 1
            if count > MOST_SENTENCES:
                raise TooManySentencesError
            yield Piece(Span(block.start + span.start, block.start + span.end), words, block, before)
            before = words if len(words) <= LONGEST_SENTENCE else ""


def read(piece: Piece, record: Record) -> Reading:
    """A sentence read with what leads it."""
    above = [line for line in piece.block.above if line.endswith(":") or not piece.before or section(line)]
    leads = [(line, section(line)) for line in above]
    typed = [(line, each) for line, each in leads if each is None or each.lead]
    alone = reader.read(_plain(piece), record, piece.before)
    if not typed:
        return alone
    line, nearest = typed[-1]
    others = [_leaves_alone(each, above, record) for above, each in typed[:-1]]
    if not all(others):
        return replace(alone, clauses=(), stopped=None)
    led = reader.read(_plain(piece), record, lead=f"{nearest.lead} " if nearest else f"{line} ")
    if led.clauses:
        return led
    if _leaves_alone(nearest, line, record) and (nearest is None or _says_itself(alone)):
        return alone
    return led


def _leaves_alone(kind: Section | None, line: str, record: Record) -> bool:
    """Whether a line below may be read by itself: its leading line asserts something itself, or nothing else."""
    if kind is not None:
        return kind.lone
    clauses = reader.read(line.rstrip(": "), record).clauses
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


def _judge(piece: Piece, record: Record) -> Judged:
    start, end = piece.span.start, piece.span.end
    if len(piece.words) > LONGEST_SENTENCE:
        return _refused(piece, "length", f"it has more than {LONGEST_SENTENCE:,} characters and was not read")
    if _asserts_nothing(piece):
        return Judged(start, end, (), None)
    reading = read(piece, record)
    claims = tuple(_placed(claim, piece.span) for claim in reader.compared(reading, record))
    return Judged(start, end, claims, worst(claims), reading.clauses)


def _asserts_nothing(piece: Piece) -> bool:
    """A leading line, with something below if it would deny or end it; a question that presupposes nothing."""
    kind = section(piece.words)
    if kind is not None:
        return piece.block.leads or kind.lone or not kind.lead
    return asks_only(piece.words)


def _placed(claim: Claim, span: Span) -> Claim:
    """The claim with its offsets in the text; one about the leading line is about the whole sentence."""
    length = span.end - span.start
    start, end = max(claim.start, 0), min(claim.end, length)
    if start >= end:
        start, end = 0, length
    placed = replace(claim, start=span.start + start, end=span.start + end)
    return replace(placed, probability=reliability.of(placed))


def _refused(piece: Piece, check: str, reason: str) -> Judged:
    claim = Claim(piece.span.start, piece.span.end, check, Verdict.UNSUPPORTED, reason)
    return Judged(piece.span.start, piece.span.end, (claim,), claim.verdict)
