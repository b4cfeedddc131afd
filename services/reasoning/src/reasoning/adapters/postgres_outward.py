"""States of concerns that another system is to be told, and what it took of each (schema `reasoning`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventbus import Outgoing
from longitude.reasoning.v1.concern_pb2 import Concern
from psycopg import AsyncConnection

Connection = AsyncConnection[Any]

_QUEUE = "INSERT INTO concern_message (event_id, concern, at) VALUES (%s, %s, %s) ON CONFLICT (event_id) DO NOTHING"
# One at a time, whichever replica sends it: the lock ends with the transaction, or with the process.
_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('outward'))"
_FIRST = """SELECT number, event_id::text, concern, at, attempts FROM concern_message
    WHERE refused IS NULL ORDER BY number LIMIT 1"""
_DONE = "DELETE FROM concern_message WHERE number = %s"
_NOT_TAKEN = "UPDATE concern_message SET attempts = attempts + 1 WHERE number = %s"
_REFUSED = "UPDATE concern_message SET refused = %s, refused_at = clock_timestamp() WHERE number = %s"
_LAST = "SELECT revision FROM concern_told WHERE concern_id = %s"
_TOLD = """INSERT INTO concern_told (concern_id, revision) VALUES (%s, %s)
    ON CONFLICT (concern_id) DO UPDATE SET revision = excluded.revision"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A state and its event. `attempts`: how often it was answered, and not taken."""

    number: int
    event_id: str
    concern: Concern
    at: datetime
    attempts: int


async def queue(conn: Connection, events: Sequence[Outgoing]) -> None:
    """Events of new states (`announcements.changed_events`); inside the transaction that keeps them."""
    for each in events:
        concern: Concern = each.payload.concern  # type: ignore[attr-defined]
        await conn.execute(_QUEUE, (each.id, concern.SerializeToString(deterministic=True), each.time))


async def first(conn: Connection) -> Waiting | None:
    """The one that waits the longest; this transaction's until that ends. None also where somebody else sends."""
    turn = await (await conn.execute(_TURN)).fetchone()
    row = await (await conn.execute(_FIRST)).fetchone() if turn and turn[0] else None
    return Waiting(row[0], row[1], Concern.FromString(row[2]), row[3], row[4]) if row else None


async def last(conn: Connection, concern_id: str) -> int:
    """The revision that was taken last, 0 for none."""
    row = await (await conn.execute(_LAST, (concern_id,))).fetchone()
    return int(row[0]) if row else 0


async def done(conn: Connection, waiting: Waiting, *, taken: bool) -> None:
    """It need not be sent any more."""
    await conn.execute(_DONE, (waiting.number,))
    if taken:
        await conn.execute(_TOLD, (waiting.concern.concern_id, waiting.concern.revision))


async def not_taken(conn: Connection, waiting: Waiting) -> None:
    """It was answered, and is to be sent again."""
    await conn.execute(_NOT_TAKEN, (waiting.number,))


async def refuse(conn: Connection, waiting: Waiting, reason: str) -> None:
    """It is kept as a dead letter."""
    await conn.execute(_REFUSED, (reason, waiting.number))
