"""The log as tiles (C2SP tlog-tiles): which objects a tree of some size has, and what is in them; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from client.verify.merkle import leaf_hash, node_hash

WIDTH = 256


def path(level: int | str, index: int, width: int) -> str:
    """The key of a tile, or of an entry bundle where `level` is `entries`."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    place = f"tile/{level}/{'/'.join(groups)}"
    return place if width == WIDTH else f"{place}.p/{width}"


def bundles(size: int) -> Iterator[tuple[int, int]]:
    """Index and width of each tile of a level that has so many hashes."""
    for index in range(-(-size // WIDTH)):
        yield index, min(WIDTH, size - index * WIDTH)


def hashes_of(bundle: bytes) -> list[bytes]:
    """Leaf hashes of the entries of a bundle, each after its length; of one that is cut off, as far as it goes."""
    found, at = [], 0
    while at + 2 <= len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle):
            break
        found.append(leaf_hash(bundle[at + 2 : end]))
        at = end
    return found


def hash_tiles(leaves: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every hash tile that a tree of these leaf hashes has at its size."""
    level, hashes = 0, list(leaves)
    while hashes:
        for index, width in bundles(len(hashes)):
            yield path(level, index, width), b"".join(hashes[index * WIDTH : index * WIDTH + width])
        full = range(0, len(hashes) - WIDTH + 1, WIDTH)
        level, hashes = level + 1, [_root(hashes[start : start + WIDTH]) for start in full]


def _root(hashes: Sequence[bytes]) -> bytes:
    """Of a perfect subtree."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[n], row[n + 1]) for n in range(0, len(row), 2)]
    return row[0]
