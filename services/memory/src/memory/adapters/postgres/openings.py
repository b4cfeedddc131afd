"""Openings of records, and their steps: ended before their time, reviewed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from memory.domain.identity import Identifier
from memory.domain.releases import Who

_ADD = """INSERT INTO opening
    (opening_id, identifier_no, issuer, subject, name, purpose, labels, reason, opened_at, ends_at, review)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_COLUMNS = """SELECT o.opening_id::text, i.authority, i.id, o.issuer, o.subject, o.name, o.purpose, o.labels, o.reason,
    o.opened_at, o.ends_at, o.review, ended.at, reviewed.issuer, reviewed.subject, reviewed.name, reviewed.justified,
    reviewed.comment
    FROM opening o JOIN identifier i USING (identifier_no)
    LEFT JOIN opening_step ended ON ended.opening_id = o.opening_id AND ended.step = 'ended'
    LEFT JOIN opening_step reviewed ON reviewed.opening_id = o.opening_id AND reviewed.step = 'reviewed'"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('memory:opening'), hashtext(%s))"
_ONE = f"{_COLUMNS} WHERE o.opening_id = %s"
_LIST = f"""{_COLUMNS} WHERE (%(everybody)s OR (o.issuer, o.subject) = (%(issuer)s, %(subject)s))
    AND (NOT %(unreviewed)s OR (o.review AND reviewed.at IS NULL)) ORDER BY o.opened_at DESC LIMIT %(most)s"""
_STEP = """INSERT INTO opening_step (opening_id, step, issuer, subject, name, justified, comment, at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """An opening with what became of it."""

    opening_id: str
    patient: Identifier
    by: Who
    purpose: str
    labels: int
    reason: str
    opened_at: datetime
    ends_at: datetime
    review: bool
    ended_at: datetime | None = None
    reviewed_by: Who | None = None
    justified: bool = False
    comment: str = ""


async def add(conn: AsyncConnection[Any], kept: Kept, number: int) -> None:
    """Record a new one; `number`: of the identifier that it was asked for."""
    who = (kept.by.issuer, kept.by.subject, kept.by.name)
    what = (kept.purpose, kept.labels, kept.reason, kept.opened_at, kept.ends_at, kept.review)
    await conn.execute(_ADD, (kept.opening_id, number, *who, *what))


async def one(conn: AsyncConnection[Any], opening_id: str) -> Kept | None:
    """An opening, which nobody else changes until this transaction ends; None where there is none."""
    await conn.execute(_LOCK, (opening_id,))
    row = await (await conn.execute(_ONE.encode(), (opening_id,))).fetchone()
    return None if row is None else _kept(row)


async def some(conn: AsyncConnection[Any], by: Who, *, everybody: bool, unreviewed: bool) -> list[Kept]:
    """The newest openings of one person, or of everybody."""
    asked = {"everybody": everybody, "issuer": by.issuer, "subject": by.subject}
    rows = await conn.execute(_LIST.encode(), {**asked, "unreviewed": unreviewed, "most": MOST})
    return [_kept(row) for row in await rows.fetchall()]


async def step(
    conn: AsyncConnection[Any],
    opening_id: str,
    name: str,
    by: Who,
    at: datetime,
    *,
    justified: bool | None = None,
    comment: str = "",
) -> None:
    """Record that it was `ended` or `reviewed`; each happens once."""
    await conn.execute(_STEP, (opening_id, name, by.issuer, by.subject, by.name, justified, comment, at))


def _kept(row: Sequence[Any]) -> Kept:
    opening_id, authority, identifier, *by, purpose, labels, reason, opened_at, ends_at, review = row[:12]
    ended_at, *reviewer, justified, comment = row[12:]
    return Kept(
        opening_id,
        Identifier(authority, identifier),
        Who(*by),
        purpose,
        labels,
        reason,
        opened_at,
        ends_at,
        review,
        ended_at,
        Who(*reviewer) if reviewer[0] is not None else None,
        bool(justified),
        comment or "",
    )
