"""The history of contradictions: a row when one opens, changes its facts, or is resolved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from memory.domain.contradictions import Conflict

_LAST = """SELECT DISTINCT ON (contradiction_id)
    contradiction_id, rule, fact_ids, identifier_nos, open, found_at
    FROM contradiction WHERE identifier_nos {op} %(numbers)s::bigint[] AND recorded_at <= %(known_at)s
    ORDER BY contradiction_id, position DESC"""
_TOUCHING = _LAST.format(op="&&")
_WITHIN = _LAST.format(op="<@")
_ADD = """INSERT INTO contradiction
    (contradiction_id, rule, fact_ids, identifier_nos, open, found_at, recorded_at, event_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""


@dataclass(frozen=True, slots=True)
class Found:
    """A contradiction in its last state."""

    contradiction_id: str
    rule: str
    fact_ids: Sequence[str]
    identifier_nos: Sequence[int]
    open: bool
    found_at: datetime


async def of(conn: AsyncConnection[Any], numbers: Collection[int], known_at: datetime | str) -> list[Found]:
    """The contradictions among the facts of these identifiers and no others, as of a time."""
    return await _last(conn, _WITHIN, numbers, known_at)


async def refresh(
    conn: AsyncConnection[Any],
    numbers: Collection[int],
    conflicts: Collection[Conflict],
    number_of_fact: Mapping[str, int],
    event_id: str,
    recorded_at: datetime,
) -> list[str]:
    """Bring the history of one person to what the rules find now; return the ids of those that opened."""
    before = {found.contradiction_id: found for found in await _last(conn, _TOUCHING, numbers, "infinity")}
    opened: list[str] = []
    rows: list[tuple[Any, ...]] = []
    for conflict in conflicts:
        old = before.pop(conflict.id, None)
        if old and old.open and tuple(old.fact_ids) == conflict.fact_ids:
            continue
        still = old is not None and old.open
        if not still:
            opened.append(conflict.id)
        found_at = old.found_at if old and still else recorded_at
        between = sorted({number_of_fact[fact_id] for fact_id in conflict.fact_ids})
        rows.append((conflict.id, conflict.rule, list(conflict.fact_ids), between, True, found_at))
    rows += [
        (old.contradiction_id, old.rule, old.fact_ids, old.identifier_nos, False, old.found_at)
        for old in before.values()
        if old.open
    ]
    async with conn.cursor() as cursor:
        await cursor.executemany(_ADD, [(*row, recorded_at, event_id) for row in rows])
    return opened


async def _last(
    conn: AsyncConnection[Any], query: str, numbers: Collection[int], known_at: datetime | str
) -> list[Found]:
    async with conn.cursor(row_factory=class_row(Found)) as cursor:
        await cursor.execute(query.encode(), {"numbers": list(numbers), "known_at": known_at})
        return await cursor.fetchall()
