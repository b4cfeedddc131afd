"""A campaign of kills: services of the written path are killed at seeded moments while feeds go on sending.

A process is stopped before it is killed (SIGSTOP, then SIGKILL): what it was doing can be looked at, and not one
instruction of it runs in between. No service knows of it.
"""

import asyncio
import os
import random
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psycopg
from native_stack.control import StackError
from testkit.running import RunningStack

from tests.story import Feed

PARTS = ("kafka", "postgres", "objects", "ingestion", "memory", "auditing")
Database = psycopg.AsyncConnection[tuple[int]]
# What the transaction of a batch, and nothing else in the service, locks rows of.
_BATCH_TABLES = {"memory": "memory.inbox", "auditing": "auditing.tree_head"}
ANY_TIME, IN_A_BATCH, AT_START = "any time", "in a batch", "at start"
# The kill points of one campaign; the seed gives their order and their moments.
DECK = (
    *[("ingestion", ANY_TIME)] * 5,
    *[("ingestion", AT_START)],
    *[("memory", ANY_TIME)] * 3,
    *[("memory", IN_A_BATCH)] * 4,
    *[("memory", AT_START)],
    *[("auditing", ANY_TIME)] * 2,
    *[("auditing", IN_A_BATCH)] * 3,
    *[("auditing", AT_START)],
)
SENDERS, PATIENTS_EACH = 8, 5
# Seconds between two messages of a sender, on average.
PAUSE = 0.02
# Of acknowledged messages, those that are sent once more: the acknowledgement was lost behind the socket.
REPEATED = 0.02
_OPEN_BATCHES = """SELECT count(*) FROM pg_locks WHERE relation = %s::regclass
    AND mode IN ('RowShareLock', 'RowExclusiveLock') AND pid <> pg_backend_pid()"""


@dataclass(frozen=True, slots=True)
class Point:
    """Where to kill: the moment is counted from when the service is ready; at start, from when its process runs."""

    victim: str
    moment: str
    after_s: float
    # From the beginning of a batch, where one is waited for.
    into_s: float
    down_s: float


@dataclass(slots=True)
class Campaign:
    """What was sent and acknowledged, and what the kills met."""

    feed: str
    # By patient, in the order of sending.
    sent: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Messages that are on their way and have no acknowledgement.
    unanswered: int = 0

    @property
    def messages(self) -> int:
        """How many were acknowledged."""
        return sum(map(len, self.sent.values()))


def plan(seed: int) -> list[Point]:
    """The same points for the same seed."""
    chance = random.Random(seed)
    return [
        Point(
            victim,
            moment,
            after_s=chance.uniform(0, 1.5 if moment == AT_START else 2.0),
            into_s=chance.uniform(0, 0.01),
            down_s=chance.choice((0.0, 0.0, 0.5, 1.5)),
        )
        for victim, moment in chance.sample(DECK, len(DECK))
    ]


def message(feed: str, patient: str, number: int) -> bytes:
    """One result of the patient stated again with another value, and one that is new.

    Every message has the same time (MSH-7): only the order of receipt says which statement is the newest.
    """
    return (
        f"MSH|^~\\&|LAB|{feed}|HUB|HUB|20260301103000||ORU^R01^ORU_R01|{patient}-{number}|P|2.5.1\r"
        f"PID|1||{patient}^^^{feed}^MR||Test^Campaign\r"
        f"OBR|1|R{patient}|S{patient}|718-7^Hemoglobin^LN|||20260301\r"
        f"OBX|1|NM|718-7^Hemoglobin^LN||{number}|g/dL|||||C|||20260301\r"
        f"OBR|2|P{patient}-{number}|F{patient}-{number}|2160-0^Creatinine^LN|||20260301\r"
        f"OBX|1|NM|2160-0^Creatinine^LN||0.9|mg/dL|||||F|||20260301\r"
    ).encode()


async def run(stack: RunningStack, seed: int) -> Campaign:
    """Kill at every point of the seed; returns when the last message is acknowledged and every service is ready."""
    campaign, done = Campaign(f"FEED{seed}"), asyncio.Event()
    async with asyncio.TaskGroup() as feeds:
        for number in range(SENDERS):
            feeds.create_task(_send(stack.endpoints["LONGITUDE_MLLP"], campaign, number, seed, done))
        try:
            async with asyncio.TaskGroup() as killers:
                for victim in sorted({victim for victim, _ in DECK}):
                    points = [point for point in plan(seed) if point.victim == victim]
                    killers.create_task(_kill_at(stack, points, campaign))
        finally:
            done.set()
    return campaign


async def _send(endpoint: str, campaign: Campaign, number: int, seed: int, done: asyncio.Event) -> None:
    """A sending application with patients of its own: one message outstanding, sent again until acknowledged."""
    chance, connection = random.Random(f"{seed}/{number}"), Feed(endpoint)
    while not done.is_set():
        patient = f"P{number}{chance.randrange(PATIENTS_EACH)}"
        sent = message(campaign.feed, patient, len(campaign.sent[patient]) + 1)
        answer = await _acknowledged(connection, campaign, sent)
        campaign.sent[patient].append(sent)
        if chance.random() < REPEATED:
            assert await _acknowledged(connection, campaign, sent) == answer
        await asyncio.sleep(chance.expovariate(1 / PAUSE))
    await connection.close()


async def _acknowledged(connection: Feed, campaign: Campaign, sent: bytes) -> bytes:
    campaign.unanswered += 1
    answer = await connection.send(sent)
    campaign.unanswered -= 1
    assert b"MSA|AA" in answer, answer
    return answer


async def _kill_at(stack: RunningStack, points: list[Point], campaign: Campaign) -> None:
    """The kill points of one service, one after the other; those of another service go on beside them."""
    victim = points[0].victim
    async with _watching(stack, victim) as database:
        killer = _Killer(stack, victim, campaign, database)
        for point in points:
            campaign.met[victim, await killer.kill(point)] += 1
            await asyncio.sleep(point.down_s)
            await asyncio.to_thread(stack.start, victim)


@asynccontextmanager
async def _watching(stack: RunningStack, victim: str) -> "AsyncIterator[Database | None]":
    if victim not in _BATCH_TABLES:
        yield None
        return
    dsn = stack.endpoints[f"LONGITUDE_POSTGRES_{victim.upper()}"]
    async with await psycopg.AsyncConnection[tuple[int]].connect(dsn, autocommit=True) as database:
        yield database


@dataclass(frozen=True, slots=True)
class _Killer:
    stack: RunningStack
    victim: str
    campaign: Campaign
    # Of a service that keeps something in PostgreSQL.
    database: Database | None

    async def kill(self, point: Point) -> str:
        """Kill it; where it was."""
        if point.moment == AT_START:
            await asyncio.to_thread(self.stack.kill, self.victim)
            await self._kill_as_it_starts(point.after_s)
            return AT_START
        await asyncio.sleep(point.after_s)
        place = await self._stop_in_a_batch(point.into_s) if point.moment == IN_A_BATCH else await self._stop()
        await asyncio.to_thread(self.stack.kill, self.victim)
        return place

    async def _stop_in_a_batch(self, into_s: float) -> str:
        while True:
            while not await self._in_a_batch():
                await asyncio.sleep(0.001)
            await asyncio.sleep(into_s)
            if await self._stop() == IN_A_BATCH:
                return IN_A_BATCH
            os.kill(self._running(), signal.SIGCONT)

    async def _stop(self) -> str:
        os.kill(self._running(), signal.SIGSTOP)
        if await self._in_a_batch():
            return IN_A_BATCH
        return "messages unanswered" if self.database is None and self.campaign.unanswered else "between"

    async def _kill_as_it_starts(self, after_s: float) -> None:
        starting = asyncio.create_task(asyncio.to_thread(self.stack.start, self.victim))
        while (pid := self._pid()) is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
        # The supervisor says that it died, unless it was ready just before.
        with suppress(StackError):
            await starting
        while self._pid() is not None:
            await asyncio.sleep(0.01)

    async def _in_a_batch(self) -> bool:
        """Whether the transaction of a batch has begun and has not ended."""
        if self.database is None:
            return False
        row = await (await self.database.execute(_OPEN_BATCHES, (_BATCH_TABLES[self.victim],))).fetchone()
        return row is not None and row[0] > 0

    def _running(self) -> int:
        pid = self._pid()
        assert pid is not None, f"{self.victim} ended by itself: {self.stack.logs(self.victim)[-2000:]}"
        return pid

    def _pid(self) -> int | None:
        record = self.stack.stack.record()
        assert record is not None
        process = record.parts[self.victim].process
        return process.pid if process is not None else None
