"""What one forward pass is made of."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """Tokens `ids` of the sequence in `slot`, the first at position `start`; logits of the last `wanted` are asked."""

    slot: int
    start: int
    ids: Sequence[int]
    wanted: int

    @property
    def end(self) -> int:
        return self.start + len(self.ids)
