"""Lines of text on a page, as the reader gives them, and the rows that they form.

A page may lie askew: rows are found along the direction of the lines, not along the edge of the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text in one place: its four corners clockwise from the top left, in pixels, and the reader's score."""

    text: str
    score: float
    corners: tuple[Point, Point, Point, Point]

    @property
    def centre(self) -> Point:
        """Middle of the box."""
        return sum(x for x, _ in self.corners) / 4, sum(y for _, y in self.corners) / 4

    @property
    def height(self) -> float:
        """Length of the left edge."""
        return math.dist(self.corners[0], self.corners[3])

    @property
    def slope(self) -> float:
        """Rise of the upper edge per pixel."""
        (left, top), (right, other) = self.corners[0], self.corners[1]
        return (other - top) / max(right - left, 1.0)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a document as it was read."""

    number: int
    width: int
    height: int
    lines: tuple[Line, ...]

    def rows(self) -> list[list[Line]]:
        """Lines that stand on one text line, left to right; rows from top to bottom."""
        if not self.lines:
            return []
        slope = _slope(self.lines)
        placed = [(line.centre[1] - slope * line.centre[0], line) for line in self.lines if line.text.strip()]
        placed.sort(key=lambda pair: pair[0])
        rows: list[list[tuple[float, Line]]] = []
        for at, line in placed:
            if rows and at - _middle(rows[-1]) < 0.5 * min(line.height, median(item.height for _, item in rows[-1])):
                rows[-1].append((at, line))
            else:
                rows.append([(at, line)])
        return [sorted((line for _, line in row), key=lambda line: line.centre[0]) for row in rows]

    def text(self) -> str:
        """The page in reading order, a row per line, cells apart by two spaces."""
        return "\n".join("  ".join(line.text.strip() for line in row) for row in self.rows())

    def box(self, lines: Sequence[Line]) -> tuple[float, float, float, float]:
        """(left, top, width, height) around the lines, in fractions of the page."""
        across = [x for line in lines for x, _ in line.corners]
        down = [y for line in lines for _, y in line.corners]
        left, right = max(min(across) / self.width, 0.0), min(max(across) / self.width, 1.0)
        top, bottom = max(min(down) / self.height, 0.0), min(max(down) / self.height, 1.0)
        return left, top, right - left, bottom - top


@dataclass(frozen=True, slots=True)
class TextPage:
    """A page whose text is known. Number 0: the whole of a document that has no pages."""

    number: int
    content: str

    def text(self) -> str:
        """The text, with its own line ends."""
        return self.content


def _slope(lines: Sequence[Line]) -> float:
    """Median over the longer half of the lines: short boxes have no direction."""
    longest = sorted(lines, key=lambda line: math.dist(line.corners[0], line.corners[1]), reverse=True)
    return median(line.slope for line in longest[: max(1, len(longest) // 2)])


def _middle(row: Sequence[tuple[float, Line]]) -> float:
    return median(at for at, _ in row)
