"""A text sentence by sentence, each read with the lines that lead it.

Guarantee: what a leading line says of the lines below is read with each of them; where it is not read, they are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from grounding.comparing.record import Record
from grounding.layout import Block, blocks
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


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of a text, with the block that it stands in and the sentence before it there."""

    span: Span
    words: str
    block: Block
    before: str = ""


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
