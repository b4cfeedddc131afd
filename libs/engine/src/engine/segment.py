"""What one forward pass is made of."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """Tokens `ids` of the sequence in `slot`, the first at position `start`; logits of the last `wanted` are asked.

    Without a cache, `after` is the place, among the segments of the same forward, of the one that this continues.
    """

    slot: int
    start: int
    ids: Sequence[int]
    wanted: int
    after: int | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.ids)
