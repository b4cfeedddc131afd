"""PostgreSQL: the record of this service, schema `memory`.

Guarantees: the events of a batch are recorded in one transaction, under a lock on everyone they name, so that
`recorded_at` follows the order of commits per person and a read as of a past moment gives the same answer whenever it
is repeated.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Container, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.errors import NotFoundError
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FACT_KIND_DEMOGRAPHIC, ClinicalFact
from psycopg import AsyncConnection
from servicekit import migrated
from servicekit.postgres import Pool, open_pool

from memory.adapters.postgres import (
    clusters,
    contradictions,
    editions,
    entries,
    facts,
    identity,
    meetings,
    notes,
    past,
    views,
)
from memory.adapters.postgres.contradictions import Found, Now
from memory.adapters.postgres.editions import Edition
from memory.adapters.postgres.facts import Row
from memory.adapters.postgres.past import Past
from memory.domain import contradictions as rules
from memory.domain import courses
from memory.domain.identity import Identifier
from memory.domain.timeline import Entry, replay, standing
from memory.domain.updates import Update

SCHEMA = "memory"
FOR_EVER = "infinity"
# The lock comes before the snapshot: both are of the edition that is current.
_SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "LOCK TABLE identity_link IN ACCESS SHARE MODE",
)

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
    contradictions: list[Found]
    # When something was last recorded for them, in the edition of that time.
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands as of a time: the facts that a context pack is made from, and how many there are of all."""

    person: Person
    facts: list[RecordedFact]
    many: int
    # Everything, where it was replayed.
    replayed: list[Entry] | None = None
    known_at: datetime | None = None
    # What was otherwise then, where only that was replayed.
    past: Past | None = None

    @property
    def everything(self) -> list[ClinicalFact] | None:
        """All that stands; None where only the database has it."""
        if self.replayed is not None:
            return [entry.fact for entry in self.replayed]
        return [each.fact for each in self.facts] if len(self.facts) == self.many else None


class Store:
    """Reads and writes of the record. Reads raise NotFoundError for an identifier unknown at the time asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        await self._pool.ping()

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A pooled connection, in autocommit until a transaction is opened."""
        return self._pool.connection()

    @asynccontextmanager
    async def as_of(self, person: Person, known_at: datetime | None = None) -> AsyncIterator[Connection]:
        """A connection to what is open of a person's record in the edition that was current at a time, inside a
        transaction.
        """
        async with self._pool.connection() as conn, conn.transaction():
            await views.state(conn, person.numbers, views.closed())
            if known_at is not None:
                await editions.as_of(conn, known_at)
            yield conn

    async def editions(self) -> list[Edition]:
        """Every edition of the record but the first."""
        async with self._pool.connection() as conn:
            return await editions.all_of(conn)

    async def record(self, conn: Connection, updates: Mapping[str, Update]) -> dict[str, Recorded]:
        """Record the updates of a batch, by their event ids and in order, inside the caller's transaction."""
        named = {identifier for update in updates.values() for identifier in update.identifiers}
        before = await identity.lock(conn, named)
        known, recorded_at = await identity.register(conn, named)
        links = await identity.add_links(conn, updates, known, recorded_at)
        after = await identity.persons(conn, before, FOR_EVER) if links else before
        if others := before.keys() - known.keys():
            known = {**known, **await identity.numbers(conn, others)}
        await views.state(conn, known.values(), 0)
        kin = await meetings.kin(conn, before, after)
        rows = facts.rows(updates, known, recorded_at)
        belongs = await meetings.meet(conn, await clusters.assign(conn, rows), rows, kin)
        new = await facts.add(conn, rows, belongs.number)
        await entries.project(conn, new, belongs, known)
        await notes.add(conn, [text for update in updates.values() for text in update.texts], known, recorded_at)
        opened = await _refresh(conn, updates, links, new, after, known, recorded_at)
        added: dict[str, list[str]] = defaultdict(list)
        for row in new:
            added[row.event_id].append(row.statement.fact.fact_id)
        return {id_: Recorded(added[id_], links[id_], opened.get(id_, []), recorded_at) for id_ in updates}

    @asynccontextmanager
    async def reading(
        self, identifier: Identifier, known_at: datetime | None
    ) -> AsyncIterator[tuple[Connection, Person]]:
        """The person whom an identifier names as of a time, and one snapshot of the record to read more of."""
        async with self._pool.connection() as conn:
            if known_at is not None:
                async with conn.transaction():
                    await identity.wait_for_writers(conn, identifier)
            # What nobody waits for travels with the next question.
            async with conn.pipeline(), conn.transaction():
                for statement in _SNAPSHOT:
                    await conn.execute(statement, prepare=False)
                if known_at is not None:
                    await editions.as_of(conn, known_at)
                yield conn, await _person(conn, identifier, known_at or FOR_EVER)

    async def person(self, identifier: Identifier, known_at: datetime | None = None) -> Person:
        """The person whom an identifier names, as of a time."""
        async with self.reading(identifier, known_at) as (_, person):
            return person

    async def replayed(self, identifier: Identifier, known_at: datetime | None) -> tuple[Person, list[Entry]]:
        """The person, and every statement with its fate as of a time, made from the facts."""
        async with self.reading(identifier, known_at) as (conn, person), views.whole(conn):
            stated = await facts.of(conn, person.numbers, known_at or FOR_EVER)
        # The longest records take seconds: nobody else waits for them.
        return person, await asyncio.to_thread(lambda: views.opened(replay(stated)))

    async def fact(self, fact_id: str) -> RecordedFact:
        """A fact that stands and is open to who calls. NotFoundError for any other."""
        async with self._pool.connection() as conn:
            identifier = await facts.patient(conn, fact_id)
        if identifier is not None:
            async with self.reading(identifier, None) as (conn, person):
                if (found := await entries.one(conn, person.numbers, fact_id)) is not None:
                    return found
        raise NotFoundError("no fact stands under this id, or it is closed to you")

    async def number(self, conn: Connection, person: Person, identifier: Identifier) -> int:
        """The number of one of a person's identifiers."""
        return (await identity.numbers(conn, person.identifiers))[identifier]

    async def last_change(self, identifier: Identifier) -> datetime:
        """When something was last recorded for a person."""
        return (await self.person(identifier)).changed_at

    async def standing(
        self, identifier: Identifier, known_at: datetime | None, most: int | None = courses.MOST
    ) -> Standing:
        """What stands as of a time, at most `most` facts of it; None: the newest of each course."""
        async with self.reading(identifier, known_at) as (conn, person):
            if known_at is None or person.changed_at <= known_at:
                return Standing(person, *await entries.serving(conn, person.numbers, most), known_at=known_at)
            then = await past.since(conn, person.identifiers, person.numbers, known_at)
            if then is not None:
                served = await entries.serving(conn, person.numbers, most, then)
                return Standing(person, *served, known_at=known_at, past=then)
        person, replayed = await self.replayed(identifier, known_at)
        everything = standing(replayed)
        rows = [(entry.fact.fact_id, entry.view()) for entry in courses.chosen(everything, most)]
        facts_ = [RecordedFact.FromString(view) for _, view in entries.served(rows)]
        return Standing(person, facts_, len(everything), everything)

    async def named(
        self, known: Standing, fact_ids: Collection[str], document_ids: Collection[str]
    ) -> list[RecordedFact]:
        """Of what stands beside `known.facts`: these facts, and those of these documents themselves."""
        here = {each.fact.fact_id for each in known.facts}
        wanted = set(fact_ids) - here
        if len(known.facts) == known.many or not (wanted or document_ids):
            return []
        if known.replayed is not None:
            asked = (each for each in known.replayed if courses.is_named(each.fact, wanted, document_ids))
            found = [entry.recorded() for entry in asked]
        else:
            async with self.as_of(known.person, known.known_at) as conn:
                found = await entries.named(conn, known.person.numbers, wanted, document_ids, known.past)
        return [each for each in found if each.fact.fact_id not in here]

    async def of_courses(
        self, known: Standing, about: Container[tuple[int, str]], most: int = courses.MOST
    ) -> list[RecordedFact]:
        """Of what stands beside `known.facts`: these courses (kind and `courses.concept_of`), at most `most`."""
        if len(known.facts) == known.many:
            return []
        if known.replayed is not None:
            wanted = (each for each in known.replayed if (each.fact.kind, courses.concept_of(each.fact)) in about)
            found = [entry.recorded() for entry in courses.chosen(list(wanted), most)]
        else:
            async with self.as_of(known.person, known.known_at) as conn:
                found = await entries.of_courses(conn, known.person.numbers, about, most, known.past)
        here = {each.fact.fact_id for each in known.facts}
        return [each for each in found if each.fact.fact_id not in here]


@asynccontextmanager
async def open_store(dsn: str) -> AsyncIterator[Store]:
    """Bring what is derived up to date, and open it; MigrationError where the tables are not up to date, or the
    policies of rows do not hold this role.
    """
    await migrated(dsn, SCHEMA, "memory")
    async with open_pool(dsn, SCHEMA) as pool:
        async with pool.connection() as conn:
            await views.check_guarded(conn)
            await editions.keep_up(conn)
        yield Store(pool)


async def _person(conn: Connection, identifier: Identifier, known_at: datetime | str) -> Person:
    known = await identity.known(conn, identifier, known_at)
    if known is None:
        raise NotFoundError("no patient is known by this identifier at that time")
    number, members = known
    numbers = [number] if len(members) == 1 else sorted((await identity.numbers(conn, members)).values())
    # What is decided here is decided from all of it. All travel together.
    await views.state(conn, numbers, 0)
    asked = await views.ask(conn, numbers)
    changed = await identity.last_change(conn, numbers)
    found = await contradictions.of(conn, numbers, known_at)
    view = await views.decide(asked)
    if view.left_out and found:
        hidden = await views.closed_among(conn, numbers, {fact_id for one in found for fact_id in one.fact_ids})
        found = [one for one in found if not hidden.intersection(one.fact_ids)]
    if view.closed:
        await views.state(conn, numbers, view.closed)
    row = await changed.fetchone()
    assert row is not None
    return Person((identifier, *sorted(members - {identifier})), tuple(numbers), found, row[0])


async def _refresh(
    conn: Connection,
    updates: Mapping[str, Update],
    links: Mapping[str, int],
    new: Iterable[Row],
    persons: Mapping[Identifier, frozenset[Identifier]],
    numbers: Mapping[Identifier, int],
    recorded_at: datetime,
) -> dict[str, list[str]]:
    """Let the rules look once at each person for whom something that they read has changed; what opened, by event."""
    kinds: dict[str, set[int]] = defaultdict(set)
    for row in new:
        kinds[row.event_id].add(row.statement.fact.kind)
    touched = {id_: update for id_, update in updates.items() if links[id_] or rules.KINDS & kinds[id_]}
    # The last event about a person is the one after which the rules looked.
    looked: dict[frozenset[Identifier], str] = {}
    for id_, update in touched.items():
        clinical = bool(links[id_] or (rules.KINDS & kinds[id_]) - {FACT_KIND_DEMOGRAPHIC})
        for members in sorted({persons[identifier] for identifier in update.identifiers}, key=sorted):
            # What one identifier says of a birth date is compared with what the others say.
            if clinical or len(members) > 1:
                looked[members] = id_
    if not looked:
        return {}
    return await contradictions.refresh(conn, await _found_now(conn, looked, numbers), recorded_at)


async def _found_now(
    conn: Connection, looked: Mapping[frozenset[Identifier], str], numbers: Mapping[Identifier, int]
) -> Sequence[Now]:
    of_person: dict[Identifier, list[Any]] = defaultdict(list)
    everyone = [numbers[identifier] for members in looked for identifier in members]
    for recorded in await entries.standing(conn, everyone, rules.KINDS):
        of_person[Identifier.of(recorded.fact.patient)].append(recorded.fact)
    found = []
    for members, event_id in looked.items():
        current = [fact for identifier in members for fact in of_person[identifier]]
        number_of_fact = {fact.fact_id: numbers[Identifier.of(fact.patient)] for fact in current}
        here = [numbers[identifier] for identifier in members]
        found.append(Now(event_id, here, rules.find(current), number_of_fact))
    return found
