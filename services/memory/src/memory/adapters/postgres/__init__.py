"""PostgreSQL: the record of this service, schema `memory`.

Guarantees: one event is recorded in one transaction, under a lock on everyone it names, so that `recorded_at` follows
the order of commits per person and a read as of a past moment gives the same answer whenever it is repeated.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from servicekit import migrate
from servicekit.postgres import Pool, open_pool

from memory.adapters.postgres import contradictions, facts, identity, notes
from memory.adapters.postgres.contradictions import Found
from memory.domain import contradictions as rules
from memory.domain.identity import Identifier
from memory.domain.timeline import Entry, replay, standing
from memory.domain.updates import Update

SCHEMA = "memory"
FOR_EVER = "infinity"

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an update added to the record."""

    fact_ids: list[str]
    links: int
    opened: list[str]
    recorded_at: datetime

    def __bool__(self) -> bool:
        return bool(self.fact_ids or self.links)


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the record knew them."""

    # The identifier asked for first, the others in order.
    identifiers: tuple[Identifier, ...]
    numbers: tuple[int, ...]
    entries: list[Entry]
    contradictions: list[Found]


class Store:
    """Reads and writes of the record."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        await self._pool.ping()

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A pooled connection, in autocommit until a transaction is opened."""
        return self._pool.connection()

    async def record(self, conn: Connection, update: Update, event_id: str) -> Recorded:
        """Record an update inside the caller's transaction."""
        await identity.lock(conn, update.identifiers)
        recorded_at = await _clock(conn)
        known = await identity.register(conn, update.identifiers, recorded_at)
        links = await identity.add_links(conn, update, known, event_id, recorded_at)
        new = await facts.add(conn, update, known, event_id, recorded_at)
        await notes.add(conn, update.texts, known, recorded_at)
        opened: list[str] = []
        if links or rules.KINDS & {fact.kind for fact in update.facts}:
            opened = await _refresh(conn, update, event_id, recorded_at)
        return Recorded(new, links, opened, recorded_at)

    async def person(
        self, identifier: Identifier, known_at: datetime | None, kinds: Collection[int] = ()
    ) -> Person | None:
        """Everything about the person whom an identifier names, as of a time; None when it was unknown then."""
        async with self._pool.connection() as conn:
            if known_at is not None:
                async with conn.transaction():
                    await identity.wait_for_writers(conn, identifier)
            async with conn.transaction():
                await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                return await _person(conn, identifier, known_at or FOR_EVER, kinds)


@asynccontextmanager
async def open_store(dsn: str) -> AsyncIterator[Store]:
    """Bring the schema up to date and open it."""
    await migrate(dsn, SCHEMA, "memory")
    async with open_pool(dsn, SCHEMA) as pool:
        yield Store(pool)


async def _person(
    conn: Connection, identifier: Identifier, known_at: datetime | str, kinds: Collection[int]
) -> Person | None:
    if not await identity.is_known(conn, identifier, known_at):
        return None
    members = await identity.person(conn, identifier, known_at)
    numbers = sorted((await identity.numbers(conn, members)).values())
    entries = replay(await facts.of(conn, numbers, known_at, kinds))
    found = await contradictions.of(conn, numbers, known_at)
    return Person((identifier, *sorted(members - {identifier})), tuple(numbers), entries, found)


async def _clock(conn: Connection) -> datetime:
    row = await (await conn.execute("SELECT clock_timestamp()")).fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


async def _refresh(conn: Connection, update: Update, event_id: str, recorded_at: datetime) -> list[str]:
    """Let the rules look at everyone the update names; return the ids of contradictions that opened."""
    persons = await identity.persons(conn, update.identifiers, FOR_EVER)
    opened: list[str] = []
    for members in sorted(set(persons.values()), key=sorted):
        numbers = await identity.numbers(conn, members)
        statements = await facts.of(conn, numbers.values(), kinds=rules.KINDS)
        current = [entry.fact for entry in standing(replay(statements))]
        number_of_fact = {fact.fact_id: numbers[Identifier.of(fact.patient)] for fact in current}
        opened += await contradictions.refresh(
            conn, numbers.values(), rules.find(current), number_of_fact, event_id, recorded_at
        )
    return opened
