"""A record as it stood at a past moment, without replaying all of it.

Clusters do not act on each other: what belongs to none of those of which something was recorded since stands as it
stands now. The others are replayed from their facts.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from memory.adapters.postgres import facts, views
from memory.domain.identity import Identifier
from memory.domain.timeline import Entry, replay

# The persons' links and the edition are those of now. The fences (OFFSET 0) have each looked up by an index.
_SAME = """SELECT NOT EXISTS (SELECT FROM edition WHERE current_from > %(known_at)s) AND NOT EXISTS (
    SELECT FROM identity_link WHERE recorded_at > %(known_at)s
    AND (surviving_no = ANY(%(numbers)s) OR merged_no = ANY(%(numbers)s)))"""
_CHANGED = """WITH RECURSIVE changed(cluster_no) AS (
    SELECT cluster_no FROM fact
    WHERE identifier_no = ANY(%(numbers)s) AND recorded_at > %(known_at)s AND cluster_no IS NOT NULL
    UNION
    SELECT theirs.cluster_no FROM changed CROSS JOIN LATERAL (
        SELECT identifier_no, name FROM fact_group WHERE cluster_no = changed.cluster_no OFFSET 0) AS ours
    CROSS JOIN LATERAL (
        SELECT cluster_no FROM fact_group
        WHERE identifier_no = ours.identifier_no AND name = ours.name OFFSET 0) AS theirs
) SELECT cluster_no FROM changed"""


class Past(NamedTuple):
    """`changed`: clusters of which something was recorded since. `entries`: what those had come to then."""

    known_at: datetime
    changed: list[int]
    entries: list[Entry]


async def since(
    conn: AsyncConnection[Any], identifiers: Collection[Identifier], numbers: Collection[int], known_at: datetime
) -> Past | None:
    """What of a person's record was otherwise then; None where numbers act on each other, or did so otherwise."""
    if max(Counter(each.authority for each in identifiers).values()) > 1:
        return None
    asked = {"numbers": list(numbers), "known_at": known_at}
    if await (await conn.execute(_SAME, asked)).fetchone() != (True,):
        return None
    async with views.whole(conn):
        changed = [number for (number,) in await (await conn.execute(_CHANGED, asked)).fetchall()]
        stated = [each for _, each in await facts.of_clusters(conn, changed)] if changed else []
    return Past(known_at, changed, views.opened(replay(stated, known_at)))
