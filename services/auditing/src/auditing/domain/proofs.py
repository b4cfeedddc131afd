"""Which hashes prove what: the geometry of RFC 6962 sections 2.1.1 and 2.1.2.

A proof is a list of ranges of leaves; a range is a list of perfect subtrees; a perfect subtree is a run of
hashes of one tile level. The hashes themselves are read elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

TILE_HEIGHT = 8


@dataclass(frozen=True, slots=True)
class Range:
    """Leaves [start, end)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TileRun:
    """Hashes [first, first + count) of a tile level; level n holds the roots of perfect subtrees of 256**n leaves."""

    level: int
    first: int
    count: int


def inclusion(index: int, size: int) -> list[Range]:
    """PATH(index, D[size]), leaf end first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(start, middle))
            start = middle
    return path[::-1]


def consistency(old: int, new: int) -> list[Range]:
    """PROOF(old, D[new]); empty when the sizes are equal or the old tree is empty."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves cannot grow into one of {new}")
    if old in (0, new):
        return []
    path: list[Range] = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(start, middle))
            start = middle
    return ([Range(start, end)] if start else []) + path[::-1]


def tile_runs(leaves: Range) -> list[TileRun]:
    """The perfect subtrees that make up a range of a proof, largest first, as runs of tile hashes."""
    runs: list[TileRun] = []
    start = leaves.start
    while start < leaves.end:
        height = (leaves.end - start).bit_length() - 1
        level, above = divmod(height, TILE_HEIGHT)
        runs.append(TileRun(level, (start >> height) << above, 1 << above))
        start += 1 << height
    return runs


def _split(count: int) -> int:
    """Largest power of two smaller than `count`."""
    return 1 << ((count - 1).bit_length() - 1)
