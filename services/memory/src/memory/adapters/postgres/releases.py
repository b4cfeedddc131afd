"""Editions of evidence and the steps that each took. Rows are never changed; what speaks now is evidence.py's table."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from longitude.record.v1.context_pb2 import Passage
from psycopg import AsyncConnection

from memory.domain.releases import Decision, Edition, State, Who

# One at a time decides about the library.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('memory:evidence'))"
_ADD = """INSERT INTO evidence_edition
    (edition_id, passage_id, payload, publisher, edition, date, issuer, subject, name, imported_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_STEP = """INSERT INTO evidence_step (edition_id, step, issuer, subject, name, reason, at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_OF_IDS = """SELECT edition_id, payload, publisher, edition, date, issuer, subject, name, imported_at, steps
    FROM evidence_now WHERE edition_id = ANY(%s) ORDER BY edition_id"""
_PAGE = """SELECT edition_id, payload, publisher, edition, date, issuer, subject, name, imported_at, steps
    FROM evidence_now WHERE edition_id > %s AND (%s::text IS NULL OR state = %s) ORDER BY edition_id LIMIT %s"""
_KNOWN = "SELECT edition_id FROM evidence_edition WHERE edition_id = ANY(%s)"
_DECIDED = """SELECT DISTINCT e.passage_id FROM evidence_edition e JOIN evidence_step s USING (edition_id)
    WHERE e.passage_id = ANY(%s) AND s.subject <> ''"""


async def lock(conn: AsyncConnection[Any]) -> None:
    """Until the caller's transaction ends nobody else decides about the library."""
    await conn.execute(_LOCK)


async def known(conn: AsyncConnection[Any], edition_ids: Collection[str]) -> set[str]:
    """Those that were imported before."""
    rows = await (await conn.execute(_KNOWN, (list(edition_ids),))).fetchall()
    return {edition_id for (edition_id,) in rows}


async def decided(conn: AsyncConnection[Any], passage_ids: Collection[str]) -> set[str]:
    """Passages of which a person approved or withdrew an edition."""
    rows = await (await conn.execute(_DECIDED, (list(passage_ids),))).fetchall()
    return {passage_id for (passage_id,) in rows}


async def add(conn: AsyncConnection[Any], editions: Iterable[Edition]) -> None:
    """Into quarantine."""
    async with conn.cursor() as cursor:
        await cursor.executemany(_ADD, [_row(each) for each in editions])


async def step(
    conn: AsyncConnection[Any],
    edition_ids: Iterable[str],
    name: str,
    at: datetime,
    by: Who | None = None,
    reason: str = "",
) -> None:
    """`approved`, `released`, `superseded` or `withdrawn`."""
    who = by or Who("", "")
    async with conn.cursor() as cursor:
        rows = [(each, name, who.issuer, who.subject, who.name, reason, at) for each in edition_ids]
        await cursor.executemany(_STEP, rows)


async def of_ids(conn: AsyncConnection[Any], edition_ids: Collection[str]) -> list[Edition]:
    rows = await (await conn.execute(_OF_IDS, (list(edition_ids),))).fetchall()
    return [_edition(row) for row in rows]


async def page(conn: AsyncConnection[Any], state: State | None, after: str, size: int) -> list[Edition]:
    """Editions in the order of their ids, from behind one of them; of one state, or of every."""
    rows = await (await conn.execute(_PAGE, (after, state, state, size))).fetchall()
    return [_edition(row) for row in rows]


def _row(edition: Edition) -> tuple[Any, ...]:
    who, passage = edition.importer or Who("", ""), edition.passage
    payload = passage.SerializeToString(deterministic=True)
    said = (edition.publisher, edition.edition, edition.date)
    return (edition.edition_id, passage.passage_id, payload, *said, *_of(who), edition.imported_at)


def _of(who: Who) -> tuple[str, str, str]:
    return who.issuer, who.subject, who.name


def _edition(row: Sequence[Any]) -> Edition:
    edition_id, payload, publisher, edition, date, issuer, subject, name, imported_at, steps = row
    taken = [(kind, Decision(Who(*who), reason, datetime.fromisoformat(at))) for kind, *who, reason, at in steps]
    once = {kind: decision for kind, decision in taken if kind != "approved"}
    released, superseded = once.get("released"), once.get("superseded")
    return Edition(
        edition_id=edition_id,
        passage=Passage.FromString(payload),
        publisher=publisher,
        edition=edition,
        date=date,
        importer=Who(issuer, subject, name) if subject else None,
        imported_at=imported_at,
        approvals=tuple(decision for kind, decision in taken if kind == "approved"),
        released_at=released.at if released else None,
        superseded_at=superseded.at if superseded else None,
        withdrawal=once.get("withdrawn"),
    )
