"""Editions of the record, each in tables of its own: what a name means is decided by the search_path.

The current edition stands in the schema of the service, so that nothing that reads or writes it knows of others. One
that is made, or that was current once, stands in `memory_edition_N`. The tables are exchanged in one transaction.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

from contracts.topics import MESSAGE_RECEIVED
from longitude.record.v1.fact_pb2 import ClinicalFact
from psycopg import AsyncConnection, sql

from memory.adapters.postgres import entries
from memory.domain.identity import Identifier, Link
from memory.domain.updates import Update

_SCHEMA = sql.Identifier("memory")
# Rows that one fetch brings of what is carried over.
_FETCH = 1_000

_OF_REREADING = "SELECT edition, current_from FROM edition WHERE rereading_id = %s"
# What is done to tables as such is done by functions of their owner.
_BEGIN = "SELECT begin_edition(%s)"
_STOP_ALL = "SELECT stop_all()"
_EXCHANGE = "SELECT exchange_edition(%s)"
_COUNT = "UPDATE edition SET messages = messages + %s, refused = refused + %s WHERE edition = %s"
_TOTAL = "UPDATE edition SET total = %s WHERE edition = %s"
_WHOLE = "SELECT edition FROM edition WHERE current_from IS NULL AND messages = total ORDER BY edition LIMIT 1"
_ALL = "SELECT edition, rereading_id, messages, refused, current_from FROM edition ORDER BY edition"
_LOCKED = "SELECT edition, rereading_id, messages, refused, current_from FROM edition WHERE edition = %s FOR UPDATE"
_CURRENT = "SELECT edition FROM edition WHERE current_from <= %s ORDER BY current_from DESC LIMIT 1"
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('memory:editions'))"
_MARK = "INSERT INTO reread (event_id, carried) SELECT id, %s FROM unnest(%s::text[]) AS id ON CONFLICT DO NOTHING"
# In one order, as the inbox's own claims: neither waits for the other in a circle.
_CLAIM = """INSERT INTO inbox (consumer, event_id) SELECT %s, event_id::uuid AS id FROM {made}.reread
    WHERE NOT carried ORDER BY id ON CONFLICT DO NOTHING"""
_LEFT = """SELECT event_id, payload, stated_at, received_at FROM {current}.fact
    WHERE NOT EXISTS (SELECT FROM {made}.reread WHERE reread.event_id = fact.event_id) ORDER BY event_id, ordinal"""
_LEFT_LINKS = """SELECT l.event_id, l.stated_at, l.received_at, s.authority, s.id, m.authority, m.id, l.removed
    FROM {current}.identity_link l JOIN identifier s ON s.identifier_no = surviving_no
    JOIN identifier m ON m.identifier_no = merged_no
    WHERE NOT EXISTS (SELECT FROM {made}.reread WHERE reread.event_id = l.event_id) ORDER BY l.event_id, l.ordinal"""


class Edition(NamedTuple):
    """One edition that a rereading made or makes."""

    number: int
    rereading_id: str
    messages: int
    refused: int
    current_from: datetime | None


class Exchanged(NamedTuple):
    """An edition that has just become current."""

    current_from: datetime
    facts_before: int
    facts_after: int


async def making(conn: AsyncConnection[Any], rereading_id: str) -> int | None:
    """The edition that a rereading makes, begun with its first event; None when it is made."""
    if (known := await _of_rereading(conn, rereading_id)) is None:
        await conn.execute(_LOCK)
        if (known := await _of_rereading(conn, rereading_id)) is None:
            known = await _begin(conn, rereading_id), None
    number, current_from = known
    return number if current_from is None else None


async def count(conn: AsyncConnection[Any], number: int, messages: int, refused: int) -> None:
    """So many messages more are recorded in an edition. The last act of a transaction: others wait for the row."""
    await conn.execute(_COUNT, (messages, refused, number))


async def expect(conn: AsyncConnection[Any], number: int, messages: int) -> None:
    """So many messages make an edition whole."""
    await conn.execute(_TOTAL, (messages, number))


async def whole(conn: AsyncConnection[Any]) -> int | None:
    """An edition in which every message is recorded and that is not current yet."""
    row = await (await conn.execute(_WHOLE)).fetchone()
    return None if row is None else int(row[0])


async def locked(conn: AsyncConnection[Any], number: int) -> Edition:
    """An edition, whose row nobody else changes until this transaction ends."""
    row = await (await conn.execute(_LOCKED, (number,))).fetchone()
    assert row is not None
    return Edition(*row)


async def all_of(conn: AsyncConnection[Any]) -> list[Edition]:
    """Every edition but the first."""
    return [Edition(*row) for row in await (await conn.execute(_ALL)).fetchall()]


async def current(conn: AsyncConnection[Any], at: datetime | str = "infinity") -> int:
    """The edition that was current at a time."""
    row = await (await conn.execute(_CURRENT, (at,))).fetchone()
    return 0 if row is None else int(row[0])


async def as_of(conn: AsyncConnection[Any], known_at: datetime) -> None:
    """Let the names of this transaction mean the edition that was current at a time."""
    if (number := await current(conn, known_at)) != await current(conn):
        await _mean(conn, _place(number), _SCHEMA)


@asynccontextmanager
async def entered(conn: AsyncConnection[Any], number: int) -> AsyncIterator[None]:
    """While inside, the names of this transaction mean an edition that is made. An error ends the transaction."""
    await _mean(conn, _place(number), _SCHEMA)
    yield
    await _mean(conn, _SCHEMA)


async def mark(conn: AsyncConnection[Any], event_ids: Collection[str], *, carried: bool) -> None:
    """These events are recorded in the edition that is entered."""
    await conn.execute(_MARK, (carried, list(event_ids)))


async def left(conn: AsyncConnection[Any], number: int) -> AsyncIterator[tuple[str, Update]]:
    """The events of the current edition that are in the one that is made neither read again nor carried over."""
    links = await _links_left(conn, number)
    query = sql.SQL(_LEFT).format(current=_SCHEMA, made=_place(number))
    async with conn.cursor(name="left") as cursor:
        cursor.itersize = _FETCH
        await cursor.execute(query)
        event_id, rows = "", list[Any]()
        async for row in cursor:
            if row[0] != event_id and rows:
                yield event_id, _update(rows, links.pop(event_id, []))
                rows = []
            event_id = row[0]
            rows.append(row)
        if rows:
            yield event_id, _update(rows, links.pop(event_id, []))
    for event_id, of_event in links.items():
        yield event_id, _update([], of_event)


async def claim(conn: AsyncConnection[Any], number: int) -> None:
    """What was read again is known to the inbox: a message that comes late brings no older reading."""
    consumer = f":{MESSAGE_RECEIVED.name}"
    await conn.execute(sql.SQL(_CLAIM).format(made=_place(number)), (consumer,))


async def stop_all(conn: AsyncConnection[Any]) -> None:
    """Nobody else reads or writes the current edition until this transaction ends."""
    await conn.execute(_STOP_ALL)


async def exchange(conn: AsyncConnection[Any], number: int) -> Exchanged:
    """Make an edition current. The caller has stopped all."""
    before, after = await _facts(conn, _SCHEMA), await _facts(conn, _place(number))
    row = await (await conn.execute(_EXCHANGE, (number,))).fetchone()
    assert row is not None
    return Exchanged(row[0], before, after)


async def keep_up(conn: AsyncConnection[Any]) -> None:
    """Bring what is derived in the current edition, and in each that is made, to the rules of this version."""
    await entries.keep_up(conn)
    now = await current(conn)
    made = await all_of(conn)
    made_now = {each.number for each in made if each.current_from is None}
    for number in {0, *(each.number for each in made)} - {now}:
        async with conn.transaction(), entered(conn, number):
            await (entries.keep_up(conn) if number in made_now else entries.label(conn))


async def _of_rereading(conn: AsyncConnection[Any], rereading_id: str) -> tuple[int, datetime | None] | None:
    return await (await conn.execute(_OF_REREADING, (rereading_id,))).fetchone()


async def _begin(conn: AsyncConnection[Any], rereading_id: str) -> int:
    row = await (await conn.execute(_BEGIN, (rereading_id,))).fetchone()
    assert row is not None
    number = int(row[0])
    async with entered(conn, number):
        await entries.keep_up(conn)
    return number


async def _links_left(conn: AsyncConnection[Any], number: int) -> dict[str, list[Any]]:
    query = sql.SQL(_LEFT_LINKS).format(current=_SCHEMA, made=_place(number))
    links: dict[str, list[Any]] = {}
    for row in await (await conn.execute(query)).fetchall():
        links.setdefault(row[0], []).append(row)
    return links


def _update(facts: Iterable[Any], links: Iterable[Any]) -> Update:
    """An event as it was recorded. Its texts lie outside the editions."""
    facts, links = list(facts), list(links)
    stated_at, received_at = facts[0][2:4] if facts else links[0][1:3]
    stated = tuple(ClinicalFact.FromString(row[1]) for row in facts)
    linked = tuple(Link(Identifier(*row[3:5]), Identifier(*row[5:7]), row[7]) for row in links)
    patient = Identifier.of(stated[0].patient) if stated else linked[0].surviving
    return Update(patient, stated_at, received_at, stated, linked)


async def _facts(conn: AsyncConnection[Any], place: sql.Identifier) -> int:
    row = await (await conn.execute(sql.SQL("SELECT count(*) FROM {}.fact").format(place))).fetchone()
    return int(row[0]) if row else 0


async def _mean(conn: AsyncConnection[Any], *places: sql.Identifier) -> None:
    await conn.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.SQL(", ").join(places)))


def _place(number: int) -> sql.Identifier:
    return sql.Identifier(f"memory_edition_{number}")
