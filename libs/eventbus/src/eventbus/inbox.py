"""Exactly one effect per event, in PostgreSQL.

`once` runs an effect in the same transaction as the inbox row that marks it done and the outbox rows that say
what to publish. Redelivered, the event has no effect and gives the recorded events again.
`stage` does the same for a command (an RPC), whose events the outbox publishes.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.topics import TOPICS, Topic
from psycopg import AsyncConnection

from eventbus.events import Event, Outgoing

_TOPICS: dict[str, Topic[Any]] = {topic.name: topic for topic in TOPICS}

# In one order, so that two batches never wait for each other.
_CLAIM = """INSERT INTO inbox (consumer, event_id) SELECT %s, id FROM unnest(%b::uuid[]) AS id ORDER BY id
    ON CONFLICT DO NOTHING RETURNING event_id::text"""
_STAGE = """INSERT INTO outbox
    (consumer, cause_id, position, topic, event_id, key, payload, occurred_at, causation_id, published_at)
    SELECT %s, * FROM unnest(%b::uuid[], %b::int[], %b::text[], %b::uuid[], %b::bytea[], %b::bytea[],
                             %b::timestamptz[], %b::text[], %b::timestamptz[])"""
_RECORDED = """SELECT cause_id::text, topic, event_id, key, payload, occurred_at, causation_id FROM outbox
    WHERE consumer = %s AND cause_id = ANY(%b::uuid[]) ORDER BY cause_id, position"""
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

    async def alone(_: Sequence[Event[Any]]) -> Sequence[Sequence[Outgoing]]:
        return [await effect()]

    (outgoing,) = await once_each(conn, [event], alone, consumer=consumer)
    return outgoing


async def once_each(
    conn: AsyncConnection[Any],
    events: Sequence[Event[Any]],
    effect: Callable[[Sequence[Event[Any]]], Awaitable[Sequence[Sequence[Outgoing]]]],
    *,
    consumer: str = "",
) -> Sequence[Sequence[Outgoing]]:
    """Run `effect` once for those of the events of one topic that never had it, all in one transaction.

    It gets them in order and returns what each is followed by. What is to be published is returned for every event.
    """
    name = f"{consumer}:{events[0].topic.name}"
    by_id = {event.id: event for event in events}
    async with conn.transaction():
        claimed = await (await conn.execute(_CLAIM, (name, list(by_id)))).fetchall()
        new_ids = {id_ for (id_,) in claimed}
        new = [event for id_, event in by_id.items() if id_ in new_ids]
        caused: dict[str, Sequence[Outgoing]] = {}
        if new:
            caused = dict(zip((event.id for event in new), await effect(new), strict=True))
            await _write(conn, name, caused, {event.id: event.time for event in new})
        if known := by_id.keys() - new_ids:
            caused |= await _recorded(conn, name, known)
    return [caused[event.id] for event in events]


async def stage(conn: AsyncConnection[Any], cause_id: str, outgoing: Sequence[Outgoing]) -> None:
    """Record a command's events inside the caller's transaction; `unpublished` finds them until `mark_published`."""
    await _write(conn, "command", {cause_id: outgoing}, {})


async def unpublished(conn: AsyncConnection[Any], limit: int) -> dict[str, Sequence[Outgoing]]:
    """Staged events that are not known to be published, by cause id, of the oldest causes."""
    causes = await (await conn.execute(_UNPUBLISHED, (limit,))).fetchall()
    return {cause: (await _recorded(conn, consumer, [cause]))[cause] for consumer, cause in causes}


async def mark_published(conn: AsyncConnection[Any], cause_id: str) -> None:
    """Call after the broker acknowledged every event of the cause."""
    await conn.execute(_PUBLISHED, ("command", cause_id))


async def _write(
    conn: AsyncConnection[Any],
    consumer: str,
    caused: Mapping[str, Sequence[Outgoing]],
    published_at: Mapping[str, datetime],
) -> None:
    rows = [
        (cause_id, n, o.topic.name, o.id, o.key, o.value(), o.time, o.causation_id, published_at.get(cause_id))
        for cause_id, outgoing in caused.items()
        for n, o in enumerate(outgoing)
    ]
    if rows:
        await conn.execute(_STAGE, (consumer, *map(list, zip(*rows, strict=True))))


async def _recorded(
    conn: AsyncConnection[Any], consumer: str, cause_ids: Collection[str]
) -> dict[str, Sequence[Outgoing]]:
    """What follows from each cause."""
    caused: dict[str, list[Outgoing]] = {cause_id: [] for cause_id in cause_ids}
    rows = await (await conn.execute(_RECORDED, (consumer, list(cause_ids)))).fetchall()
    for cause_id, topic, id_, key, payload, time, causation_id in rows:
        message = _TOPICS[topic].payload.FromString(payload)
        caused[cause_id].append(Outgoing(_TOPICS[topic], str(id_), bytes(key), message, time, causation_id))
    return dict(caused)
