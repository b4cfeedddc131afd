"""The timeline as it stands: what became of each statement, kept beside the statements so that a read is one query.

A projection of domain/timeline.py. `project` makes the entries of the clusters again that new facts belong to, in their
transaction; `rebuild` makes all of them again from the facts, and a start does so when the rules have changed.
"""

import hashlib
import inspect
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from consult import times
from longitude.record.v1.context_pb2 import RecordedFact
from psycopg import AsyncConnection

from memory.adapters.postgres import facts
from memory.adapters.postgres.clusters import Clusters
from memory.adapters.postgres.facts import Row
from memory.domain import timeline
from memory.domain.timeline import Entry, StatedFact, clusters, fates

# Of the entries that one page of a timeline holds, whatever number was asked for; the first is always given.
PAGE_BYTES = 4 * 1024 * 1024

_FORGET = "DELETE FROM entry WHERE cluster_no = ANY(%s)"
_ADD = """COPY entry (identifier_no, starts, recorded_at, fact_id, cluster_no, kind, concept, since, stands, view)
    FROM STDIN (FORMAT BINARY)"""
_TYPES = ("int8", "timestamptz", "timestamptz", "text", "int8", "int2", "text", "timestamptz", "bool", "bytea")
_OF = """SELECT view FROM entry WHERE identifier_no = ANY(%s) AND kind = ANY(%s::smallint[]) AND stands"""
_STANDING = """SELECT view FROM entry WHERE identifier_no = ANY(%s) AND stands ORDER BY starts, recorded_at, fact_id"""
_STANDING_IDS = "SELECT fact_id FROM entry WHERE identifier_no = ANY(%s) AND fact_id = ANY(%s) AND stands"
# Each identifier is read in its own order, as far as a page can need it.
_PAGE = """
SELECT starts, recorded_at, fact_id, view, many FROM (
    SELECT *, count(*) OVER () AS many,
        sum(octet_length(view)) OVER (ORDER BY starts, recorded_at, fact_id) - octet_length(view) AS before
    FROM (
        SELECT one.* FROM unnest(%(numbers)s::bigint[]) AS number CROSS JOIN LATERAL (
            SELECT starts, recorded_at, fact_id, view FROM entry
            WHERE identifier_no = number AND (starts, recorded_at, fact_id) > (%(starts)s, %(recorded_at)s, %(fact_id)s)
            AND (stands OR %(superseded)s) AND (%(kinds)s::smallint[] = '{}' OR kind = ANY(%(kinds)s))
            ORDER BY starts, recorded_at, fact_id LIMIT %(limit)s
        ) AS one ORDER BY starts, recorded_at, fact_id LIMIT %(limit)s
    ) AS nearest
) AS page WHERE before < %(bytes)s ORDER BY starts, recorded_at, fact_id"""
_RULES = "SELECT rules FROM entry_rules"


class Place(NamedTuple):
    """Where an entry stands in the order of reading."""

    starts: datetime
    recorded_at: datetime
    fact_id: str


START = Place(times.EARLIEST, times.EARLIEST, "")


async def project(conn: AsyncConnection[Any], new: Sequence[Row], known: Clusters) -> None:
    """Make the entries again that new facts may have changed. The caller has the persons' locks."""
    made: list[tuple[Any, ...]] = []
    fresh: dict[int, list[Row]] = defaultdict(list)
    for row in new:
        number = known.number.get(row.fact.fact_id)
        if number is None:
            made += _rows(row.identifier_no, None, [row.statement])
        else:
            fresh[number].append(row)
    changed = {number: before for number in fresh if (before := known.before(number))}
    stated = await _statements(conn, changed)
    for number, rows in fresh.items():
        statements = stated.get(number) or [row.statement for row in rows]
        made += _rows(rows[0].identifier_no, number, statements)
    await _write(conn, made, {cluster for before in changed.values() for cluster in before})


async def _statements(conn: AsyncConnection[Any], changed: "dict[int, Collection[int]]") -> dict[int, list[StatedFact]]:
    stated: dict[int, list[StatedFact]] = defaultdict(list)
    if changed:
        belongs = {cluster: number for number, before in changed.items() for cluster in before}
        for cluster, statement in await facts.of_clusters(conn, belongs):
            stated[belongs[cluster]].append(statement)
    return stated


async def rebuild(conn: AsyncConnection[Any]) -> None:
    """Make every entry again from the facts, inside the caller's transaction; writers wait."""
    await conn.execute("LOCK TABLE fact, entry IN SHARE ROW EXCLUSIVE MODE")
    await conn.execute("DELETE FROM entry")
    for (number,) in await (await conn.execute("SELECT identifier_no FROM identifier")).fetchall():
        stated = await facts.in_clusters(conn, number)
        cluster_of = {statement.fact.fact_id: cluster for cluster, statement in stated}
        made: list[tuple[Any, ...]] = []
        for cluster in clusters([statement for _, statement in stated]):
            numbers = [no for each in cluster if (no := cluster_of[each.fact.fact_id]) is not None]
            made += _rows(number, min(numbers, default=None), cluster)
        await _write(conn, made, ())


async def keep_up(conn: AsyncConnection[Any]) -> None:
    """Rebuild when other rules than this version's made the entries."""
    rules = hashlib.sha256(inspect.getsource(timeline).encode()).hexdigest()
    async with conn.transaction():
        await conn.execute("LOCK TABLE entry_rules IN EXCLUSIVE MODE")
        made_by = await (await conn.execute(_RULES)).fetchone()
        if made_by == (rules,):
            return
        await rebuild(conn)
        await conn.execute("DELETE FROM entry_rules")
        await conn.execute("INSERT INTO entry_rules VALUES (%s)", (rules,))


async def standing(
    conn: AsyncConnection[Any], numbers: Collection[int], kinds: Collection[int] = ()
) -> list[RecordedFact]:
    """The current statements of these identifiers, in the order of reading where no kinds are asked for."""
    asked = (_OF, (list(numbers), list(kinds))) if kinds else (_STANDING, (list(numbers),))
    rows = await (await conn.execute(*asked)).fetchall()
    return [RecordedFact.FromString(view) for (view,) in rows]


async def standing_among(conn: AsyncConnection[Any], numbers: Collection[int], fact_ids: Collection[str]) -> set[str]:
    """Those of the facts that stand."""
    rows = await (await conn.execute(_STANDING_IDS, (list(numbers), list(fact_ids)))).fetchall()
    return {fact_id for (fact_id,) in rows}


async def page(
    conn: AsyncConnection[Any],
    numbers: Collection[int],
    after: Place,
    limit: int,
    *,
    kinds: Collection[int] = (),
    superseded: bool = False,
) -> tuple[list[RecordedFact], Place | None]:
    """At most `limit` entries behind a place, in the order of reading, and the place of the last if more follow."""
    asked = after._asdict() | {
        "numbers": list(numbers),
        "kinds": list(kinds),
        "superseded": superseded,
        "limit": limit + 1,
        "bytes": PAGE_BYTES,
    }
    rows = await (await conn.execute(_PAGE, asked)).fetchall()
    kept = rows[:limit]
    last = Place(*kept[-1][:3]) if kept and kept[-1][4] > len(kept) else None
    return [RecordedFact.FromString(row[3]) for row in kept], last


async def _write(conn: AsyncConnection[Any], made: Iterable[tuple[Any, ...]], instead_of: Collection[int]) -> None:
    if instead_of:
        await conn.execute(_FORGET, (list(instead_of),))
    async with conn.cursor() as cursor, cursor.copy(_ADD) as copy:
        copy.set_types(_TYPES)
        for row in made:
            await copy.write_row(row)


def _rows(number: int, cluster: int | None, statements: Sequence[StatedFact]) -> list[tuple[Any, ...]]:
    return [_row(number, cluster, entry) for entry in fates(statements)]


def _row(number: int, cluster: int | None, entry: Entry) -> tuple[Any, ...]:
    fact = entry.fact
    return (
        number,
        *place(entry),
        cluster,
        fact.kind,
        f"{fact.code.system}|{fact.code.code}",
        entry.since,
        entry.stands,
        entry.recorded().SerializeToString(deterministic=True),
    )


def place(entry: Entry) -> Place:
    """Where the entry stands in the order of reading."""
    return Place(*timeline.reading_order(entry))
