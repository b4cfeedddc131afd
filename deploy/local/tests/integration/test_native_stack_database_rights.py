"""A service owns nothing in PostgreSQL: it does what its rights say, and changes no table."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, LiteralString

import psycopg
import pytest
from manifests import read_services
from psycopg import sql
from servicekit.migrations import MigrationError, migrate, migrated, rights
from testkit import Backends

OWNING = [name for name, service in read_services().items() if service.owns.tables]
# Privileges of which no table of any service has need.
NEVER = ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
TABLES = """SELECT relname, EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname = 'append_only')
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s AND relkind IN ('r', 'v', 'S')"""
# Behind columns that number rows; nobody needs a right to them.
NUMBERING = "_seq"
# Tables that each further edition of memory's record has.
OF_EDITIONS = {"reread"}
CHANGES: tuple[LiteralString, ...] = (
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} ADD COLUMN other text",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "CREATE TRIGGER other BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "TRUNCATE {table} CASCADE",
    "DROP TABLE {table} CASCADE",
)
OTHERWISE: tuple[LiteralString, ...] = (
    "CREATE TABLE other ()",
    "CREATE SCHEMA other",
    "CREATE TEMPORARY TABLE other ()",
    "CREATE FUNCTION other() RETURNS void LANGUAGE sql AS ''",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "UPDATE schema_migration SET sha256 = ''",
)

Connection = psycopg.Connection[Any]


@pytest.fixture(params=OWNING)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connection(service: str, new_database: Callable[..., str]) -> Iterator[Connection]:
    """As the service."""
    with psycopg.connect(new_database(service), options=f"-c search_path={service}", autocommit=True) as opened:
        yield opened


def refuses(connection: Connection, statement: LiteralString, **names: str) -> bool:
    made = sql.SQL(statement).format(**{name: sql.Identifier(value) for name, value in names.items()})
    try:
        connection.execute(made)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType):
        return True
    return False


def test_a_service_changes_no_table_and_makes_none(service: str, connection: Connection) -> None:
    tables = [name for name, _ in connection.execute(TABLES, (service,)) if name != "cluster_no"]
    assert len(tables) > 3
    assert [(table, one) for table in tables for one in CHANGES if not refuses(connection, one, table=table)] == []
    assert [one for one in OTHERWISE if not refuses(connection, one, owner=service)] == []


def test_a_service_has_the_rights_that_are_written_down_and_no_others(service: str, connection: Connection) -> None:
    written = rights(service)
    rows = connection.execute(TABLES, (service,)).fetchall()
    tables = {name: is_append_only for name, is_append_only in rows if not name.endswith(NUMBERING)}
    assert set(tables) == set(written) - OF_EDITIONS
    privileges = (
        "SELECT has_table_privilege(oid, %s), has_any_column_privilege(oid, %s) FROM pg_class WHERE oid = %s::regclass"
    )
    for table, is_append_only in tables.items():
        if table == "cluster_no":
            assert written[table] == ["USAGE"]
            continue
        whole = {one for one in written[table] if " " not in one}
        some = {one.split()[0] for one in written[table]}
        assert some <= {"SELECT", "INSERT", "UPDATE", "DELETE"}, table
        assert not (is_append_only and some - {"SELECT", "INSERT"}), table
        for privilege in ("SELECT", "INSERT", "UPDATE"):
            row = connection.execute(privileges, (privilege, privilege, table)).fetchone()
            assert row == (privilege in whole, privilege in some), (table, privilege)
        for privilege in ("DELETE", *NEVER):
            asked = "SELECT has_table_privilege(%s::regclass, %s)"
            assert connection.execute(asked, (table, privilege)).fetchone() == (privilege in whole,), (table, privilege)


def test_what_is_append_only_stays_so_for_the_service_and_for_its_owner(
    new_database: Callable[..., str], as_owner: Callable[..., None]
) -> None:
    """The attack: its own role switched off the trigger and changed a creatinine."""
    with psycopg.connect(new_database("memory"), options="-c search_path=memory", autocommit=True) as service:
        columns = "fact_id, identifier_no, kind, payload, stated_at, received_at, ordinal, recorded_at, event_id"
        fact = "'creatinine', 1, 5, '1.95', now(), now(), 0, now(), 'e'"
        service.execute("SELECT set_config('memory.numbers', '{1}', false), set_config('memory.closed', '0', false)")
        service.execute(f"INSERT INTO fact ({columns}) VALUES ({fact})".encode())
        change = "UPDATE fact SET payload = '0.95'"
        for statement in ("ALTER TABLE fact DISABLE TRIGGER append_only", change, "DELETE FROM fact"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(statement.encode())
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            as_owner(service, change)
        assert service.execute("SELECT payload FROM fact").fetchall() == [(b"1.95",)]


def test_editions_are_exchanged_by_nobody_before_they_are_whole(new_database: Callable[..., str]) -> None:
    """What runs as the owner does what a rereading asks for, and nothing else."""
    with psycopg.connect(new_database("memory"), options="-c search_path=memory", autocommit=True) as connection:
        assert connection.execute("SELECT begin_edition('r')").fetchone() == (1,)
        with pytest.raises(psycopg.errors.RaiseException, match="not whole"):
            connection.execute("SELECT exchange_edition(1)")
        with pytest.raises(psycopg.errors.RaiseException, match="no edition"):
            connection.execute("SELECT hold_writers('pg_catalog')")
        for table in ("fact", "reread"):
            for privilege in ("UPDATE", "DELETE", *NEVER):
                asked = "SELECT has_table_privilege(%s::regclass, %s)"
                held = connection.execute(asked, (f"memory_edition_1.{table}", privilege)).fetchone()
                assert held == (False,), (table, privilege)


async def test_tables_are_brought_up_to_date_once_whoever_begins_together(backends: Backends, service: str) -> None:
    dsn, role = backends.new_database(), read_services()[service].role
    with pytest.raises(MigrationError):
        await migrated(dsn, service, service)
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(dsn, service, service, role), range(4)))
    assert sorted(map(len, applied))[:3] == [0, 0, 0]
    assert sum(map(len, applied)) > 1
    await migrated(dsn, service, service)


async def test_a_service_does_not_start_on_tables_that_are_not_up_to_date(
    new_database: Callable[..., str], service: str, as_owner: Callable[..., None]
) -> None:
    dsn, role = new_database(service), read_services()[service].role
    await migrated(dsn, service, service)
    async with await psycopg.AsyncConnection.connect(dsn, options=f"-c search_path={service}") as connection:
        as_owner(connection, f"DELETE FROM schema_migration WHERE name LIKE '{service}/0001%'")
        with pytest.raises(MigrationError, match=f"{service}/0001"):
            await migrated(dsn, service, service)
        # Nor where it may read nothing of them.
        as_owner(connection, f"REVOKE USAGE ON SCHEMA {service} FROM {role}")
        with pytest.raises(MigrationError, match="eventbus/0001"):
            await migrated(dsn, service, service)
