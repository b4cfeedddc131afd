"""Which statements can act on each other: clusters of one identifier, by the names of their groups."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from consult import times
from psycopg import AsyncConnection

from memory.adapters.postgres.facts import Row

Group = tuple[int, str]

# From the groups asked for to their clusters, to all groups of those, to the clusters of these, and so on. The fences
# (OFFSET 0) have each looked up by an index, whatever the planner expects of how far this goes.
_REACHED = """
WITH RECURSIVE reached(cluster_no) AS (
    SELECT g.cluster_no FROM unnest(%b::bigint[], %b::text[]) AS asked(identifier_no, name) CROSS JOIN LATERAL (
        SELECT cluster_no FROM fact_group WHERE identifier_no = asked.identifier_no AND name = asked.name OFFSET 0) AS g
    UNION
    SELECT theirs.cluster_no FROM reached CROSS JOIN LATERAL (
        SELECT identifier_no, name FROM fact_group WHERE cluster_no = reached.cluster_no OFFSET 0) AS ours
    CROSS JOIN LATERAL (
        SELECT cluster_no FROM fact_group
        WHERE identifier_no = ours.identifier_no AND name = ours.name OFFSET 0) AS theirs
)
SELECT g.identifier_no, g.name, reached.cluster_no FROM reached CROSS JOIN LATERAL (
    SELECT identifier_no, name FROM fact_group WHERE cluster_no = reached.cluster_no OFFSET 0) AS g
"""
_NUMBERS = "SELECT nextval('cluster_no') FROM generate_series(1, %s)"
_ADD = """INSERT INTO fact_group (identifier_no, name, cluster_no)
    SELECT * FROM unnest(%b::bigint[], %b::text[], %b::bigint[]) ON CONFLICT DO NOTHING"""
_STATE = """SELECT number, (SELECT max(stated_at) FROM fact WHERE cluster_no = number),
    EXISTS (SELECT FROM fact WHERE cluster_no = number AND kind = 7) FROM unnest(%b::bigint[]) AS number"""


class Joined:
    """Sets of groups and clusters that belong together."""

    def __init__(self) -> None:
        self._parent: dict[object, object] = {}

    def root(self, one: object) -> object:
        while (above := self._parent.setdefault(one, one)) != one:
            self._parent[one] = self._parent[above]
            one = above
        return one

    def join(self, one: object, other: object) -> None:
        self._parent[self.root(other)] = self.root(one)


@dataclass(frozen=True, slots=True)
class Before:
    """What belonged with a cluster before: all its numbers, when the last was stated, whether documents are in it."""

    numbers: frozenset[int]
    stated_at: datetime
    documents: bool


@dataclass(frozen=True, slots=True)
class Clusters:
    """Where each of some facts belongs.

    `number`: the cluster of a fact id; facts about themselves alone have none. `before`: of the clusters that were in
    the record already. `meeting`: of clusters that meet with those of other identifiers (meetings.py), the one that
    stands for all. `remade`: those that are made again whatever is new, with all their numbers.
    """

    number: Mapping[str, int]
    before: Mapping[int, Before]
    meeting: Mapping[int, int] = field(default_factory=dict)
    remade: Mapping[int, frozenset[int]] = field(default_factory=dict)


async def assign(conn: AsyncConnection[Any], new: Sequence[Row]) -> Clusters:
    """Give each fact its cluster, and record what it joins. The caller has the persons' locks."""
    named, together = _by_groups(new)
    if not together:
        return Clusters({}, {})
    asked = sorted({group for each in together.values() for group in each})
    known = await (await conn.execute(_REACHED, tuple(map(list, zip(*asked, strict=True))))).fetchall()
    joined = Joined()
    for number, name, cluster in known:
        joined.join((number, name), cluster)
    for first, *others in together.values():
        for other in others:
            joined.join(first, other)
    numbers, before = await _numbered(conn, [each[0] for each in together.values()], joined, known)
    cluster_of = {names: numbers[joined.root(each[0])] for names, each in together.items()}
    rows = {(*group, cluster_of[names]) for names, each in together.items() for group in each} - set(known)
    if rows:
        await conn.execute(_ADD, tuple(map(list, zip(*sorted(rows), strict=True))))
    return Clusters(
        {fact_id: cluster_of[names] for fact_id, names in named.items()},
        await before_of(conn, before),
    )


def _by_groups(new: Sequence[Row]) -> tuple[dict[str, tuple[object, ...]], dict[tuple[object, ...], list[Group]]]:
    """What each fact's groups are together, by its id, and the groups: the facts of one order have the same."""
    named: dict[str, tuple[object, ...]] = {}
    together: dict[tuple[object, ...], list[Group]] = {}
    for _, number, statement in new:
        groups = tuple(statement.fact.identity.groups)
        if groups:
            names = named[statement.fact.fact_id] = (number, *groups)
            if names not in together:
                together[names] = [(number, group) for group in groups]
    return named, together


async def _numbered(
    conn: AsyncConnection[Any], some: Sequence[Group], joined: Joined, known: Iterable[tuple[int, str, int]]
) -> tuple[dict[object, int], dict[int, frozenset[int]]]:
    """The number of each set, and for those that were there before all numbers that it had."""
    before: dict[object, set[int]] = defaultdict(set)
    for _, _, cluster in known:
        before[joined.root(cluster)].add(cluster)
    roots = dict.fromkeys(map(joined.root, some))
    fresh = [root for root in roots if root not in before]
    numbers = {root: min(before[root]) for root in roots if root in before}
    had = {numbers[root]: frozenset(before[root]) for root in numbers}
    if fresh:
        drawn = await (await conn.execute(_NUMBERS, (len(fresh),))).fetchall()
        numbers |= {root: number for root, (number,) in zip(fresh, drawn, strict=True)}
    return numbers, had


async def before_of(conn: AsyncConnection[Any], numbers: Mapping[int, frozenset[int]]) -> dict[int, Before]:
    """What belonged with each of some clusters before; all its numbers are given."""
    if not numbers:
        return {}
    everything = [number for each in numbers.values() for number in each]
    rows = await (await conn.execute(_STATE, (everything,))).fetchall()
    state = {number: (stated_at or times.EARLIEST, documents) for number, stated_at, documents in rows}
    return {
        number: Before(each, max(state[one][0] for one in each), any(state[one][1] for one in each))
        for number, each in numbers.items()
    }
