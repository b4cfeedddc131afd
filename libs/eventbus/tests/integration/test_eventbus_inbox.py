"""`once` on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from contracts.identifiers import event_id
from contracts.topics import MESSAGE_RECEIVED, RECORD_UPDATED
from eventbus import Event, Outgoing, once, once_each
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.memory.v1.events_pb2 import RecordUpdated
from psycopg import AsyncConnection
from servicekit import migrate
from servicekit.postgres import open_pool

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def received(number: int) -> Event[MessageReceived]:
    return Event(event_id("n", str(number)), MESSAGE_RECEIVED, b"k", MessageReceived(), "", AT, 0, number, b"", {})


def follows(event: Event[Any]) -> Outgoing:
    payload = RecordUpdated(fact_ids=["f"])
    return Outgoing.caused_by(event, RECORD_UPDATED, payload, id=event_id("updated", event.id))


async def prepared(dsn: str) -> str:
    migrate(dsn, "inbox_test", "eventbus")
    async with await AsyncConnection.connect(dsn) as conn:
        await conn.execute("CREATE TABLE IF NOT EXISTS inbox_test.effect (event_id text)")
    return dsn


async def effects(conn: AsyncConnection[Any], event: Event[Any]) -> int:
    row = await (await conn.execute("SELECT count(*) FROM effect WHERE event_id = %s", (event.id,))).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_redelivered_event_has_one_effect_and_publishes_the_same_again(postgres: str) -> None:
    event = received(1)
    async with open_pool(await prepared(postgres), "inbox_test") as pool, pool.connection() as conn:

        async def effect() -> Sequence[Outgoing]:
            await conn.execute("INSERT INTO effect VALUES (%s)", (event.id,))
            return [follows(event)]

        first = await once(conn, event, effect)
        second = await once(conn, event, effect)
        assert await effects(conn, event) == 1
    assert list(first) == list(second) == [follows(event)]


async def test_a_failed_effect_leaves_no_trace_and_may_be_tried_again(postgres: str) -> None:
    event = received(2)
    async with open_pool(await prepared(postgres), "inbox_test") as pool, pool.connection() as conn:

        async def broken() -> Sequence[Outgoing]:
            await conn.execute("INSERT INTO effect VALUES (%s)", (event.id,))
            raise ZeroDivisionError

        async def whole() -> Sequence[Outgoing]:
            await conn.execute("INSERT INTO effect VALUES (%s)", (event.id,))
            return []

        with pytest.raises(ZeroDivisionError):
            await once(conn, event, broken)
        assert await effects(conn, event) == 0
        await once(conn, event, whole)
        assert await effects(conn, event) == 1


async def test_of_a_batch_each_event_has_one_effect_whatever_came_before(postgres: str) -> None:
    events = [received(number) for number in (10, 11, 12, 11)]
    ran: list[list[str]] = []
    async with open_pool(await prepared(postgres), "inbox_test") as pool, pool.connection() as conn:

        async def effect(new: Sequence[Event[Any]]) -> Sequence[Sequence[Outgoing]]:
            ran.append([event.id for event in new])
            return [[follows(event)] for event in new]

        alone = await once_each(conn, events[1:2], effect)
        whole = await once_each(conn, events, effect)
        again = await once_each(conn, events, effect)
    assert ran == [[events[1].id], [events[0].id, events[2].id]]
    assert [list(each) for each in whole] == [list(each) for each in again] == [[follows(event)] for event in events]
    assert list(alone[0]) == [follows(events[1])]


async def test_a_batch_that_fails_leaves_no_trace(postgres: str) -> None:
    events = [received(number) for number in (20, 21)]
    async with open_pool(await prepared(postgres), "inbox_test") as pool, pool.connection() as conn:

        async def broken(new: Sequence[Event[Any]]) -> Sequence[Sequence[Outgoing]]:
            await conn.execute("INSERT INTO effect VALUES (%s)", (new[0].id,))
            raise ZeroDivisionError

        async def whole(new: Sequence[Event[Any]]) -> Sequence[Sequence[Outgoing]]:
            return [[] for _ in new]

        with pytest.raises(ZeroDivisionError):
            await once_each(conn, events, broken)
        assert await effects(conn, events[0]) == 0
        assert await once_each(conn, events, whole) == [[], []]
