"""Which statements can act on each other: clusters of one identifier, by the names of their groups."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from memory.adapters.postgres.facts import Row

Group = tuple[int, str]

# From the groups asked for to their clusters, to all groups of those, to the clusters of these, and so on.
_REACHED = """
WITH RECURSIVE reached(cluster_no) AS (
    SELECT g.cluster_no FROM unnest(%s::bigint[], %s::text[]) AS asked(identifier_no, name)
    JOIN fact_group g USING (identifier_no, name)
    UNION
    SELECT theirs.cluster_no FROM reached JOIN fact_group ours USING (cluster_no)
    JOIN fact_group theirs ON theirs.identifier_no = ours.identifier_no AND theirs.name = ours.name
)
SELECT identifier_no, name, cluster_no FROM reached JOIN fact_group USING (cluster_no)
"""
_NUMBERS = "SELECT nextval('cluster_no') FROM generate_series(1, %s)"
_ADD = """INSERT INTO fact_group (identifier_no, name, cluster_no)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING"""


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


class Clusters:
    """Where each of some facts belongs. `number`: the cluster of a fact id; facts about themselves alone have none."""

    def __init__(self, number: Mapping[str, int], before: Mapping[int, Collection[int]]) -> None:
        self.number = number
        self._before = before

    def before(self, number: int) -> Collection[int]:
        """Every cluster that belongs with this one and was in the record before; empty when it is new."""
        return self._before.get(number, ())


async def assign(conn: AsyncConnection[Any], new: Sequence[Row]) -> Clusters:
    """Give each fact its cluster, and record what it joins. The caller has the persons' locks."""
    groups = {row.fact.fact_id: _groups(row) for row in new if row.fact.identity.groups}
    if not groups:
        return Clusters({}, {})
    asked = sorted({group for each in groups.values() for group in each})
    known = await (await conn.execute(_REACHED, tuple(map(list, zip(*asked, strict=True))))).fetchall()
    joined = Joined()
    for number, name, cluster in known:
        joined.join((number, name), cluster)
    for first, *others in groups.values():
        for other in others:
            joined.join(first, other)
    return await _numbered(conn, groups, joined, known)


async def _numbered(
    conn: AsyncConnection[Any],
    groups: Mapping[str, Sequence[Group]],
    joined: Joined,
    known: Iterable[tuple[int, str, int]],
) -> Clusters:
    before: dict[object, set[int]] = defaultdict(set)
    for _, _, cluster in known:
        before[joined.root(cluster)].add(cluster)
    roots = dict.fromkeys(joined.root(each[0]) for each in groups.values())
    fresh = [root for root in roots if root not in before]
    numbers = {root: min(before[root]) for root in roots if root in before}
    if fresh:
        drawn = await (await conn.execute(_NUMBERS, (len(fresh),))).fetchall()
        numbers |= {root: number for root, (number,) in zip(fresh, drawn, strict=True)}
    cluster_of = {fact_id: numbers[joined.root(each[0])] for fact_id, each in groups.items()}
    rows = {(*group, cluster_of[fact_id]) for fact_id, each in groups.items() for group in each} - set(known)
    if rows:
        await conn.execute(_ADD, tuple(map(list, zip(*sorted(rows), strict=True))))
    return Clusters(cluster_of, {numbers[root]: before[root] for root in roots if root in before})


def _groups(row: Row) -> list[Group]:
    return [(row.identifier_no, name) for name in row.fact.identity.groups]
