"""Exactly one effect per event, in PostgreSQL.

`once` runs an effect in the same transaction as the inbox row that marks it done and the outbox rows that say
what to publish. Redelivered, the event has no effect and gives the recorded events again.
`stage` does the same for a command (an RPC), whose events the outbox publishes.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from contracts.topics import TOPICS, Topic
from psycopg import AsyncConnection

from eventbus.events import Event, Outgoing

_TOPICS: dict[str, Topic[Any]] = {topic.name: topic for topic in TOPICS}

_CLAIM = "INSERT INTO inbox (consumer, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING event_id"
_STAGE = """INSERT INTO outbox
    (consumer, cause_id, position, topic, event_id, key, payload, occurred_at, causation_id, published_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_RECORDED = """SELECT topic, event_id, key, payload, occurred_at, causation_id FROM outbox
    WHERE consumer = %s AND cause_id = %s ORDER BY position"""
_UNPUBLISHED = """SELECT consumer, cause_id::text FROM outbox WHERE published_at IS NULL
    GROUP BY consumer, cause_id ORDER BY min(occurred_at) LIMIT %s"""
_PUBLISHED = """UPDATE outbox SET published_at = clock_timestamp() WHERE consumer = %s AND cause_id = %s"""


async def once(
    conn: AsyncConnection[Any],
    event: Event[Any],
    effect: Callable[[], Awaitable[Sequence[Outgoing]]],
    *,
    consumer: str = "",
) -> Sequence[Outgoing]:
    """Run `effect` exactly once for `event`; return what is to be published, the same on every delivery.

    `consumer` tells apart several handlers of one topic in one service.
    """
    name = f"{consumer}:{event.topic.name}"
    async with conn.transaction():
        if await (await conn.execute(_CLAIM, (name, event.id))).fetchone() is None:
            return await _recorded(conn, name, event.id)
        outgoing = await effect()
        await _write(conn, name, event.id, outgoing, published_at=event.time)
        return outgoing


async def stage(conn: AsyncConnection[Any], cause_id: str, outgoing: Sequence[Outgoing]) -> None:
    """Record a command's events inside the caller's transaction; `unpublished` finds them until `mark_published`."""
    await _write(conn, "command", cause_id, outgoing, published_at=None)


async def unpublished(conn: AsyncConnection[Any], limit: int) -> dict[str, Sequence[Outgoing]]:
    """Staged events that are not known to be published, by cause id, of the oldest causes."""
    causes = await (await conn.execute(_UNPUBLISHED, (limit,))).fetchall()
    return {cause: await _recorded(conn, consumer, cause) for consumer, cause in causes}


async def mark_published(conn: AsyncConnection[Any], cause_id: str) -> None:
    """Call after the broker acknowledged every event of the cause."""
    await conn.execute(_PUBLISHED, ("command", cause_id))


async def _write(
    conn: AsyncConnection[Any],
    consumer: str,
    cause_id: str,
    outgoing: Sequence[Outgoing],
    published_at: datetime | None,
) -> None:
    rows = [
        (consumer, cause_id, n, o.topic.name, o.id, o.key, o.value(), o.time, o.causation_id, published_at)
        for n, o in enumerate(outgoing)
    ]
    if rows:
        async with conn.cursor() as cursor:
            await cursor.executemany(_STAGE, rows)


async def _recorded(conn: AsyncConnection[Any], consumer: str, cause_id: str) -> Sequence[Outgoing]:
    rows = await (await conn.execute(_RECORDED, (consumer, cause_id))).fetchall()
    return [
        Outgoing(_TOPICS[topic], str(id_), bytes(key), _TOPICS[topic].payload.FromString(payload), time, causation_id)
        for topic, id_, key, payload, time, causation_id in rows
    ]
