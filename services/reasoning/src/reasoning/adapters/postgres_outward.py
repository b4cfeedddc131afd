"""States of concerns that another system is to be told, and what it took of each (schema `reasoning`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
# Concerns that the receiver may have to be told of, by their ids; of so many that are looked through at a time.
_BEHIND = """SELECT concern_id::text, concern, is_open AND urgency <= %(least)s OR revision IS NOT NULL,
        coalesce(revision, 0), ARRAY(SELECT revision FROM concern_act AS act WHERE act.concern_id = looked.concern_id)
    FROM (SELECT * FROM concern WHERE concern_id > %(after)s ORDER BY concern_id LIMIT %(most)s) AS looked
    LEFT JOIN concern_told AS told USING (concern_id) ORDER BY concern_id"""


@dataclass(frozen=True, slots=True)
class State:
    """A concern as it was from a time on, and the event of that."""

    event_id: str
    concern: Concern
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting(State):
    """`attempts`: how often it was answered, and not taken."""

    number: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Known:
    """A concern as it is. `sent`: the revision that was taken last, 0 for none; `acted`: revisions that are acts."""

    concern: Concern
    sent: int
    acted: Sequence[int]


async def queue(conn: Connection, states: Iterable[State]) -> None:
    """States that are to be told, each once; of new ones inside the transaction that keeps them."""
    for each in states:
        await conn.execute(_QUEUE, (each.event_id, each.concern.SerializeToString(deterministic=True), each.at))


async def turn(conn: Connection) -> bool:
    """Whether it is this transaction that tells until it ends, and nobody else."""
    row = await (await conn.execute(_TURN)).fetchone()
    return bool(row and row[0])


async def first(conn: Connection) -> Waiting | None:
    """The one that waits the longest."""
    row = await (await conn.execute(_FIRST)).fetchone()
    return Waiting(row[1], Concern.FromString(row[2]), row[3], row[0], row[4]) if row else None


async def known(conn: Connection, after: str, least: int, most: int) -> tuple[list[Known], str | None]:
    """Of the next `most` concerns by id those that are open and urgent enough, or were told; and behind which to go on,
    None at the end.
    """
    rows = await (await conn.execute(_BEHIND, {"after": after, "least": least, "most": most})).fetchall()
    listed = [Known(Concern.FromString(row[1]), row[3], row[4]) for row in rows if row[2]]
    return listed, rows[-1][0] if len(rows) == most else None


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
