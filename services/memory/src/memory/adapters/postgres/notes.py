"""Chunks of notes and documents. The index finds their ids; what they say is read here."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.identifiers import event_id
from longitude.record.v1.fact_pb2 import SourcePointer
from psycopg import AsyncConnection

from memory.adapters.postgres import index_queue
from memory.adapters.postgres.index_queue import Owed
from memory.domain import chunks
from memory.domain.identity import Identifier
from memory.domain.updates import Text
from memory.domain.vectors import IDENTIFIER, NOTES

_ADD = """INSERT INTO note_chunk
    (chunk_id, identifier_no, document_id, fact_id, text_id, text, authored_at, recorded_at, source)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
# A document that was read again answers with its last reading only.
_OF = """SELECT chunk_id::text, document_id, fact_id, text, authored_at, source FROM note_chunk c
    WHERE chunk_id = ANY(%(chunks)s::uuid[]) AND identifier_no = ANY(%(numbers)s) AND recorded_at <= %(known_at)s
    AND (document_id = '' OR NOT EXISTS (
        SELECT 1 FROM note_chunk later
        WHERE later.identifier_no = c.identifier_no AND later.document_id = c.document_id
        AND (later.recorded_at, later.text_id) > (c.recorded_at, c.text_id)
        AND later.text_id <> c.text_id AND later.recorded_at <= %(known_at)s))"""
_PENDING = """SELECT count(*) FROM index_queue q JOIN note_chunk c ON c.chunk_id = q.point_id
    WHERE q.collection = %s AND c.identifier_no = ANY(%s)"""
_OWE_ALL = """INSERT INTO index_queue (collection, point_id, text, payload)
    SELECT %s, chunk_id, text, jsonb_build_object(%s::text, identifier_no) FROM note_chunk
    ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class NoteChunk:
    chunk_id: str
    document_id: str
    fact_id: str
    text: str
    authored_at: datetime
    source: SourcePointer


async def add(
    conn: AsyncConnection[Any],
    texts: Iterable[Text],
    known: Mapping[Identifier, int],
    recorded_at: datetime,
) -> None:
    """Record the chunks of the texts and owe them to the index."""
    rows = [row for text in texts for row in _rows(text, known[text.patient], recorded_at)]
    async with conn.cursor() as cursor:
        await cursor.executemany(_ADD, rows)
    await index_queue.add(conn, [Owed(NOTES, row[0], row[5], {IDENTIFIER: row[1]}) for row in rows])


async def of(
    conn: AsyncConnection[Any], chunk_ids: Collection[str], numbers: Collection[int], known_at: datetime | str
) -> dict[str, NoteChunk]:
    """Those of the chunks that belong to these identifiers and were the last reading at that time."""
    asked = {"chunks": list(chunk_ids), "numbers": list(numbers), "known_at": known_at}
    rows = await (await conn.execute(_OF, asked)).fetchall()
    return {row[0]: _chunk(*row) for row in rows}


async def pending(conn: AsyncConnection[Any], numbers: Collection[int]) -> int:
    """How many chunks of these identifiers the index does not have yet."""
    row = await (await conn.execute(_PENDING, (NOTES, list(numbers)))).fetchone()
    return int(row[0]) if row else 0


async def count(conn: AsyncConnection[Any]) -> int:
    """How many chunks there are."""
    row = await (await conn.execute("SELECT count(*) FROM note_chunk")).fetchone()
    return int(row[0]) if row else 0


async def owe_all(conn: AsyncConnection[Any]) -> None:
    """Owe every chunk again: the index was lost."""
    await conn.execute(_OWE_ALL, (NOTES, IDENTIFIER))


def _chunk(chunk_id: str, document_id: str, fact_id: str, text: str, authored_at: datetime, source: bytes) -> NoteChunk:
    return NoteChunk(chunk_id, document_id, fact_id, text, authored_at, SourcePointer.FromString(source))


def _rows(text: Text, number: int, recorded_at: datetime) -> list[tuple[Any, ...]]:
    rows = []
    for chunk in chunks.cut(text.text):
        source = SourcePointer()
        source.CopyFrom(text.source)
        source.text_start, source.text_end = chunk.start, chunk.end
        chunk_id = event_id("note-chunk", text.text_id, str(chunk.start))
        what = (text.document_id, text.fact_id, text.text_id, chunk.text, text.authored_at, recorded_at)
        rows.append((chunk_id, number, *what, source.SerializeToString(deterministic=True)))
    return rows
