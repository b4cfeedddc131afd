"""Who is whom: identifiers are nodes, links are edges, a person is a connected component.

Guarantees: a merge adds an edge and an unmerge takes it away, both as new statements; facts stay with the identifier
they came from, so what was written after a merge is still there after the unmerge. Links have no direction for
reading, so circular, inverse and chained merges need no special case, and a self-merge says nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from longitude.record.v1.fact_pb2 import PatientKey


class Identifier(NamedTuple):
    """A patient identifier as one feed knows it (PID-3.1 and PID-3.4)."""

    authority: str
    id: str

    @classmethod
    def of(cls, key: PatientKey) -> Self:
        return cls(key.authority, key.id)

    def key(self) -> PatientKey:
        return PatientKey(id=self.id, authority=self.authority)


@dataclass(frozen=True, slots=True)
class Link:
    """Two identifiers said to be one person, or said to be two again."""

    surviving: Identifier
    merged: Identifier
    removed: bool

    @property
    def pair(self) -> frozenset[Identifier]:
        return frozenset((self.surviving, self.merged))


@dataclass(frozen=True, slots=True)
class LinkStatement:
    """A link as its source stated it. `order` follows the source's own message time (see timeline.py)."""

    link: Link
    stated_at: datetime
    received_at: datetime
    ordinal: int
    recorded_at: datetime

    @property
    def order(self) -> tuple[datetime, datetime, int, bool]:
        return (self.stated_at, self.received_at, self.ordinal, self.link.removed)


def edges_in_force(statements: Iterable[LinkStatement]) -> set[frozenset[Identifier]]:
    """The pairs whose last statement, in the source's order, is a link and not its removal."""
    last: dict[frozenset[Identifier], LinkStatement] = {}
    for statement in sorted(statements, key=lambda s: s.order):
        last[statement.link.pair] = statement
    return {pair for pair, statement in last.items() if len(pair) == 2 and not statement.link.removed}


def component(start: Identifier, statements: Iterable[LinkStatement]) -> frozenset[Identifier]:
    """Every identifier of the person whom `start` names, `start` among them."""
    return components([start], statements)[start]


def components(
    starts: Iterable[Identifier], statements: Iterable[LinkStatement]
) -> dict[Identifier, frozenset[Identifier]]:
    """The person whom each of the identifiers names."""
    neighbours: dict[Identifier, set[Identifier]] = defaultdict(set)
    for pair in edges_in_force(statements):
        one, other = pair
        neighbours[one].add(other)
        neighbours[other].add(one)
    return {start: _reached(start, neighbours) for start in starts}


def _reached(start: Identifier, neighbours: Mapping[Identifier, set[Identifier]]) -> frozenset[Identifier]:
    reached = {start}
    frontier = [start]
    while frontier:
        new = neighbours.get(frontier.pop(), set()) - reached
        reached |= new
        frontier.extend(new)
    return frozenset(reached)
