"""Concerns in PostgreSQL, and whose record is to be looked at (schema `reasoning`).

A wish to look at a record is a row that is stamped; a reading that began after the stamp serves it, so that wishes of
one patient that come together are served together, and a process that is killed leaves the wish.
"""

# ruff: noqa: S608 - queries are put together of our own constants

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
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
# The oldest that no other worker has; their locks end with the transaction, or with the process. Of so many candidates
# as 32 workers of all replicas hold at sixteen each: with fewer, the others would find nothing that is free.
_FREE = "pg_try_advisory_xact_lock(hashtext('concerns'), hashtext(patient_id || '@' || authority))"
_CLAIM = f"""SELECT patient_id, authority, wanted_since, clock_timestamp() FROM (
    SELECT patient_id, authority, wanted_since FROM watched_patient
    WHERE (read_at IS NULL OR wanted_at > read_at) AND not_before <= clock_timestamp()
    ORDER BY wanted_since LIMIT 512) AS wanted WHERE {_FREE} LIMIT %s"""
# On another day the same record may say something else.
_CLAIM_OLD = f"""SELECT patient_id, authority, wanted_since, clock_timestamp() FROM (
    SELECT patient_id, authority, wanted_since FROM watched_patient
    WHERE read_at < date_trunc('day', clock_timestamp()) AND not_before <= clock_timestamp()
    ORDER BY read_at LIMIT 512) AS old WHERE {_FREE} LIMIT %s"""
# Of whom something that presses nobody is still to be judged.
_CLAIM_LATER = f"""SELECT patient_id, authority, wanted_since, clock_timestamp() FROM (
    SELECT patient_id, authority, wanted_since FROM watched_patient
    WHERE waits_since IS NOT NULL AND not_before <= clock_timestamp()
    ORDER BY waits_since LIMIT 512) AS later WHERE {_FREE} LIMIT %s"""
_OF = "(patient_id, authority) IN (SELECT * FROM unnest(%(ids)s::text[], %(authorities)s::text[]))"
_ASKED = """unnest(%(ids)s::text[], %(authorities)s::text[], %(persons)s::text[], %(read_at)s::timestamptz[],
                    %(wait)s::boolean[]) AS asked (id, authority, person, read_at, waits)"""
_ADD = f"""INSERT INTO watched_patient (patient_id, authority, wanted_since, wanted_at, person)
    SELECT id, authority, read_at, read_at, person FROM {_ASKED} ORDER BY id, authority ON CONFLICT DO NOTHING"""
_LOCK = f"""SELECT patient_id, authority, person, read_at FROM watched_patient WHERE {_OF}
    ORDER BY patient_id, authority FOR UPDATE"""
# Who was of these persons and is not any more has a record of their own again.
_PARTED = f"""UPDATE watched_patient SET wanted_at = clock_timestamp(), wanted_since = clock_timestamp(),
    person = patient_id || '@' || authority WHERE person = ANY(%(were)s) AND NOT {_OF}"""
_READ = f"""UPDATE watched_patient AS w SET read_at = asked.read_at, person = asked.person, failures = 0,
    not_before = '-infinity',
    waits_since = CASE WHEN asked.waits THEN coalesce(w.waits_since, asked.read_at) END
    FROM {_ASKED} WHERE (w.patient_id, w.authority) = (asked.id, asked.authority)"""
_POSTPONE = """UPDATE watched_patient SET
    failures = least(failures + %(grows)s::int, 12),
    read_at = CASE WHEN %(served)s THEN %(read_at)s ELSE read_at END,
    waits_since = CASE WHEN %(served)s THEN NULL ELSE waits_since END,
    not_before = clock_timestamp()
                 + interval '1 s' * CASE WHEN %(grows)s THEN least(power(2, failures), 3600) ELSE 5 END
    WHERE (patient_id, authority) = (%(id)s, %(authority)s)"""
_CONCERNS = f"SELECT concern FROM concern WHERE {_OF}"
_KEEP = """INSERT INTO concern
    (concern_id, patient_id, authority, concern, family, urgency, is_open, opened_at, quiet_until)
    SELECT * FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::smallint[], %b::boolean[],
                         %b::timestamptz[], %b::timestamptz[]) ON CONFLICT (concern_id) DO UPDATE SET
    concern = excluded.concern, urgency = excluded.urgency, is_open = excluded.is_open,
    opened_at = excluded.opened_at, quiet_until = excluded.quiet_until"""
_ACT = "INSERT INTO concern_act (concern_id, revision, act, acted_at) VALUES (%s, %s, %s, %s)"
_GET = "SELECT concern FROM concern WHERE concern_id = %s"
_WANTED = f"""SELECT concern FROM concern WHERE urgency <= %(least)s
    AND (%(acted)s OR quiet_until IS NULL OR quiet_until <= clock_timestamp())
    AND (%(everybody)s OR {_OF}) AND (%(families)s::text[] IS NULL OR family = ANY(%(families)s))"""
_LIST_ALL = f"{_WANTED} AND concern_id > %(concern_id)s::uuid ORDER BY concern_id LIMIT %(most)s"
_LIST = f"""{_WANTED} AND is_open
    AND (urgency, opened_at, concern_id) > (%(urgency)s, %(opened_at)s, %(concern_id)s::uuid)
    ORDER BY urgency, opened_at, concern_id LIMIT %(most)s"""
_FOREVER = datetime.max.replace(tzinfo=UTC)


class Why(Enum):
    """Why a record is looked at: somebody wishes it, something waits to be judged, or it was not read today."""

    WANTED = _CLAIM
    WAITS = _CLAIM_LATER
    OLD = _CLAIM_OLD


@dataclass(frozen=True, slots=True)
class Claimed:
    """A record that is to be looked at, by one worker. `read_at`: before it is read."""

    patient: PatientKey
    wanted_since: datetime
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose record was read, and when that began. `waits`: something of it is judged later."""

    identifiers: Sequence[PatientKey]
    read_at: datetime
    waits: bool = False

    @property
    def person(self) -> str:
        """One identifier of them."""
        return min(map(format_patient, self.identifiers))


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
    """Which concerns. `identifiers` None: of everybody; `families` None: of all; `resolved`: not only open ones."""

    identifiers: Collection[PatientKey] | None
    least: int
    acted: bool
    families: Sequence[str] | None
    most: int
    after: Place
    resolved: bool = False


async def want(conn: Connection, patients: Iterable[PatientKey]) -> None:
    """Their records are to be looked at; inside the caller's transaction."""
    asked = sorted(set(map(_key, patients)))
    await conn.execute(_WANT, ([each[0] for each in asked], [each[1] for each in asked]))


async def want_all(conn: Connection) -> None:
    """Every record that was ever looked at."""
    await conn.execute(_WANT_ALL)


async def claim(conn: Connection, most: int, why: Why = Why.WANTED) -> list[Claimed]:
    """Records that are to be looked at, those first that wait longest. They are this transaction's until that ends."""
    rows = await (await conn.execute(why.value, (most,))).fetchall()
    return [Claimed(PatientKey(id=row[0], authority=row[1]), row[2], row[3]) for row in rows]


async def lock(conn: Connection, readings: Sequence[Reading]) -> dict[str, list[Concern]]:
    """The concerns of each person (`Reading.person`), for this transaction alone. Without those of whom somebody read
    a newer record meanwhile. Nobody stands in two readings.
    """
    await conn.execute(_ADD, _asked(readings))
    of = {_key(each): one for one in readings for each in one.identifiers}
    rows = [(of[row[0], row[1]], *row[2:]) for row in await (await conn.execute(_LOCK, _asked(readings))).fetchall()]
    stale = {one.person for one, _, read in rows if read is not None and read > one.read_at}
    fresh = [each for each in readings if each.person not in stale]
    if not fresh:
        return {}
    were = [person for one, person, _ in rows if one.person not in stale]
    await conn.execute(_PARTED, {**_asked(fresh), "were": were})
    await conn.execute(_READ, _asked(fresh))
    return await _of_persons(await conn.execute(f"{_CONCERNS} FOR UPDATE", _asked(fresh)), fresh)


async def known(conn: Connection, readings: Sequence[Reading]) -> dict[str, list[Concern]]:
    """The same of all of them, without locking anything."""
    return await _of_persons(await conn.execute(_CONCERNS, _asked(readings)), readings)


async def postpone(conn: Connection, claimed: Claimed, *, grows: bool = False, served: bool = False) -> None:
    """Tried again in five seconds; with `grows` ever later, up to hourly. `served`: not before it is wanted again."""
    who = {"id": claimed.patient.id, "authority": claimed.patient.authority}
    await conn.execute(_POSTPONE, {**who, "grows": grows, "served": served, "read_at": claimed.read_at})


async def keep(conn: Connection, concerns: Iterable[Concern]) -> None:
    """As they are from now on, each once; inside the caller's transaction."""
    rows = [
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
        )
        for each in concerns
    ]
    if rows:
        await conn.execute(_KEEP, tuple(map(list, zip(*rows, strict=True))))


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
    """Open concerns, the most urgent first, then the oldest; with the resolved ones, in the order of ids."""
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
    return await _concerns(await conn.execute(_LIST_ALL if wanted.resolved else _LIST, asked))


def _quiet_until(concern: Concern) -> datetime | None:
    if not concern.HasField("act"):
        return None
    return concern.act.until.ToDatetime(tzinfo=UTC) if concern.act.action == CONCERN_ACTION_SNOOZE else _FOREVER


def _of(identifiers: Collection[PatientKey]) -> dict[str, Any]:
    return {"ids": [each.id for each in identifiers], "authorities": [each.authority for each in identifiers]}


def _asked(readings: Sequence[Reading]) -> dict[str, Any]:
    listed = [(each, one) for one in readings for each in one.identifiers]
    return {
        **_of([each for each, _ in listed]),
        "persons": [one.person for _, one in listed],
        "read_at": [one.read_at for _, one in listed],
        "wait": [one.waits for _, one in listed],
    }


def _key(patient: PatientKey) -> tuple[str, str]:
    return patient.id, patient.authority


async def _of_persons(cursor: Any, readings: Sequence[Reading]) -> dict[str, list[Concern]]:
    of = {_key(each): one.person for one in readings for each in one.identifiers}
    by_person: dict[str, list[Concern]] = {each.person: [] for each in readings}
    for concern in await _concerns(cursor):
        by_person[of[_key(concern.patient)]].append(concern)
    return by_person


async def _concerns(cursor: Any) -> list[Concern]:
    return [Concern.FromString(data) for (data,) in await cursor.fetchall()]
