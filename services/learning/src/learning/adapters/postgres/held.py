"""The rows of `object`: which objects may stand in our buckets, and which of them must go."""

from collections.abc import Sequence

from learning.adapters.postgres import Connection

_NOTE = """INSERT INTO object (bucket, key) VALUES (%s, %s)
    ON CONFLICT (bucket, key) DO UPDATE SET noted_at = clock_timestamp(), doomed = false"""
_STAYS = "SELECT 1 FROM object WHERE (bucket, key) = (%s, %s) AND NOT doomed FOR SHARE"
# What an hour after it was noted has no row that refers to it: its writer was killed.
_CONDEMNED = """SELECT bucket, key FROM object o
    WHERE (doomed OR noted_at < clock_timestamp() - interval '1 hour')
      AND NOT EXISTS (SELECT FROM episode e WHERE (e.bucket, e.key) = (o.bucket, o.key))
      AND NOT EXISTS (SELECT FROM version v WHERE (v.bucket, v.key) = (o.bucket, o.key))
    ORDER BY doomed DESC, noted_at LIMIT 1 FOR UPDATE SKIP LOCKED"""
_DOOM = """UPDATE object SET doomed = true
    WHERE (bucket, key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"""
_FORGET = "DELETE FROM object WHERE (bucket, key) = (%s, %s)"


async def note(conn: Connection, bucket: str, key: str) -> None:
    """An object is about to be written."""
    await conn.execute(_NOTE, (bucket, key))


async def stays(conn: Connection, bucket: str, key: str) -> bool:
    """Whether it may be referred to; until the transaction ends nobody deletes it."""
    return await (await conn.execute(_STAYS, (bucket, key))).fetchone() is not None


async def doom(conn: Connection, objects: Sequence[tuple[str, str]]) -> None:
    """To be deleted as soon as nothing refers to them."""
    await conn.execute(_DOOM, ([bucket for bucket, _ in objects], [key for _, key in objects]))


async def condemned(conn: Connection) -> tuple[str, str] | None:
    """Bucket and key of an object to delete, locked; None when there is none."""
    row = await (await conn.execute(_CONDEMNED)).fetchone()
    return None if row is None else (row[0], row[1])


async def forget(conn: Connection, bucket: str, key: str) -> None:
    """It was deleted."""
    await conn.execute(_FORGET, (bucket, key))
