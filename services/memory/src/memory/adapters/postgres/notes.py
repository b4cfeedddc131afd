"""Texts of notes and documents, and the chunks that they are cut into. The index finds the ids; the words are here.

A text is recorded whole and queued to be cut: recording one of any length takes no longer than its bytes.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from contracts.identifiers import event_id
from longitude.record.v1.fact_pb2 import SourcePointer
from psycopg import AsyncConnection

from memory.adapters.postgres import index_queue
from memory.adapters.postgres.index_queue import Owed
from memory.domain import chunks
from memory.domain.identity import Identifier
from memory.domain.updates import Text
from memory.domain.vectors import IDENTIFIER, NOTES

# Texts wait the longer the longer they are: a short note never for a book.
_ADD = """WITH new AS (
    INSERT INTO note_text (recorded_at, text_id, identifier_no, document_id, fact_id, text, authored_at, source)
    SELECT %s, * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
                             %b::bytea[])
    ON CONFLICT DO NOTHING RETURNING text_id, identifier_no, length(text) AS length)
    INSERT INTO text_queue (text_id, identifier_no, turn)
    SELECT text_id, identifier_no, clock_timestamp() + interval '1 millisecond' * length FROM new"""
_TAKE = """SELECT text_id, identifier_no, document_id, fact_id, text, authored_at, recorded_at, source
    FROM text_queue q JOIN note_text t USING (text_id, identifier_no)
    WHERE text_id IN (SELECT text_id FROM text_queue ORDER BY turn LIMIT %s FOR UPDATE SKIP LOCKED)"""
_CUT = "DELETE FROM text_queue WHERE text_id = ANY(%s)"
_ADD_CHUNKS = """INSERT INTO note_chunk
    (chunk_id, identifier_no, document_id, fact_id, text_id, text, authored_at, recorded_at, source)
    SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
                         %s::timestamptz[], %b::bytea[]) ON CONFLICT DO NOTHING"""
# A document that was read again answers with its last reading only.
_OF = """SELECT chunk_id::text, document_id, fact_id, text, authored_at, source FROM note_chunk c
    WHERE chunk_id = ANY(%(chunks)s::uuid[]) AND identifier_no = ANY(%(numbers)s) AND recorded_at <= %(known_at)s
    AND (document_id = '' OR NOT EXISTS (
        SELECT 1 FROM note_chunk later
        WHERE later.identifier_no = c.identifier_no AND later.document_id = c.document_id
        AND (later.recorded_at, later.text_id) > (c.recorded_at, c.text_id)
        AND later.text_id <> c.text_id AND later.recorded_at <= %(known_at)s))"""
# Of each document its last reading at that time, in the order asked for, as far as a page can hold.
_WHOLE = """SELECT position, text, source, many FROM (
    SELECT *, count(*) OVER () AS many,
        sum(octet_length(text)) OVER (ORDER BY position) - octet_length(text) AS before
    FROM unnest(%(documents)s::text[]) WITH ORDINALITY AS asked(document, position) CROSS JOIN LATERAL (
        SELECT text, source FROM note_text
        WHERE identifier_no = ANY(%(numbers)s) AND document_id = document AND document_id <> ''
        AND recorded_at <= %(known_at)s ORDER BY recorded_at DESC, text_id DESC LIMIT 1
    ) AS reading
) AS page WHERE before < %(bytes)s ORDER BY position"""
_PENDING = """SELECT (SELECT count(*) FROM index_queue WHERE identifier_no = ANY(%(numbers)s))
    + (SELECT count(*) FROM text_queue WHERE identifier_no = ANY(%(numbers)s))"""
_PIECES = """SELECT (SELECT count(*) FROM note_chunk WHERE identifier_no = ANY(%(numbers)s))
    + (SELECT count(*) FROM text_queue WHERE identifier_no = ANY(%(numbers)s))"""
_OWE_ALL = """INSERT INTO index_queue (collection, point_id, text, payload, identifier_no, words, meaning, turn)
    SELECT %s, chunk_id, text, jsonb_build_object(%s::text, identifier_no), identifier_no, true, %s,
        clock_timestamp() + interval '50 milliseconds' * row_number() OVER (PARTITION BY identifier_no)
    FROM note_chunk ON CONFLICT (collection, point_id) DO UPDATE
    SET words = true, meaning = index_queue.meaning OR excluded.meaning"""


@dataclass(frozen=True, slots=True)
class NoteChunk:
    chunk_id: str
    document_id: str
    fact_id: str
    text: str
    authored_at: datetime
    source: SourcePointer


class WholeText(NamedTuple):
    """The text of a document, and which of those asked for it is."""

    position: int
    text: str
    source: SourcePointer


async def add(
    conn: AsyncConnection[Any],
    texts: Iterable[Text],
    known: Mapping[Identifier, int],
    recorded_at: datetime,
) -> None:
    """Record the texts and queue them to be cut."""
    rows = [
        (
            *(text.text_id, known[text.patient], text.document_id, text.fact_id, text.text, text.authored_at),
            text.source.SerializeToString(deterministic=True),
        )
        for text in texts
    ]
    if rows:
        await conn.execute(_ADD, (recorded_at, *map(list, zip(*rows, strict=True))))


async def cut(conn: AsyncConnection[Any], limit: int) -> int:
    """Cut some of the texts that wait, inside the caller's transaction, and owe the chunks to the index; how many."""
    texts = await (await conn.execute(_TAKE, (limit,))).fetchall()
    if texts:
        rows = await asyncio.to_thread(lambda: [row for text in texts for row in _chunks(*text)])
        if rows:
            await conn.execute(_ADD_CHUNKS, tuple(map(list, zip(*rows, strict=True))))
        await index_queue.add(conn, [_owed(*row) for row in rows])
        await conn.execute(_CUT, ([text[0] for text in texts],))
    return len(texts)


async def of(
    conn: AsyncConnection[Any], chunk_ids: Collection[str], numbers: Collection[int], known_at: datetime | str
) -> dict[str, NoteChunk]:
    """Those of the chunks that belong to these identifiers and were the last reading at that time."""
    asked = {"chunks": list(chunk_ids), "numbers": list(numbers), "known_at": known_at}
    rows = await (await conn.execute(_OF, asked)).fetchall()
    return {row[0]: _chunk(*row) for row in rows}


async def whole(
    conn: AsyncConnection[Any],
    document_ids: Sequence[str],
    numbers: Collection[int],
    known_at: datetime,
    most_bytes: int,
) -> tuple[list[WholeText], bool]:
    """The texts of these documents of these identifiers, as their last reading at that time gave them, and whether they
    are all. The first is given whatever its size, each further one while those before it have less than `most_bytes`.
    """
    asked = {
        "documents": list(document_ids),
        "numbers": list(numbers),
        "known_at": known_at,
        "bytes": most_bytes,
    }
    rows = await (await conn.execute(_WHOLE, asked)).fetchall()
    texts = [WholeText(row[0] - 1, row[1], SourcePointer.FromString(row[2])) for row in rows]
    return texts, not rows or rows[0][3] == len(rows)


async def pending(conn: AsyncConnection[Any], numbers: Collection[int]) -> int:
    """How many pieces of these identifiers' texts the index does not have yet; a text that is not cut yet is one."""
    row = await (await conn.execute(_PENDING, {"numbers": list(numbers)})).fetchone()
    return int(row[0]) if row else 0


async def pieces(conn: AsyncConnection[Any], numbers: Collection[int]) -> int:
    """How many pieces these identifiers' texts have; a text that is not cut yet is one."""
    row = await (await conn.execute(_PIECES, {"numbers": list(numbers)})).fetchone()
    return int(row[0]) if row else 0


async def count(conn: AsyncConnection[Any]) -> int:
    """How many chunks there are."""
    row = await (await conn.execute("SELECT count(*) FROM note_chunk")).fetchone()
    return int(row[0]) if row else 0


async def owe_all(conn: AsyncConnection[Any]) -> None:
    """Owe every chunk again: the index was lost."""
    await conn.execute(_OWE_ALL, (NOTES, IDENTIFIER, True))


async def owe_words(conn: AsyncConnection[Any]) -> None:
    """Owe the words of every chunk: the index is from before there were words."""
    await conn.execute(_OWE_ALL, (NOTES, IDENTIFIER, False))


def _chunk(chunk_id: str, document_id: str, fact_id: str, text: str, authored_at: datetime, source: bytes) -> NoteChunk:
    return NoteChunk(chunk_id, document_id, fact_id, text, authored_at, SourcePointer.FromString(source))


def _owed(chunk_id: str, number: int, *row: Any) -> Owed:
    return Owed(NOTES, chunk_id, row[3], {IDENTIFIER: number}, number, words=True)


def _chunks(
    text_id: str,
    number: int,
    document_id: str,
    fact_id: str,
    text: str,
    authored: datetime,
    recorded: datetime,
    at: bytes,
) -> list[tuple[Any, ...]]:
    rows = []
    for chunk in chunks.cut(text):
        source = SourcePointer.FromString(at)
        source.text_start, source.text_end = chunk.start, chunk.end
        chunk_id = event_id("note-chunk", text_id, str(chunk.start))
        what = (number, document_id, fact_id, text_id, chunk.text, authored, recorded)
        rows.append((chunk_id, *what, source.SerializeToString(deterministic=True)))
    return rows
