"""The history of contradictions: a row when one opens, changes its facts, or is resolved."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Now:
    """What the rules find about one person now, and the event after which they looked."""

    event_id: str
    numbers: Collection[int]
    conflicts: Collection[Conflict]
    number_of_fact: Mapping[str, int]


async def refresh(conn: AsyncConnection[Any], persons: Sequence[Now], recorded_at: datetime) -> dict[str, list[str]]:
    """Bring the history of persons to what the rules find now; return the ids that opened after each event."""
    everyone = {number for person in persons for number in person.numbers}
    last = {found.contradiction_id: found for found in await _last(conn, _TOUCHING, everyone, "infinity")}
    opened: dict[str, list[str]] = defaultdict(list)
    rows: list[tuple[Any, ...]] = []
    for person in persons:
        for found in _changes(person, last, recorded_at):
            old = last.get(found.contradiction_id)
            if found.open and not (old and old.open):
                opened[person.event_id].append(found.contradiction_id)
            last[found.contradiction_id] = found
            rows.append((*astuple(found), recorded_at, person.event_id))
    async with conn.cursor() as cursor:
        await cursor.executemany(_ADD, rows)
    return opened


def _changes(person: Now, last: Mapping[str, Found], recorded_at: datetime) -> list[Found]:
    numbers = set(person.numbers)
    before = {id_: found for id_, found in last.items() if found.open and numbers & set(found.identifier_nos)}
    changes: list[Found] = []
    for conflict in person.conflicts:
        old = before.pop(conflict.id, None)
        if old is None or tuple(old.fact_ids) != conflict.fact_ids:
            between = sorted({person.number_of_fact[fact_id] for fact_id in conflict.fact_ids})
            found_at = old.found_at if old else recorded_at
            changes.append(Found(conflict.id, conflict.rule, list(conflict.fact_ids), between, True, found_at))
    return changes + [replace(old, open=False) for old in before.values()]


async def _last(
    conn: AsyncConnection[Any], query: str, numbers: Collection[int], known_at: datetime | str
) -> list[Found]:
    async with conn.cursor(row_factory=class_row(Found)) as cursor:
        await cursor.execute(query.encode(), {"numbers": list(numbers), "known_at": known_at})
        return await cursor.fetchall()
