"""Slots of the key-value cache: who holds one, and which one already knows the beginning of a new request."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Slot:
    """`ids` are the tokens whose keys and values the slot holds; `used` orders free slots by age."""

    ids: list[int]
    busy: bool = False
    used: int = 0


class Slots:
    """A fixed set of slots. A finished request's tokens stay in its slot until the slot is needed."""

    def __init__(self, count: int) -> None:
        self._slots = [Slot([]) for _ in range(count)]
        self._clock = 0

    def __getitem__(self, number: int) -> Slot:
        return self._slots[number]

    def take(self, ids: Sequence[int]) -> tuple[int, int, int]:
        """Claims a slot for `ids`. Returns it, the slot that shares the longest beginning, and that length.

        At least one token is left to run, because the next token's logits must come from somewhere.
        """
        shared = [_common(slot.ids, ids) for slot in self._slots]
        best = max(range(len(shared)), key=shared.__getitem__)
        free = [number for number, slot in enumerate(self._slots) if not slot.busy]
        whole = best in free and shared[best] == len(self._slots[best].ids)
        number = best if whole else min(free, key=lambda candidate: self._slots[candidate].used)
        length = min(shared[best], len(ids) - 1)
        self._clock += 1
        self._slots[number] = Slot(list(ids[:length]), busy=True, used=self._clock)
        return number, best, length

    def release(self, number: int, ids: Sequence[int]) -> None:
        """Frees a slot that now holds `ids`."""
        self._clock += 1
        self._slots[number] = Slot(list(ids), busy=False, used=self._clock)


def _common(kept: Sequence[int], ids: Sequence[int]) -> int:
    """Length of the common beginning."""
    length = 0
    for mine, other in zip(kept, ids, strict=False):
        if mine != other:
            break
        length += 1
    return length
