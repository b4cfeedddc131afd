"""Numbered SQL files, each applied once and in order, under an advisory lock: several replicas may start together."""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from psycopg import AsyncConnection, sql

# There while a restore has begun and not ended (deploy/backup).
RESTORING = "longitude_restoring"


class MigrationError(Exception):
    """A migration that was applied has changed since (they are never edited), or the database is half restored."""


async def migrate(dsn: str, schema: str, package: str) -> list[str]:
    """Bring `schema` up to date with eventbus's and the package's `migrations/NNNN_*.sql`; return what was applied."""
    wanted = [*_sql_files("eventbus"), *_sql_files(package)]
    async with await AsyncConnection.connect(dsn) as conn:
        await conn.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"longitude:{schema}",))
        await _require_whole(conn)
        await conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        await conn.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        await conn.execute("CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, sha256 text NOT NULL)")
        return [name for name, text in wanted if await _apply(conn, name, text)]


async def _require_whole(conn: AsyncConnection[Any]) -> None:
    row = await (await conn.execute("SELECT to_regnamespace(%s) IS NULL", (RESTORING,))).fetchone()
    if row is None or not row[0]:
        raise MigrationError("a restore of this database has not ended: run it again")


async def _apply(conn: AsyncConnection[Any], name: str, text: str) -> bool:
    digest = hashlib.sha256(text.encode()).hexdigest()
    row = await (await conn.execute("SELECT sha256 FROM schema_migration WHERE name = %s", (name,))).fetchone()
    if row is None:
        await conn.execute(text.encode())
        await conn.execute("INSERT INTO schema_migration VALUES (%s, %s)", (name, digest))
        return True
    if row[0] != digest:
        raise MigrationError(f"{name} was edited after it had been applied")
    return False


def _sql_files(package: str) -> list[tuple[str, str]]:
    folder: Traversable = files(package) / "migrations"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(f"{package}/{f.name}", f.read_text(encoding="utf-8")) for f in found]
