"""What the vector index owes: written with the text, deleted when the index has it.

A point is owed its words, its meaning or both. Words come first: they wait for no embedder.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

# Each point of one owner stands 50 ms behind the one before it.
_ADD = """INSERT INTO index_queue (collection, point_id, text, payload, identifier_no, words, turn)
    SELECT collection, point_id, text, payload, identifier_no, words, clock_timestamp() + interval '50 milliseconds' * (
        row_number() OVER (PARTITION BY identifier_no ORDER BY n)
        + (SELECT count(*) FROM index_queue q WHERE q.identifier_no = owed.identifier_no))
    FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::jsonb[], %s::bigint[], %s::boolean[])
        WITH ORDINALITY AS owed(collection, point_id, text, payload, identifier_no, words, n)
    ON CONFLICT (collection, point_id) DO UPDATE
    SET text = excluded.text, payload = excluded.payload, turn = excluded.turn, attempts = 0,
        words = excluded.words, meaning = true, due_at = clock_timestamp()"""
_TAKE = """SELECT collection, point_id::text, text, payload, identifier_no, words FROM index_queue
    WHERE meaning AND NOT words AND due_at <= clock_timestamp() ORDER BY turn LIMIT %s FOR UPDATE SKIP LOCKED"""
_TAKE_WORDS = """SELECT collection, point_id::text, text, payload, identifier_no, words FROM index_queue
    WHERE words ORDER BY turn LIMIT %s FOR UPDATE SKIP LOCKED"""
_NO_WORDS = """UPDATE index_queue SET words = false
    FROM unnest(%s::text[], %s::uuid[]) AS has(of_collection, of_point)
    WHERE collection = of_collection AND point_id = of_point"""
_NOTHING = """DELETE FROM index_queue USING unnest(%s::text[], %s::uuid[]) AS has(of_collection, of_point)
    WHERE collection = of_collection AND point_id = of_point AND NOT meaning"""
_DONE = "DELETE FROM index_queue WHERE collection = %s AND point_id = %s"
_PARTS = """SELECT count(*) FILTER (WHERE meaning), count(*) FILTER (WHERE words)
    FROM index_queue WHERE collection = %s"""
# Twice the wait after each refusal, from two seconds to an hour.
_POSTPONE = """UPDATE index_queue SET attempts = attempts + 1,
    due_at = clock_timestamp() + least(interval '1 hour', interval '2 seconds' * power(2, least(attempts, 12)))
    WHERE collection = %s AND point_id = %s"""


class Owed(NamedTuple):
    """One point the index does not have yet."""

    collection: str
    point_id: str
    text: str
    payload: Mapping[str, int | str]
    # Whose it is: nobody waits for all of another's.
    identifier_no: int = 0
    words: bool = False


class PartsOwed(NamedTuple):
    meaning: int
    words: int


async def add(conn: AsyncConnection[Any], owed: Iterable[Owed]) -> None:
    rows = [(*one[:3], Jsonb(one.payload), *one[4:]) for one in owed]
    if rows:
        await conn.execute(_ADD, tuple(map(list, zip(*rows, strict=True))))


async def take(conn: AsyncConnection[Any], limit: int) -> list[Owed]:
    """The points whose meaning is due, locked until the transaction ends; other replicas pass them over."""
    rows = await (await conn.execute(_TAKE, (limit,))).fetchall()
    return [Owed(*row) for row in rows]


async def take_wordless(conn: AsyncConnection[Any], limit: int) -> list[Owed]:
    """The points that are owed their words, locked like those."""
    rows = await (await conn.execute(_TAKE_WORDS, (limit,))).fetchall()
    return [Owed(*row) for row in rows]


async def worded(conn: AsyncConnection[Any], owed: Sequence[Owed]) -> None:
    """The index has the words of these points."""
    which = ([one.collection for one in owed], [one.point_id for one in owed])
    await conn.execute(_NOTHING, which)
    await conn.execute(_NO_WORDS, which)


async def done(conn: AsyncConnection[Any], owed: Sequence[Owed]) -> None:
    async with conn.cursor() as cursor:
        await cursor.executemany(_DONE, [one[:2] for one in owed])


async def postpone(conn: AsyncConnection[Any], one: Owed) -> None:
    """Try this point again later: it was refused, the others need not wait for it."""
    await conn.execute(_POSTPONE, one[:2])


async def owed_to(conn: AsyncConnection[Any], collection: str) -> int:
    """How many points one collection is owed."""
    query = "SELECT count(*) FROM index_queue WHERE collection = %s"
    row = await (await conn.execute(query, (collection,))).fetchone()
    return int(row[0]) if row else 0


async def parts_owed(conn: AsyncConnection[Any], collection: str) -> PartsOwed:
    """How many points of one collection are owed their meaning, and how many their words."""
    query = (
        "SELECT count(*) FILTER (WHERE meaning), count(*) FILTER (WHERE words) FROM index_queue WHERE collection = %s"
    )
    row = await (await conn.execute(query, (collection,))).fetchone()
    return PartsOwed(*row) if row else PartsOwed(0, 0)


async def length(conn: AsyncConnection[Any]) -> dict[str, int]:
    """How many points each collection is owed, in part or whole."""
    rows = await (await conn.execute("SELECT collection, count(*) FROM index_queue GROUP BY collection")).fetchall()
    return dict(rows)
