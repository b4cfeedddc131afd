"""Which state of a concern another system was told last (schema `reasoning`)."""

from typing import Any

from psycopg import AsyncConnection

_ADD = "INSERT INTO concern_told (concern_id, revision) VALUES (%s, 0) ON CONFLICT DO NOTHING"
_LAST = "SELECT revision FROM concern_told WHERE concern_id = %s FOR UPDATE"
_TOLD = "UPDATE concern_told SET revision = %s WHERE concern_id = %s"


async def last(conn: AsyncConnection[Any], concern_id: str) -> int:
    """Its revision, 0 for none; for this transaction alone, whichever of its events come side by side."""
    await conn.execute(_ADD, (concern_id,))
    row = await (await conn.execute(_LAST, (concern_id,))).fetchone()
    assert row is not None
    return int(row[0])


async def told(conn: AsyncConnection[Any], concern_id: str, revision: int) -> None:
    """Inside the caller's transaction."""
    await conn.execute(_TOLD, (revision, concern_id))
