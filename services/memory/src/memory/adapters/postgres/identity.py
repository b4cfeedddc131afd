"""Identifiers, links and the locks that keep one person's writes in order."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from memory.domain.identity import Identifier, Link, LinkStatement, component
from memory.domain.updates import Update

# The fence (OFFSET 0) keeps the locks in one order.
_LOCK = """SELECT pg_advisory_xact_lock(key) FROM
    (SELECT hashtextextended(name, 0) AS key FROM unnest(%s::text[]) AS name ORDER BY name OFFSET 0) AS ordered"""
_LOCK_SHARED = _LOCK.replace("lock(", "lock_shared(")
_REGISTER = """INSERT INTO identifier (authority, id, recorded_at) VALUES (%s, %s, %s)
    ON CONFLICT (authority, id) DO NOTHING"""
_NUMBERS = """SELECT authority, id, identifier_no FROM identifier
    WHERE (authority, id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"""
_KNOWN = "SELECT 1 FROM identifier WHERE authority = %s AND id = %s AND recorded_at <= %s"
# Every link ever stated among identifiers that any link, removed or not, ever joined: a superset of the component.
_LINKS = """
WITH RECURSIVE edge AS (
    SELECT surviving_no AS one, merged_no AS other FROM identity_link
    UNION ALL
    SELECT merged_no, surviving_no FROM identity_link
), reached(no) AS (
    SELECT identifier_no FROM identifier
    WHERE (authority, id) IN (SELECT * FROM unnest(%(authorities)s::text[], %(ids)s::text[]))
    UNION
    SELECT edge.other FROM reached JOIN edge ON edge.one = reached.no
)
SELECT s.authority, s.id, m.authority, m.id, l.removed, l.stated_at, l.received_at, l.ordinal, l.recorded_at
FROM reached
JOIN identity_link l ON l.surviving_no = reached.no
JOIN identifier s ON s.identifier_no = l.surviving_no
JOIN identifier m ON m.identifier_no = l.merged_no
WHERE l.recorded_at <= %(known_at)s
"""
_ADD_LINK = """INSERT INTO identity_link
    (event_id, ordinal, surviving_no, merged_no, removed, stated_at, received_at, recorded_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""


async def person(conn: AsyncConnection[Any], identifier: Identifier, known_at: datetime | str) -> frozenset[Identifier]:
    """Every identifier of a person as the record knew it."""
    return (await persons(conn, [identifier], known_at))[identifier]


async def persons(
    conn: AsyncConnection[Any], identifiers: Iterable[Identifier], known_at: datetime | str
) -> dict[Identifier, frozenset[Identifier]]:
    """The person whom each identifier names: all their identifiers."""
    asked = sorted(identifiers)
    columns = {"authorities": [i.authority for i in asked], "ids": [i.id for i in asked], "known_at": known_at}
    rows = await (await conn.execute(_LINKS, columns)).fetchall()
    statements = [LinkStatement(Link(Identifier(*row[0:2]), Identifier(*row[2:4]), row[4]), *row[5:]) for row in rows]
    return {identifier: component(identifier, statements) for identifier in asked}


async def is_known(conn: AsyncConnection[Any], identifier: Identifier, known_at: datetime | str) -> bool:
    return await (await conn.execute(_KNOWN, (*identifier, known_at))).fetchone() is not None


async def lock(conn: AsyncConnection[Any], identifiers: Iterable[Identifier]) -> None:
    """Make this transaction the only writer of everyone the identifiers name, until it ends.

    Locks are taken in one order. Only when somebody is merged while we wait may a second round cross another writer's;
    the database then ends one of the two, and the bus tries its event again.
    """
    locked: set[Identifier] = set()
    wanted = await _everyone(conn, identifiers)
    while wanted - locked:
        await conn.execute(_LOCK.encode(), (_names(wanted - locked),))
        locked |= wanted
        wanted = await _everyone(conn, locked)


async def wait_for_writers(conn: AsyncConnection[Any], identifier: Identifier) -> None:
    """Return when no transaction can still record facts of this person with a `recorded_at` in the past."""
    await conn.execute(_LOCK_SHARED.encode(), (_names(await _everyone(conn, [identifier])),))


async def _everyone(conn: AsyncConnection[Any], identifiers: Iterable[Identifier]) -> set[Identifier]:
    """All identifiers of all persons named."""
    return set[Identifier]().union(*(await persons(conn, identifiers, "infinity")).values())


def _names(identifiers: Iterable[Identifier]) -> list[str]:
    return ["\x1f".join(identifier) for identifier in identifiers]


async def register(
    conn: AsyncConnection[Any], identifiers: Iterable[Identifier], recorded_at: datetime
) -> Mapping[Identifier, int]:
    """The number of each identifier, given to those that are new."""
    wanted = set(identifiers)
    known = await numbers(conn, wanted)
    if wanted == known.keys():
        return known
    async with conn.cursor() as cursor:
        await cursor.executemany(
            _REGISTER, [(*identifier, recorded_at) for identifier in sorted(wanted - known.keys())]
        )
    return await numbers(conn, wanted)


async def numbers(conn: AsyncConnection[Any], identifiers: Iterable[Identifier]) -> Mapping[Identifier, int]:
    """The numbers of the identifiers that are known."""
    ordered = sorted(identifiers)
    columns = ([i.authority for i in ordered], [i.id for i in ordered])
    rows = await (await conn.execute(_NUMBERS, columns)).fetchall()
    return {Identifier(authority, id_): number for authority, id_, number in rows}


async def add_links(
    conn: AsyncConnection[Any],
    update: Update,
    known: Mapping[Identifier, int],
    event_id: str,
    recorded_at: datetime,
) -> int:
    """Record the update's links; return how many are new."""
    rows = [
        (event_id, n, known[link.surviving], known[link.merged], link.removed, update.stated_at, update.received_at)
        for n, link in enumerate(update.links)
    ]
    added = 0
    for row in rows:
        added += (await conn.execute(_ADD_LINK, (*row, recorded_at))).rowcount
    return added
