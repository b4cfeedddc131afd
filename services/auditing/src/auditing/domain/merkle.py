"""The Merkle tree of RFC 6962 section 2.1, grown leaf by leaf.

Guarantee: a `Frontier` holds at most 64 hashes whatever the size of the log, and its root is the RFC 6962
Merkle Tree Hash of all leaves appended so far.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def hash_leaf(data: bytes) -> bytes:
    """Leaf hash: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Interior hash: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A perfect subtree: `2**height` leaves starting at leaf `index * 2**height`."""

    height: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """Roots of the perfect subtrees that make up a tree of `size` leaves, largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.hashes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} peaks, not {len(self.hashes)}")

    def root(self) -> bytes:
        """Merkle Tree Hash of all leaves."""
        return fold(self.hashes) if self.hashes else EMPTY_ROOT


def fold(peaks: Sequence[bytes]) -> bytes:
    """Root over adjacent perfect subtrees, largest first: the smallest two are joined first."""
    *rest, root = peaks
    for peak in reversed(rest):
        root = hash_children(peak, root)
    return root


def append(frontier: Frontier, leaf_hashes: Iterable[bytes]) -> tuple[Frontier, list[Node]]:
    """Add leaves; also return every perfect subtree (leaves included) that this completed, in order."""
    peaks = list(frontier.hashes)
    size = frontier.size
    completed: list[Node] = []
    for leaf_hash in leaf_hashes:
        completed.extend(_complete(peaks, size, leaf_hash))
        peaks.append(completed[-1].hash)
        size += 1
    return Frontier(size, tuple(peaks)), completed


def _complete(peaks: list[bytes], index: int, leaf_hash: bytes) -> Iterator[Node]:
    """The leaf at `index` and each subtree that it closes, lowest first; closed peaks are taken off."""
    node = Node(0, index, leaf_hash)
    yield node
    while node.index & 1:
        node = Node(node.height + 1, node.index >> 1, hash_children(peaks.pop(), node.hash))
        yield node


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Root of a perfect subtree from the hashes of one of its levels; their number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [hash_children(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]
