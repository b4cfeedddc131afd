"""A query that forgets whose record it reads, or what of it is closed, is shown nothing more (real PostgreSQL)."""

from collections.abc import AsyncIterator, Callable
from typing import Any, LiteralString

import psycopg
import pytest
from longitude.record.v1 import fact_pb2 as cf
from memory.adapters.postgres import Connection, Store, open_store, views
from memory.domain.identity import Identifier
from memory.domain.sensitive import ALL, BITS
from memory.flows import timeline
from memory.flows.timeline import Asked
from memory.handlers import on_messages_received
from psycopg.conninfo import conninfo_to_dict
from servicekit.migrations import MigrationError
from servicekit.principal import Person, Principal, called_by
from terminology.concepts import ICD10CM
from testkit.backends import Backends

Build = Callable[..., Any]
A, B = Identifier("NORTH", "1"), Identifier("LAKE", "2")
NURSE = Principal("command", Person("https://issuer.example", "nora", "Nora", frozenset({"nurse"})))
REASONING = Principal("reasoning")

EVERYTHING: dict[str, LiteralString] = {
    "fact": "SELECT * FROM fact",
    "entry": "SELECT * FROM entry",
    "contradiction": "SELECT * FROM contradiction",
    "note_text": "SELECT * FROM note_text",
    "text_queue": "SELECT * FROM text_queue",
    "note_chunk": "SELECT * FROM note_chunk",
    "index_queue": "SELECT * FROM index_queue",
}
CODES: LiteralString = "SELECT fact_id FROM entry ORDER BY 1"
LOOSENING: tuple[LiteralString, ...] = (
    "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE entry NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY stated ON entry",
    "ALTER POLICY stated ON entry USING (true)",
    "CREATE POLICY other ON entry USING (true)",
    "CREATE OR REPLACE FUNCTION guard_edition(place text) RETURNS void LANGUAGE sql AS ''",
    "CREATE VIEW other AS SELECT * FROM entry",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "SET ROLE verifier",
    "SELECT guard_edition('memory')",
)


@pytest.fixture
async def store(new_database: Callable[..., str], fact: Build, message: Build, event: Build) -> AsyncIterator[Store]:
    """Of A diabetes and depression, the latter stated and denied, with a note; of B diabetes, with a note."""
    async with open_store(new_database("memory")) as opened:
        for patient, codes in (("1@NORTH", ("E11.9", "F32.9")), ("2@LAKE", ("E11.9",))):
            facts = [problem(fact, patient, code) for code in codes]
            if patient == "1@NORTH":
                denied = problem(fact, patient, "F32.9")
                denied.fact_id, denied.assertion = "denied", cf.ASSERTION_ABSENT
                facts.append(denied)
            facts.append(fact(fact_id=f"note {patient}", patient=patient, note="She sleeps badly."))
            told = message(patient, *facts, patient=patient)
            await on_messages_received([event(told, patient)], store=opened)
        yield opened


def problem(fact: Build, patient: str, code: str) -> cf.ClinicalFact:
    built: cf.ClinicalFact = fact(fact_id=f"{code} {patient}", kind=cf.FACT_KIND_PROBLEM, code=code, patient=patient)
    built.code.CopyFrom(cf.CodedConcept(system=ICD10CM, code=code))
    return built


async def rows(conn: Connection, query: LiteralString) -> list[Any]:
    return await (await conn.execute(query)).fetchall()


async def many(conn: Connection) -> dict[str, int]:
    """How many rows of each table are shown; -1: the database refuses, since nothing is stated."""
    seen = {}
    for table, query in EVERYTHING.items():
        try:
            async with conn.transaction():
                seen[table] = len(await rows(conn, query))
        except UNSTATED:
            seen[table] = -1
    return seen


# Never stated in this connection, or in a transaction before.
UNSTATED = (psycopg.errors.UndefinedObject, psycopg.errors.InvalidTextRepresentation)
NOTHING = {table: -1 if table in ("fact", "entry", "contradiction") else 0 for table in EVERYTHING}


async def test_where_nothing_is_stated_no_record_is_taken_for_empty(store: Store) -> None:
    async with store.connection() as conn:
        assert await many(conn) == NOTHING
        async with conn.transaction():
            assert await many(conn) == NOTHING


async def test_a_version_that_states_nothing_reads_no_empty_record(store: Store) -> None:
    """A replica of before, in a rolling upgrade."""
    person = await store.person(A)
    async with store.connection() as conn:
        for table in ("fact", "entry"):
            query = f"SELECT * FROM {table} WHERE identifier_no = ANY(%s)".encode()
            with pytest.raises(UNSTATED):
                await conn.execute(query, (list(person.numbers),))


async def test_a_query_without_a_condition_reads_one_patient(store: Store) -> None:
    for who, statements in ((A, 4), (B, 2)):
        person = await store.person(who)
        async with store.connection() as conn, conn.transaction():
            await views.state(conn, person.numbers, 0)
            seen = await many(conn)
            assert (seen["fact"], seen["entry"], seen["note_text"], seen["text_queue"]) == (
                statements,
                statements,
                1,
                1,
            )
            assert seen["contradiction"] == (1 if who == A else 0)
            for query in (EVERYTHING["fact"], EVERYTHING["entry"], EVERYTHING["note_text"]):
                cursor = await conn.execute(query)
                column = [each.name for each in cursor.description or ()].index("identifier_no")
                assert {row[column] for row in await cursor.fetchall()} == set(person.numbers)


async def test_names_of_groups_which_carry_codes_are_of_the_stated_record_too(
    store: Store, fact: Build, message: Build, event: Build
) -> None:
    for patient in ("1@NORTH", "2@LAKE"):
        name = f"ordered {patient}"
        one = fact(fact_id=name, kind=cf.FACT_KIND_MEDICATION, same=name, patient=patient)
        await on_messages_received([event(message(name, one, patient=patient), name)], store=store)
    person = await store.person(A)
    query: LiteralString = "SELECT DISTINCT identifier_no FROM fact_group"
    async with store.connection() as conn:
        with pytest.raises(UNSTATED):
            await rows(conn, query)
        async with conn.transaction():
            await views.state(conn, person.numbers, 0)
            assert await rows(conn, query) == [(number,) for number in person.numbers]
            await views.state(conn, person.numbers, ALL)
            assert await rows(conn, query) == []


async def test_a_closed_category_stays_closed_to_a_query_without_a_condition(store: Store) -> None:
    person = await store.person(A)
    async with store.connection() as conn, conn.transaction():
        await views.state(conn, person.numbers, ALL)
        assert await rows(conn, CODES) == [("E11.9 1@NORTH",), ("note 1@NORTH",)]
        # Statements have no labels, and contradictions name them.
        assert await rows(conn, EVERYTHING["fact"]) == await rows(conn, EVERYTHING["contradiction"]) == []
        await views.state(conn, person.numbers, ALL & ~BITS["MH"])
        assert len(await rows(conn, CODES)) == 4


@pytest.mark.parametrize(("caller", "seen"), [(NURSE, 2), (REASONING, 4)])
async def test_a_read_states_what_is_open_to_who_calls(store: Store, caller: Principal, seen: int) -> None:
    with called_by(caller):
        async with store.reading(A, None) as (conn, person):
            assert len(await rows(conn, CODES)) == seen
        async with store.as_of(person) as conn:
            assert len(await rows(conn, CODES)) == seen


async def test_nothing_is_left_for_the_next_transaction_of_a_connection(store: Store) -> None:
    person = await store.person(A)
    async with store.connection() as conn:
        for ends in (None, ValueError):
            try:
                async with conn.transaction():
                    await views.state(conn, person.numbers, 0)
                    async with views.working(conn, "index"):
                        assert len(await rows(conn, EVERYTHING["note_text"])) == 2
                        if ends:
                            raise ends
            except ValueError:
                pass
            assert await many(conn) == NOTHING
            await rows(conn, "SELECT 1")
            assert await many(conn) == NOTHING


async def test_what_is_derived_from_all_of_a_record_shows_what_is_open(store: Store, fact: Build) -> None:
    """A closed statement decides what became of others; last changes and replays are made from it."""
    changed = await store.last_change(A)
    with called_by(NURSE):
        assert await store.last_change(A) == changed
        page = await timeline.page(store, A, Asked(valid_at=changed))
        assert {each.fact.fact_id for each in page.facts} <= {"E11.9 1@NORTH", "note 1@NORTH"}
        _, replayed = await store.replayed(A, changed)
        assert {entry.fact.fact_id for entry in replayed} == {"E11.9 1@NORTH", "note 1@NORTH"}
        async with store.reading(A, None) as (conn, person):
            async with views.whole(conn):
                assert len(await rows(conn, EVERYTHING["fact"])) == 4
            assert await rows(conn, EVERYTHING["fact"]) == []
            assert person.contradictions == []


async def test_work_on_everybodys_record_reads_what_it_is_for_and_answers_no_call(store: Store) -> None:
    async with store.connection() as conn, conn.transaction():
        async with views.working(conn, "index"):
            seen = await many(conn)
            assert (seen["note_text"], seen["fact"], seen["entry"], seen["contradiction"]) == (2, 0, 0, 0)
        async with views.working(conn, "rebuild"):
            seen = await many(conn)
            assert (seen["note_text"], seen["fact"], seen["entry"], seen["contradiction"]) == (0, 6, 6, 0)
        assert await many(conn) == NOTHING
        with called_by(NURSE), pytest.raises(PermissionError):
            async with views.working(conn, "rebuild"):
                pass


async def test_nothing_is_written_into_a_record_that_is_not_stated(store: Store) -> None:
    a, b = await store.person(A), await store.person(B)
    copied = """INSERT INTO entry
        (identifier_no, starts, recorded_at, fact_id, kind, concept, since, stands, view, labels)
        VALUES (%s, now(), now(), 'other', 1, '', now(), true, '', 0)"""
    async with store.connection() as conn, conn.transaction():
        await views.state(conn, a.numbers, 0)
        await conn.execute(copied, (a.numbers[0],))
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            await conn.execute(copied, (b.numbers[0],))
        raise psycopg.Rollback


async def test_the_service_does_not_loosen_it(store: Store) -> None:
    async with store.connection() as conn:
        for statement in LOOSENING:
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject)):
                await conn.execute(statement)
        await conn.execute("SET row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            await conn.execute(EVERYTHING["entry"])
        await conn.execute("RESET row_security")
        assert await many(conn) == NOTHING


async def test_the_service_does_not_start_as_a_role_that_no_policy_holds(backends: Backends) -> None:
    dsn = backends.new_database("memory")
    superuser = backends.owner_of(str(conninfo_to_dict(dsn)["dbname"]))
    with pytest.raises(MigrationError, match="fact, entry, contradiction, note_text: LONGITUDE_POSTGRES must name"):
        async with open_store(superuser):
            pass


async def test_every_edition_is_guarded(store: Store) -> None:
    person = await store.person(A)
    async with store.connection() as conn:
        await conn.execute("SELECT begin_edition('r')")
        query: LiteralString = "SELECT relrowsecurity FROM pg_class WHERE oid = ANY(%s::regclass[])"
        names = [
            f"{place}.{table}"
            for place in ("memory", "memory_edition_1")
            for table in ("fact", "fact_group", "entry", "contradiction")
        ]
        assert await (await conn.execute(query, (names,))).fetchall() == [(True,)] * len(names)
        async with conn.transaction():
            await views.state(conn, person.numbers, 0)
            assert await rows(conn, "SELECT * FROM memory_edition_1.entry") == []
