"""Which records become leaves, in which order, and which are redeliveries of an event that has one.

Guarantee: every record given is exactly one of three things: recorded before (its offset is below the position of
its partition), a new leaf, or a duplicate that points at the leaf of its event. Indexes have no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auditing.domain.audit_event import Entry
from auditing.domain.merkle import hash_leaf


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry with its place in the log."""

    index: int
    hash: bytes
    entry: Entry


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An entry whose event already has a leaf."""

    leaf_index: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Position:
    """How far a partition is recorded: every offset below `next_offset` is a leaf, a duplicate or missing."""

    next_offset: int = 0
    leaves: int = 0
    duplicates: int = 0

    @property
    def missing(self) -> int:
        """Offsets that the log never saw: deleted by retention or compaction before they were read."""
        return self.next_offset - self.leaves - self.duplicates


Partition = tuple[str, int]
EventKey = tuple[str, str]


@dataclass(slots=True)
class Plan:
    """What a batch adds to the log."""

    leaves: list[Leaf] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    positions: dict[Partition, Position] = field(default_factory=dict)


def event_key(entry: Entry) -> EventKey:
    """What makes two records the same event: the topic and the event id, as for a consumer's inbox."""
    return (entry.topic, entry.event_id)


def sequence(
    entries: Iterable[Entry], size: int, known: Mapping[EventKey, int], positions: Mapping[Partition, Position]
) -> Plan:
    """Order a batch behind `size` leaves. `known` gives the leaf of each event that already has one."""
    plan = Plan()
    leaf_of = dict(known)
    for entry in entries:
        partition = (entry.topic, entry.partition)
        position = plan.positions.get(partition) or positions.get(partition, Position())
        if entry.offset < position.next_offset:
            continue
        index = leaf_of.get(event_key(entry))
        if index is None:
            index = size + len(plan.leaves)
            leaf_of[event_key(entry)] = index
            plan.leaves.append(Leaf(index, hash_leaf(entry.data), entry))
            plan.positions[partition] = Position(entry.offset + 1, position.leaves + 1, position.duplicates)
        else:
            plan.duplicates.append(Duplicate(index, entry))
            plan.positions[partition] = Position(entry.offset + 1, position.leaves, position.duplicates + 1)
    return plan
