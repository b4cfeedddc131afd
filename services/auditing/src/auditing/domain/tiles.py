"""C2SP tlog-tiles: where the hashes and entries of the log stand as objects.

Guarantee: `grown` names every tile and entry bundle that a checkpoint of the new size needs and that did not
exist at the old size; full tiles are named once and never again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH = 256
MAX_ENTRY_BYTES = 0xFFFF


@dataclass(frozen=True, slots=True)
class Tile:
    """`width` hashes of tile level `level`, from hash `index * 256` on."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """Object key of the tile."""
        return f"tile/{self.level}/{_index_path(self)}"

    @property
    def entries_path(self) -> str:
        """Object key of the entry bundle beside a level 0 tile."""
        return f"tile/entries/{_index_path(self)}"


def grown(old_size: int, new_size: int) -> list[Tile]:
    """Tiles that a tree of `new_size` leaves has and one of `old_size` had not."""
    return [tile for level in _levels(new_size) for tile in _grown_level(level, old_size, new_size)]


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entry bundle: each entry after its length, 16 bits big-endian."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes does not fit an entry bundle")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def _levels(size: int) -> Iterator[int]:
    level = 0
    while size >> (8 * level):
        yield level
        level += 1


def _grown_level(level: int, old_size: int, new_size: int) -> Iterator[Tile]:
    old, new = old_size >> (8 * level), new_size >> (8 * level)
    if old == new:
        return
    for index in range(old // WIDTH, -(-new // WIDTH)):
        yield Tile(level, index, min(WIDTH, new - index * WIDTH))


def _index_path(tile: Tile) -> str:
    groups: list[str] = []
    rest = tile.index
    while True:
        rest, group = divmod(rest, 1000)
        groups.insert(0, f"{group:03d}")
        if not rest:
            break
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if tile.width == WIDTH else f"{path}.p/{tile.width}"
