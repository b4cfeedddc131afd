"""What the vector index owes: written with the text, deleted when the index has it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

# Each point of one owner stands 50 ms behind the one before it.
_ADD = """INSERT INTO index_queue (collection, point_id, text, payload, identifier_no, turn)
    SELECT collection, point_id, text, payload, identifier_no, clock_timestamp() + interval '50 milliseconds' * (
        row_number() OVER (PARTITION BY identifier_no ORDER BY n)
        + (SELECT count(*) FROM index_queue q WHERE q.identifier_no = owed.identifier_no))
    FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::jsonb[], %s::bigint[])
        WITH ORDINALITY AS owed(collection, point_id, text, payload, identifier_no, n)
    ON CONFLICT (collection, point_id) DO UPDATE
    SET text = excluded.text, payload = excluded.payload, turn = excluded.turn, attempts = 0,
        due_at = clock_timestamp()"""
_TAKE = """SELECT collection, point_id::text, text, payload, identifier_no FROM index_queue
    WHERE due_at <= clock_timestamp() ORDER BY turn LIMIT %s FOR UPDATE SKIP LOCKED"""
_DONE = "DELETE FROM index_queue WHERE collection = %s AND point_id = %s"
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


async def add(conn: AsyncConnection[Any], owed: Iterable[Owed]) -> None:
    rows = [(*one[:3], Jsonb(one.payload), one.identifier_no) for one in owed]
    if rows:
        await conn.execute(_ADD, tuple(map(list, zip(*rows, strict=True))))


async def take(conn: AsyncConnection[Any], limit: int) -> list[Owed]:
    """The points that are due, locked until the transaction ends; other replicas pass them over."""
    rows = await (await conn.execute(_TAKE, (limit,))).fetchall()
    return [Owed(*row) for row in rows]


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


async def length(conn: AsyncConnection[Any]) -> dict[str, int]:
    """How many points each collection is owed."""
    rows = await (await conn.execute("SELECT collection, count(*) FROM index_queue GROUP BY collection")).fetchall()
    return dict(rows)
