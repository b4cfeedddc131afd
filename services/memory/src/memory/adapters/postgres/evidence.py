"""The passages that are released: by id, by words and by concepts. What is not here is not found."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from consult.context.ranking import codes_of
from contracts.identifiers import event_id
from longitude.record.v1.context_pb2 import Passage
from psycopg import AsyncConnection

from memory.adapters.postgres import index_queue
from memory.adapters.postgres.index_queue import Owed
from memory.domain.passages import text_of
from memory.domain.vectors import EVIDENCE

_PUT = """INSERT INTO evidence_passage (passage_id, edition_id, point_id, sha256, payload, codes, terms, loaded_at)
    VALUES (%(passage_id)s, %(edition_id)s, %(point_id)s, %(sha256)s, %(payload)s, %(codes)s,
        setweight(to_tsvector('english', %(title)s), 'A') || setweight(to_tsvector('english', %(pico)s), 'B')
        || setweight(to_tsvector('english', %(text)s), 'C'), clock_timestamp())
    ON CONFLICT (passage_id) DO UPDATE SET edition_id = excluded.edition_id, sha256 = excluded.sha256,
        payload = excluded.payload, codes = excluded.codes, terms = excluded.terms, loaded_at = excluded.loaded_at"""
_NOW = "SELECT passage_id, edition_id FROM evidence_passage WHERE passage_id = ANY(%s)"
_REMOVE = """WITH gone AS (DELETE FROM evidence_passage WHERE edition_id = %s RETURNING point_id)
    DELETE FROM index_queue USING gone WHERE collection = %s AND index_queue.point_id = gone.point_id"""
# Any word may match: `&` of the parsed query becomes `|`.
_FIND = """SELECT payload, point_id::text FROM evidence_passage,
    CAST(replace(plainto_tsquery('english', %(words)s)::text, '&', '|') AS tsquery) AS query
    WHERE terms @@ query OR codes && %(codes)s::text[] OR point_id = ANY(%(points)s::uuid[])
    ORDER BY point_id = ANY(%(points)s::uuid[]) DESC, ts_rank(terms, query) DESC, codes && %(codes)s::text[] DESC,
        passage_id
    LIMIT %(limit)s"""


async def put(conn: AsyncConnection[Any], passages: Sequence[Passage]) -> None:
    """From now on these speak, each in the place of the edition before it. `release` of each is set."""
    async with conn.cursor() as cursor:
        await cursor.executemany(_PUT, [_row(passage) for passage in passages])
    await index_queue.add(conn, [_owed(passage) for passage in passages])


async def remove(conn: AsyncConnection[Any], edition_id: str) -> None:
    """It speaks no more; nothing to do where it does not."""
    await conn.execute(_REMOVE, (edition_id, EVIDENCE))


async def speaking(conn: AsyncConnection[Any], passage_ids: Iterable[str]) -> dict[str, str]:
    """The edition of each passage that speaks now."""
    rows = await (await conn.execute(_NOW, (list(passage_ids),))).fetchall()
    return dict(rows)


async def candidates(
    conn: AsyncConnection[Any], words: str, codes: Collection[str], points: Collection[str], limit: int
) -> list[tuple[Passage, str]]:
    """Passages that the index found, that carry a concept, or that share a word; each with its point id."""
    asked = {"words": words, "codes": list(codes), "points": list(points), "limit": limit}
    rows = await (await conn.execute(_FIND, asked)).fetchall()
    return [(Passage.FromString(payload), point) for payload, point in rows]


async def everything(conn: AsyncConnection[Any]) -> list[Passage]:
    """All of them, by passage id."""
    rows = await (await conn.execute("SELECT payload FROM evidence_passage ORDER BY passage_id")).fetchall()
    return [Passage.FromString(payload) for (payload,) in rows]


async def count(conn: AsyncConnection[Any]) -> int:
    row = await (await conn.execute("SELECT count(*) FROM evidence_passage")).fetchone()
    return int(row[0]) if row else 0


async def owe_all(conn: AsyncConnection[Any]) -> None:
    """Owe every passage again: the index was lost."""
    rows = await (await conn.execute("SELECT payload FROM evidence_passage")).fetchall()
    await index_queue.add(conn, [_owed(Passage.FromString(payload)) for (payload,) in rows])


def _owed(passage: Passage) -> Owed:
    return Owed(EVIDENCE, point_id(passage.passage_id), text_of(passage), {"passage_id": passage.passage_id})


def point_id(passage_id: str) -> str:
    """The id of a passage's point in the vector index."""
    return event_id("evidence-passage", passage_id)


def _row(passage: Passage) -> dict[str, Any]:
    payload = passage.SerializeToString(deterministic=True)
    names = [passage.title, *(code.display for code in passage.codes)]
    pico = [passage.population, passage.intervention, passage.comparison, passage.outcome]
    return {
        "passage_id": passage.passage_id,
        "edition_id": passage.release.edition_id,
        "point_id": point_id(passage.passage_id),
        "sha256": hashlib.sha256(payload).hexdigest(),
        "payload": payload,
        "codes": sorted(codes_of(passage)),
        "title": " ".join(names),
        "pico": " ".join(pico),
        "text": passage.text,
    }
