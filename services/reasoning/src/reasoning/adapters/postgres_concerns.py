"""Concerns in PostgreSQL, and whose record is to be looked at (schema `reasoning`).

A wish to look at a record is a row that is stamped; a reading that began after the stamp serves it, so that wishes of
one patient that come together are served together, and a process that is killed leaves the wish.
"""

# ruff: noqa: S608 - queries are put together of our own constants

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consult.surveillance import is_open
from contracts.identifiers import format_patient
from longitude.reasoning.v1.concern_pb2 import CONCERN_ACTION_SNOOZE, Concern, ConcernAct
from longitude.record.v1.fact_pb2 import PatientKey
from psycopg import AsyncConnection

Connection = AsyncConnection[Any]

_WANT = """INSERT INTO watched_patient AS w (patient_id, authority, wanted_since, wanted_at, person)
    SELECT id, authority, clock_timestamp(), clock_timestamp(), id || '@' || authority
    FROM unnest(%b::text[], %b::text[]) AS asked (id, authority) ORDER BY id, authority
    ON CONFLICT (patient_id, authority) DO UPDATE SET wanted_at = clock_timestamp(), not_before = '-infinity',
    wanted_since = CASE WHEN w.wanted_at > coalesce(w.read_at, '-infinity')
                   THEN w.wanted_since ELSE clock_timestamp() END"""
_WANT_ALL = """UPDATE watched_patient SET wanted_at = clock_timestamp(), wanted_since = clock_timestamp()
    WHERE read_at IS NOT NULL AND wanted_at <= read_at"""
# The first of the oldest that no other worker has; its lock ends with the transaction, or with the process.
_FREE = "pg_try_advisory_xact_lock(hashtext('concerns'), hashtext(patient_id || '@' || authority))"
_CLAIM = f"""SELECT patient_id, authority, wanted_since, clock_timestamp() FROM (
    SELECT patient_id, authority, wanted_since FROM watched_patient
    WHERE (read_at IS NULL OR wanted_at > read_at) AND not_before <= clock_timestamp()
    ORDER BY wanted_since LIMIT 64) AS wanted WHERE {_FREE} LIMIT 1"""
# On another day the same record may say something else.
_CLAIM_OLD = f"""SELECT patient_id, authority, wanted_since, clock_timestamp() FROM (
    SELECT patient_id, authority, wanted_since FROM watched_patient
    WHERE read_at < date_trunc('day', clock_timestamp()) AND not_before <= clock_timestamp()
    ORDER BY read_at LIMIT 64) AS old WHERE {_FREE} LIMIT 1"""
_OF = "(patient_id, authority) IN (SELECT * FROM unnest(%(ids)s::text[], %(authorities)s::text[]))"
_ADD = """INSERT INTO watched_patient (patient_id, authority, wanted_since, wanted_at, person)
    SELECT id, authority, %(read_at)s, %(read_at)s, %(person)s
    FROM unnest(%(ids)s::text[], %(authorities)s::text[]) AS asked (id, authority) ORDER BY id, authority
    ON CONFLICT DO NOTHING"""
_LOCK = f"""SELECT person, read_at FROM watched_patient WHERE {_OF}
    ORDER BY patient_id, authority FOR UPDATE"""
# Who was of this person and is not any more has a record of their own again.
_PARTED = f"""UPDATE watched_patient SET wanted_at = clock_timestamp(), wanted_since = clock_timestamp(),
    person = patient_id || '@' || authority WHERE person = ANY(%(persons)s) AND NOT {_OF}"""
_READ = f"""UPDATE watched_patient SET read_at = %(read_at)s, person = %(person)s, failures = 0,
    not_before = '-infinity' WHERE {_OF}"""
_POSTPONE = """UPDATE watched_patient SET
    failures = least(failures + %(grows)s::int, 12),
    read_at = CASE WHEN %(served)s THEN %(read_at)s ELSE read_at END,
    not_before = clock_timestamp()
                 + interval '1 s' * CASE WHEN %(grows)s THEN least(power(2, failures), 3600) ELSE 5 END
    WHERE (patient_id, authority) = (%(id)s, %(authority)s)"""
_CONCERNS = f"SELECT concern FROM concern WHERE {_OF}"
_KEEP = """INSERT INTO concern
    (concern_id, patient_id, authority, concern, family, urgency, is_open, opened_at, quiet_until)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (concern_id) DO UPDATE SET
    concern = excluded.concern, urgency = excluded.urgency, is_open = excluded.is_open,
    opened_at = excluded.opened_at, quiet_until = excluded.quiet_until"""
_ACT = "INSERT INTO concern_act (concern_id, revision, act, acted_at) VALUES (%s, %s, %s, %s)"
_GET = "SELECT concern FROM concern WHERE concern_id = %s"
_LIST = f"""SELECT concern FROM concern WHERE is_open AND urgency <= %(least)s
    AND (%(acted)s OR quiet_until IS NULL OR quiet_until <= clock_timestamp())
    AND (%(everybody)s OR {_OF}) AND (%(families)s::text[] IS NULL OR family = ANY(%(families)s))
    AND (urgency, opened_at, concern_id) > (%(urgency)s, %(opened_at)s, %(concern_id)s::uuid)
    ORDER BY urgency, opened_at, concern_id LIMIT %(most)s"""
_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A record that is to be looked at, by one worker. `read_at`: before it is read."""

    patient: PatientKey
    wanted_since: datetime
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which concern a page begins."""

    urgency: int
    opened_at: datetime
    concern_id: str


# Before all of them.
START = Place(0, datetime.min.replace(tzinfo=UTC), str(uuid.UUID(int=0)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open concerns. `identifiers` None: of everybody; `families` None: of all."""

    identifiers: Collection[PatientKey] | None
    least: int
    acted: bool
    families: Sequence[str] | None
    most: int
    after: Place


async def want(conn: Connection, patients: Iterable[PatientKey]) -> None:
    """Their records are to be looked at; inside the caller's transaction."""
    asked = sorted({(each.id, each.authority) for each in patients})
    await conn.execute(_WANT, ([each[0] for each in asked], [each[1] for each in asked]))


async def want_all(conn: Connection) -> None:
    """Every record that was ever looked at."""
    await conn.execute(_WANT_ALL)


async def claim(conn: Connection, *, old: bool = False) -> Claimed | None:
    """A record that is wanted, the oldest wish first; with `old`, one that was last read on another day. It is this
    transaction's until that ends.
    """
    row = await (await conn.execute(_CLAIM_OLD if old else _CLAIM)).fetchone()
    return Claimed(PatientKey(id=row[0], authority=row[1]), row[2], row[3]) if row else None


async def lock(conn: Connection, identifiers: Collection[PatientKey], read_at: datetime) -> list[Concern] | None:
    """The concerns of a person, for this transaction alone. None where somebody has read a newer record meanwhile."""
    of = {**_of(identifiers), "read_at": read_at}
    await conn.execute(_ADD, of)
    rows = await (await conn.execute(_LOCK, of)).fetchall()
    if any(read is not None and read > read_at for _, read in rows):
        return None
    await conn.execute(_PARTED, {**of, "persons": [person for person, _ in rows]})
    await conn.execute(_READ, of)
    return await _concerns(await conn.execute(f"{_CONCERNS} FOR UPDATE", of))


async def known(conn: Connection, identifiers: Collection[PatientKey]) -> list[Concern]:
    """The same, without locking anything."""
    return await _concerns(await conn.execute(_CONCERNS, _of(identifiers)))


async def postpone(conn: Connection, claimed: Claimed, *, grows: bool = False, served: bool = False) -> None:
    """Tried again in five seconds; with `grows` ever later, up to hourly. `served`: not before it is wanted again."""
    who = {"id": claimed.patient.id, "authority": claimed.patient.authority}
    await conn.execute(_POSTPONE, {**who, "grows": grows, "served": served, "read_at": claimed.read_at})


async def keep(conn: Connection, concerns: Iterable[Concern]) -> None:
    """As they are from now on; inside the caller's transaction."""
    for each in concerns:
        await conn.execute(
            _KEEP,
            (
                each.concern_id,
                each.patient.id,
                each.patient.authority,
                each.SerializeToString(deterministic=True),
                each.row.partition("/")[0],
                each.urgency,
                is_open(each),
                each.opened_at.ToDatetime(tzinfo=UTC),
                _quiet_until(each),
            ),
        )


async def act(conn: Connection, concern: Concern, done: ConcernAct) -> None:
    """The concern after what a person did, and that; inside the caller's transaction."""
    await keep(conn, [concern])
    at = done.acted_at.ToDatetime(tzinfo=UTC)
    data = done.SerializeToString(deterministic=True)
    await conn.execute(_ACT, (concern.concern_id, concern.revision, data, at))


async def get(conn: Connection, concern_id: str, *, lock: bool = False) -> Concern | None:
    """One concern; with `lock`, for this transaction alone."""
    found = await _concerns(await conn.execute(f"{_GET} FOR UPDATE" if lock else _GET, (concern_id,)))
    return found[0] if found else None


async def page(conn: Connection, wanted: Wanted) -> list[Concern]:
    """Open concerns, the most urgent first, then the oldest."""
    after = wanted.after
    asked = {
        **_of(wanted.identifiers or ()),
        "everybody": wanted.identifiers is None,
        "least": wanted.least,
        "acted": wanted.acted,
        "families": None if wanted.families is None else list(wanted.families),
        "most": wanted.most,
        "urgency": after.urgency,
        "opened_at": after.opened_at,
        "concern_id": after.concern_id,
    }
    return await _concerns(await conn.execute(_LIST, asked))


def _quiet_until(concern: Concern) -> datetime | None:
    if not concern.HasField("act"):
        return None
    return concern.act.until.ToDatetime(tzinfo=UTC) if concern.act.action == CONCERN_ACTION_SNOOZE else _FOREVER


def _of(identifiers: Collection[PatientKey]) -> dict[str, Any]:
    person = min(map(format_patient, identifiers), default="")
    ids, authorities = [each.id for each in identifiers], [each.authority for each in identifiers]
    return {"ids": ids, "authorities": authorities, "person": person}


async def _concerns(cursor: Any) -> list[Concern]:
    return [Concern.FromString(data) for (data,) in await cursor.fetchall()]
