"""The answers this service has given, in PostgreSQL: stored once under the event that asked for them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from google.protobuf.message import Message
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from psycopg import AsyncConnection
from servicekit.postgres import Pool

_ADD = """INSERT INTO analysis (cause_id, event_id, kind, subject, payload) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (cause_id) DO NOTHING"""
_OF_CAUSE = "SELECT payload FROM analysis WHERE cause_id = %s"
_LATEST = "SELECT payload FROM analysis WHERE kind = %s AND subject = %s ORDER BY stored_at DESC, cause_id LIMIT 1"


class Kind(StrEnum):
    """What was analysed; its subject is a SOP Instance UID or a document id."""

    STUDY = "study"
    DOCUMENT = "document"


class Store:
    """Reads by cause or subject; writes inside the caller's transaction."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        await self.pool.ping()

    async def has(self, cause_id: str) -> bool:
        """Whether the event was answered already."""
        async with self.pool.connection() as conn:
            return await (await conn.execute(_OF_CAUSE, (cause_id,))).fetchone() is not None

    async def study(self, sop_instance_uid: str) -> StudyAnalysed | None:
        """The latest analysis of an instance."""
        payload = await self._latest(Kind.STUDY, sop_instance_uid)
        return None if payload is None else StudyAnalysed.FromString(payload)

    async def document(self, document_id: str) -> DocumentRead | None:
        """The latest reading of a document."""
        payload = await self._latest(Kind.DOCUMENT, document_id)
        return None if payload is None else DocumentRead.FromString(payload)

    async def _latest(self, kind: Kind, subject: str) -> bytes | None:
        async with self.pool.connection() as conn:
            row = await (await conn.execute(_LATEST, (kind.value, subject))).fetchone()
            return None if row is None else bytes(row[0])


async def add(
    conn: AsyncConnection[Any], cause_id: str, event_id: str, kind: Kind, subject: str, answer: Message
) -> None:
    """Store an answer; the first one given to a cause stays."""
    payload = answer.SerializeToString(deterministic=True)
    await conn.execute(_ADD, (cause_id, event_id, kind.value, subject, payload))
