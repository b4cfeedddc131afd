"""Rollouts of one group as one forward: what they begin with alike is computed once, wherever they part.

Guarantee: every token sees exactly the tokens before it in its own rollout.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from engine.segment import Segment

from training.samples import Ids, Rollout


@dataclass(slots=True)
class Packed:
    """Segments of one forward, and for each rollout the row of each of its tokens."""

    segments: list[Segment] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    length: int = 0

    def add(self, start: int, ids: Sequence[int], after: int | None) -> int:
        """Place of the new segment."""
        self.segments.append(Segment(0, start, ids, 0, after))
        self.length += len(ids)
        return len(self.segments) - 1


def sequence(rollout: Rollout) -> Ids:
    """All that the network read and wrote."""
    return tuple(chain.from_iterable((*turn.observation_ids, *turn.action_ids) for turn in rollout.turns))


def action_places(rollout: Rollout) -> list[int]:
    """Places of the action tokens in the sequence, turn by turn."""
    places, start = list[int](), 0
    for turn in rollout.turns:
        start += len(turn.observation_ids)
        places += range(start, start + len(turn.action_ids))
        start += len(turn.action_ids)
    return places


def pack(sequences: Sequence[Ids], *, shared: bool = True) -> Packed:
    """As a tree: a segment for each run of tokens that the same rollouts have alike. Not `shared`: each for itself."""
    packed = Packed(rows=[[] for _ in sequences])
    for members in [range(len(sequences))] if shared else [[member] for member in range(len(sequences))]:
        _grow(packed, sequences, members, 0, None)
    return packed


def _grow(packed: Packed, sequences: Sequence[Ids], members: Sequence[int], start: int, after: int | None) -> None:
    """The tokens that all members have alike from `start` on, then each way on from there."""
    ids = _common([sequences[member] for member in members], start)
    if ids:
        first = packed.length
        after = packed.add(start, ids, after)
        for member in members:
            packed.rows[member] += range(first, first + len(ids))
    end = start + len(ids)
    ways: dict[int, list[int]] = {}
    for member in members:
        if len(sequences[member]) > end:
            ways.setdefault(sequences[member][end], []).append(member)
    for way in ways.values():
        _grow(packed, sequences, way, end, after)


def _common(sequences: Sequence[Ids], start: int) -> Ids:
    first, end = sequences[0], start
    shortest = min(map(len, sequences))
    while end < shortest and all(ids[end] == first[end] for ids in sequences):
        end += 1
    return first[start:end]
