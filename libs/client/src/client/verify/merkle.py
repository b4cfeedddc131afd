"""Checking Merkle proofs the way RFC 9162 sections 2.1.3.2 and 2.1.4.2 spell it out (the tree is that of RFC 6962)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from client.errors import VerificationError


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class RootBuilder:
    """The root of a growing list of leaves, from one pending hash per bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._pending: dict[int, bytes] = {}

    def add(self, data: bytes) -> None:
        """Append a leaf."""
        carry, height = leaf_hash(data), 0
        while height in self._pending:
            carry = node_hash(self._pending.pop(height), carry)
            height += 1
        self._pending[height] = carry
        self.size += 1

    def root(self) -> bytes:
        """Root of the leaves so far."""
        if not self._pending:
            return hashlib.sha256(b"").digest()
        heights = sorted(self._pending)
        root = self._pending[heights[0]]
        for height in heights[1:]:
            root = node_hash(self._pending[height], root)
        return root


def inclusion_steps(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> list[tuple[str, bytes, bytes]]:
    """Climb from a leaf hash to the root: (side of the proof's hash, that hash, result) for each step.

    VerificationError when the proof is longer or shorter than the tree is high.
    """
    if not 0 <= index < size:
        raise VerificationError(f"leaf {index} is not in a tree of {size} leaves")
    position, last, current = index, size - 1, leaf
    steps: list[tuple[str, bytes, bytes]] = []
    for sibling in proof:
        if last == 0:
            raise VerificationError("the inclusion proof is too long")
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            steps.append(("left", sibling, current))
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
            steps.append(("right", sibling, current))
        position, last = position >> 1, last >> 1
    if last != 0:
        raise VerificationError("the inclusion proof is too short")
    return steps


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """VerificationError unless the leaf hash stands at `index` in the tree of `size` leaves under `root`."""
    steps = inclusion_steps(leaf, index, size, proof)
    if (steps[-1][2] if steps else leaf) != root:
        raise VerificationError("the inclusion proof leads to another root")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """VerificationError unless the new tree begins with all leaves of the old one, in order."""
    if old_size > new_size:
        raise VerificationError(f"the log shrank from {old_size} to {new_size} leaves")
    if old_size in (0, new_size):
        if proof or (old_size == new_size and old_root != new_root):
            raise VerificationError("two roots for the same size")
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        raise VerificationError("the consistency proof is too short")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old, new = _climb(path, position, last)
    if old != old_root or new != new_root:
        raise VerificationError("the log was rewritten: the consistency proof leads to other roots")


def _climb(path: Sequence[bytes], position: int, last: int) -> tuple[bytes, bytes]:
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise VerificationError("the consistency proof is too long")
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise VerificationError("the consistency proof is too short")
    return old, new
