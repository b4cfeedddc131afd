"""Text cut at sentence boundaries into pieces the embedder sees whole, each with its character offsets.

Guarantee: `text[start:end] == chunk`, chunks are in order and do not overlap, and only white space lies between them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A few sentences: one thing said, so that a search finds it and a context pack can hold it. Far below the 256 tokens
# that the embedder reads.
LONGEST = 320
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    start: int
    end: int
    text: str


def cut(text: str, longest: int = LONGEST) -> list[Chunk]:
    """Neighbouring sentences together, up to `longest` characters; a longer sentence is cut at white space."""
    chunks: list[Chunk] = []
    start = end = -1
    for from_, to in _pieces(text, longest):
        if start >= 0 and to - start <= longest:
            end = to
            continue
        if start >= 0:
            chunks.append(Chunk(start, end, text[start:end]))
        start, end = from_, to
    if start >= 0:
        chunks.append(Chunk(start, end, text[start:end]))
    return chunks


def _pieces(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Sentences as [start, end) without white space around, none longer than `longest`."""
    position = 0
    for boundary in [*_SENTENCE_END.finditer(text), None]:
        end = boundary.start() if boundary else len(text)
        yield from _words(text, position, end, longest)
        position = boundary.end() if boundary else end


def _words(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > longest:
        spaces = [match for match in _SPACE.finditer(text, start, start + longest + 1) if match.start() > start]
        stop = spaces[-1].start() if spaces else start + longest
        yield start, stop
        # The white space may go on beyond what was looked at.
        start = next(place for place in range(stop, end) if not text[place].isspace())
    if start < end:
        yield start, end
