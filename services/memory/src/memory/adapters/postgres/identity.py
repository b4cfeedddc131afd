"""Identifiers, links and the locks that keep one person's writes in order."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, AsyncCursor

from memory.domain.identity import Identifier, Link, LinkStatement, components
from memory.domain.updates import Update

# The fence (OFFSET 0) keeps the locks in one order.
_LOCK = """SELECT pg_advisory_xact_lock(key) FROM
    (SELECT hashtextextended(name, 0) AS key FROM unnest(%b::text[]) AS name ORDER BY key OFFSET 0) AS ordered"""
_LOCK_SHARED = _LOCK.replace("lock(", "lock_shared(")
# The clock is read behind the locks.
_REGISTER = """WITH now AS MATERIALIZED (SELECT clock_timestamp() AS moment),
asked AS (SELECT * FROM unnest(%b::text[], %b::text[]) AS asked(authority, id)),
known AS (SELECT authority, id, identifier_no FROM asked JOIN identifier USING (authority, id)),
new AS (
    INSERT INTO identifier (recorded_at, authority, id)
    SELECT moment, authority, id FROM asked, now WHERE (authority, id) NOT IN (SELECT authority, id FROM known)
    RETURNING authority, id, identifier_no
)
SELECT authority, id, identifier_no, moment FROM (SELECT * FROM known UNION ALL SELECT * FROM new) AS each, now"""
_NUMBERS = """SELECT authority, id, identifier_no FROM unnest(%b::text[], %b::text[]) AS asked(authority, id)
    JOIN identifier USING (authority, id)"""
_NUMBER = "SELECT identifier_no FROM identifier WHERE authority = %s AND id = %s AND recorded_at <= %s"
# Every link ever stated among identifiers that any link, removed or not, ever joined: a superset of the component.
_LINKS = """
WITH RECURSIVE edge AS (
    SELECT surviving_no AS one, merged_no AS other FROM identity_link
    UNION ALL
    SELECT merged_no, surviving_no FROM identity_link
), reached(no) AS (
    SELECT identifier_no FROM unnest(%(authorities)b::text[], %(ids)b::text[]) AS asked(authority, id)
    JOIN identifier USING (authority, id)
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
_EVERYONE = "SELECT authority, id, identifier_no FROM identifier ORDER BY identifier_no"
_ADD_LINKS = """INSERT INTO identity_link
    (recorded_at, event_id, ordinal, surviving_no, merged_no, removed, stated_at, received_at)
    SELECT %s, * FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bool[], %s::timestamptz[],
                             %s::timestamptz[]) ON CONFLICT DO NOTHING RETURNING event_id"""
_LAST_CHANGE = """SELECT greatest(
    (SELECT max(recorded_at) FROM identifier WHERE identifier_no = ANY(%(numbers)s)),
    (SELECT max(recorded_at) FROM unnest(%(numbers)s::bigint[]) AS number CROSS JOIN LATERAL (
        SELECT recorded_at FROM fact WHERE identifier_no = number ORDER BY recorded_at DESC LIMIT 1) AS last),
    (SELECT max(recorded_at) FROM identity_link WHERE surviving_no = ANY(%(numbers)s)),
    (SELECT max(recorded_at) FROM identity_link WHERE merged_no = ANY(%(numbers)s)),
    (SELECT max(recorded_at) FROM note_text WHERE identifier_no = ANY(%(numbers)s) AND document_id <> ''))"""


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
    return components(asked, statements)


async def everyone(conn: AsyncConnection[Any]) -> list[dict[Identifier, int]]:
    """All persons: the numbers of their identifiers."""
    rows = await (await conn.execute(_EVERYONE)).fetchall()
    numbers = {Identifier(authority, id_): number for authority, id_, number in rows}
    who = (await persons(conn, numbers, "infinity")).values()
    return [{member: numbers[member] for member in sorted(members)} for members in dict.fromkeys(who)]


async def known(
    conn: AsyncConnection[Any], identifier: Identifier, known_at: datetime | str
) -> tuple[int, frozenset[Identifier]] | None:
    """The number of an identifier and the person whom it names, as of a time; None while nobody had heard of it."""
    number = await conn.execute(_NUMBER, (*identifier, known_at))
    members = await person(conn, identifier, known_at)
    row = await number.fetchone()
    return (int(row[0]), members) if row else None


async def lock(
    conn: AsyncConnection[Any], identifiers: Iterable[Identifier]
) -> dict[Identifier, frozenset[Identifier]]:
    """Make this transaction the only writer of everyone the identifiers name, until it ends; return who they are.

    Locks are taken in one order. Only when somebody is merged while we wait may a second round cross another writer's;
    the database then ends one of the two, and the bus tries its event again.
    """
    locked: set[Identifier] = set()
    who = await persons(conn, identifiers, "infinity")
    while wanted := set[Identifier]().union(*who.values()) - locked:
        await conn.execute(_LOCK.encode(), (_names(wanted),))
        locked |= wanted
        who = await persons(conn, locked, "infinity")
    return who


async def wait_for_writers(conn: AsyncConnection[Any], identifier: Identifier) -> None:
    """Return when no transaction can still record facts of this person with a `recorded_at` in the past."""
    await conn.execute(_LOCK_SHARED.encode(), (_names(await person(conn, identifier, "infinity")),))


def _names(identifiers: Iterable[Identifier]) -> list[str]:
    return ["\x1f".join(identifier) for identifier in identifiers]


async def register(
    conn: AsyncConnection[Any], identifiers: Iterable[Identifier]
) -> tuple[Mapping[Identifier, int], datetime]:
    """The number of each identifier, given to those that are new, and the time. The caller has the locks of all."""
    asked = sorted(identifiers)
    rows = await (await conn.execute(_REGISTER, ([i.authority for i in asked], [i.id for i in asked]))).fetchall()
    return _numbers(row[:3] for row in rows), rows[0][3]


async def numbers(conn: AsyncConnection[Any], identifiers: Iterable[Identifier]) -> Mapping[Identifier, int]:
    """The numbers of the identifiers that are known."""
    ordered = sorted(identifiers)
    columns = ([i.authority for i in ordered], [i.id for i in ordered])
    return _numbers(await (await conn.execute(_NUMBERS, columns)).fetchall())


def _numbers(rows: Iterable[tuple[str, str, int]]) -> Mapping[Identifier, int]:
    return {Identifier(authority, id_): number for authority, id_, number in rows}


async def add_links(
    conn: AsyncConnection[Any],
    updates: Mapping[str, Update],
    known: Mapping[Identifier, int],
    recorded_at: datetime,
) -> Counter[str]:
    """Record the links of each event; return how many are new."""
    rows = [
        (event_id, n, known[link.surviving], known[link.merged], link.removed, update.stated_at, update.received_at)
        for event_id, update in updates.items()
        for n, link in enumerate(update.links)
    ]
    if not rows:
        return Counter()
    added = await conn.execute(_ADD_LINKS, (recorded_at, *map(list, zip(*rows, strict=True))))
    return Counter(event_id for (event_id,) in await added.fetchall())


async def last_change(conn: AsyncConnection[Any], known_numbers: Collection[int]) -> AsyncCursor[Any]:
    """Ask when the record last learned anything of these identifiers, of which there must be one."""
    return await conn.execute(_LAST_CHANGE, {"numbers": list(known_numbers)})
