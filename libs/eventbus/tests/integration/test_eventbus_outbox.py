"""`stage` and the outbox on a real PostgreSQL, cut off where it hurts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from contracts.errors import PermanentError, UnavailableError
from contracts.identifiers import event_id
from contracts.topics import RECORD_UPDATED
from eventbus import Outbox, Outgoing, stage
from eventbus.inbox import unpublished
from eventbus.outbox import BATCH, SWEEP_SECONDS
from longitude.memory.v1.events_pb2 import RecordUpdated
from servicekit import migrate
from servicekit.postgres import Pool, open_pool
from testkit import FaultProxy

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class Broker:
    """What was published; it is away while `away` says so of an event."""

    def __init__(self, away: Callable[[Outgoing], bool] = lambda _: False) -> None:
        self.published: list[str] = []
        self.away = away

    async def publish(self, outgoing: Outgoing) -> None:
        await asyncio.sleep(0)
        if self.away(outgoing):
            raise UnavailableError("the broker is away")
        self.published.append(outgoing.id)


def follows(command: int, position: int = 0) -> Outgoing:
    at = AT + timedelta(seconds=command)
    return Outgoing(RECORD_UPDATED, event_id("follows", str(command), str(position)), b"k", RecordUpdated(), at)


async def staged(pool: Pool, command: int, events: int = 1) -> list[str]:
    outgoing = [follows(command, position) for position in range(events)]
    async with pool.connection() as conn, conn.transaction():
        await stage(conn, event_id("command", str(command)), outgoing)
    return [each.id for each in outgoing]


async def waiting(pool: Pool) -> list[str]:
    async with pool.connection() as conn:
        return [each.id for events in (await unpublished(conn, BATCH)).values() for each in events]


@pytest.fixture
def dsn(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    migrate(dsn, "outbox_test", "eventbus")
    async with open_pool(dsn, "outbox_test") as opened:
        yield opened


async def test_what_was_staged_is_published_once_the_oldest_first_and_in_order_within_a_command(pool: Pool) -> None:
    newer, older = await staged(pool, 2, events=3), await staged(pool, 1, events=2)
    broker = Broker()
    outbox = Outbox(pool.connection, broker.publish)
    assert [await outbox.sweep(), await outbox.sweep()] == [2, 0]
    assert broker.published == [*older, *newer]


async def test_events_of_a_command_go_together_in_order_and_one_that_kafka_never_takes_holds_up_nothing(
    pool: Pool,
) -> None:
    many, one = await staged(pool, 1, events=3), await staged(pool, 2, events=1)
    broker, batches = Broker(), []

    async def together(outgoing: Sequence[Outgoing]) -> None:
        batches.append([each.id for each in outgoing])
        if len(batches) > 1:
            raise PermanentError("record-too-large")
        for each in outgoing:
            await broker.publish(each)

    outbox = Outbox(pool.connection, broker.publish, together)
    await outbox.sweep()
    assert (batches, broker.published) == ([many], [*many, *one])
    spoilt = await staged(pool, 3, events=2)
    await outbox.sweep()
    assert (batches[1:], broker.published[4:]) == ([spoilt], spoilt)


async def test_a_command_that_fails_stages_nothing(pool: Pool) -> None:
    with suppress(ZeroDivisionError):
        async with pool.connection() as conn, conn.transaction():
            await stage(conn, event_id("command", "1"), [follows(1)])
            raise ZeroDivisionError
    assert await waiting(pool) == []


async def test_an_error_in_the_middle_keeps_what_is_out_and_the_rest_comes_later_in_order(pool: Pool) -> None:
    first, second, third = await staged(pool, 1), await staged(pool, 2), await staged(pool, 3)
    broker = Broker(lambda outgoing: outgoing.id == second[0])
    with pytest.raises(UnavailableError):
        await Outbox(pool.connection, broker.publish).sweep()
    assert await waiting(pool) == [*second, *third]
    # Another replica, or the next life of this one, is not held up by the lock of the one that failed.
    other = Broker()
    async with asyncio.timeout(5):
        await Outbox(pool.connection, other.publish).sweep()
    assert [*broker.published, *other.published] == [*first, *second, *third]


async def test_replicas_that_sweep_at_the_same_time_publish_each_event_once(pool: Pool) -> None:
    ids = [one for command in range(20) for one in await staged(pool, command)]
    broker = Broker()
    await asyncio.gather(*(Outbox(pool.connection, broker.publish).sweep() for _ in range(3)))
    assert broker.published == ids


async def test_the_outbox_waits_for_the_broker_and_for_postgres_and_then_goes_on(pool: Pool, dsn: str) -> None:
    server = dsn.rpartition("@")[2].partition("/")[0]
    (first,) = await staged(pool, 1)
    broker = Broker(lambda _: True)
    async with FaultProxy(server) as proxy, open_pool(dsn.replace(server, proxy.endpoint), "outbox_test") as through:
        outbox = Outbox(through.connection, broker.publish)
        running = asyncio.create_task(outbox.run())
        await asyncio.sleep(0.5)
        assert broker.published == []
        broker.away = lambda _: False
        await until(lambda: broker.published == [first])
        await proxy.refuse()
        (second,) = await staged(pool, 2)
        outbox.flush()
        await asyncio.sleep(0.5)
        assert broker.published == [first]
        proxy.forward()
        await until(lambda: second in broker.published)
        running.cancel()


async def test_a_sweep_finds_what_nobody_flushed(pool: Pool) -> None:
    broker = Broker()
    running = asyncio.create_task(Outbox(pool.connection, broker.publish).run())
    await asyncio.sleep(0.2)
    (left,) = await staged(pool, 1)
    await until(lambda: broker.published == [left], SWEEP_SECONDS + 3)
    running.cancel()


async def until(condition: Callable[[], bool], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)
