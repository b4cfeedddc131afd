"""Numbered SQL files, each applied once and in order, under an advisory lock: several may begin together.

Who applies them owns the tables, and is not the service: `python -m servicekit migrate NAME ROLE`, before it starts.
The service connects as ROLE, which owns nothing: it may do what `migrations/rights.toml` says (PostgreSQL's privileges,
by table or sequence), in its schema and in those whose names begin with that of its schema, and nothing else.
"""

import hashlib
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection, sql

# What each service reads at its start.
_KNOWN = {"schema_migration": ["SELECT"]}
_PLACES = """SELECT nspname FROM pg_namespace
    WHERE (nspname = %(schema)s OR starts_with(nspname, %(schema)s || '_')) AND pg_has_role(nspowner, 'USAGE')"""
_THERE = """SELECT nspname, relname, relkind = 'S' FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = ANY(%s) AND relname = ANY(%s) AND relkind IN ('r', 'v', 'S')"""


_READABLE = """SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = %s AND relname = 'schema_migration'
    AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"""

# There while a restore has begun and not ended (deploy/backup).
RESTORING = "longitude_restoring"


class MigrationError(Exception):
    """A migration that was applied has changed since (they are never edited), one was not applied yet, the database
    is half restored, or its policies do not hold the role of the service.
    """


def migrate(dsn: str, schema: str, package: str, role: str = "") -> list[str]:
    """Bring `schema` up to date with eventbus's and the package's `migrations/NNNN_*.sql`; return what was applied.

    `role` may do what the packages' rights say from now on, and nothing else.
    """
    with psycopg.connect(dsn) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"longitude:{schema}",))
        _require_whole(conn)
        conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        conn.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        conn.execute("CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, sha256 text NOT NULL)")
        known: dict[str, str] = dict(conn.execute("SELECT name, sha256 FROM schema_migration").fetchall())
        applied = [name for name, text in _sql_files(package) if _apply(conn, known, name, text)]
        if role:
            _grant(conn, schema, role, rights(package))
        return applied


async def migrated(dsn: str, schema: str, package: str) -> None:
    """MigrationError unless all that `migrate` applies was applied."""
    known = sql.SQL("SELECT name, sha256 FROM {}").format(sql.Identifier(schema, "schema_migration"))
    applied: dict[str, str] = {}
    async with await AsyncConnection.connect(dsn) as conn:
        if await (await conn.execute(_READABLE, (schema,))).fetchone():
            applied = dict(await (await conn.execute(known)).fetchall())
    for name, text in _sql_files(package):
        if applied.get(name) != _digest(text):
            raise MigrationError(f"{name} was not applied (python -m servicekit migrate)")


def _require_whole(conn: Connection[Any]) -> None:
    row = conn.execute("SELECT to_regnamespace(%s) IS NULL", (RESTORING,)).fetchone()
    if row is None or not row[0]:
        raise MigrationError("a restore of this database has not ended: run it again")


def rights(package: str) -> dict[str, list[str]]:
    """What the role of a service may do, by table or sequence."""
    texts = (_folder(each).joinpath("rights.toml").read_text(encoding="utf-8") for each in _packages(package))
    return _KNOWN | {table: listed for text in texts for table, listed in tomllib.loads(text).items()}


def _apply(conn: Connection[Any], known: dict[str, str], name: str, text: str) -> bool:
    if name not in known:
        conn.execute(text.encode())
        conn.execute("INSERT INTO schema_migration VALUES (%s, %s)", (name, _digest(text)))
        return True
    if known[name] != _digest(text):
        raise MigrationError(f"{name} was edited after it had been applied")
    return False


def _grant(conn: Connection[Any], schema: str, role: str, allowed: dict[str, list[str]]) -> None:
    who = sql.Identifier(role)
    places = [place for (place,) in conn.execute(_PLACES, {"schema": schema})]
    for place in map(sql.Identifier, places):
        conn.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(place, who))
        for kind in (sql.SQL("TABLES"), sql.SQL("SEQUENCES")):
            conn.execute(sql.SQL("REVOKE ALL ON ALL {} IN SCHEMA {} FROM {}").format(kind, place, who))
    for place, name, is_sequence in conn.execute(_THERE, (places, list(allowed))).fetchall():
        # Of the package's own file, as its migrations are.
        privileges = sql.SQL(", ".join(allowed[name]))
        kind, thing = sql.SQL("SEQUENCE" if is_sequence else "TABLE"), sql.Identifier(place, name)
        conn.execute(sql.SQL("GRANT {} ON {} {} TO {}").format(privileges, kind, thing, who))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sql_files(package: str) -> list[tuple[str, str]]:
    return [
        (f"{each}/{file.name}", file.read_text(encoding="utf-8"))
        for each in _packages(package)
        for file in sorted(_folder(each).iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    ]


def _packages(package: str) -> list[str]:
    return list(dict.fromkeys(("eventbus", package)))


def _folder(package: str) -> Traversable:
    return files(package) / "migrations"
