"""Briefs and summaries that are ready, and for whom one may have to be written (schema `reasoning`).

A wish to look is a row that is due now. A look that began before the newest wish leaves it due, so that a process that
is killed, and a record that changes meanwhile, lose nothing.
"""

# ruff: noqa: S608 - queries are put together of our own constants

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.identifiers import format_patient
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.prepared_pb2 import PreparedForm
from longitude.record.v1.fact_pb2 import PatientKey
from psycopg import AsyncConnection

Connection = AsyncConnection[Any]

_ASKED = "unnest(%(ids)s::text[], %(authorities)s::text[]) AS asked (id, authority)"
_OF = "(patient_id, authority) IN (SELECT * FROM unnest(%(ids)s::text[], %(authorities)s::text[]))"
_NOW = "wanted_at = clock_timestamp(), due_at = clock_timestamp()"
_WANT = f"""INSERT INTO prepared_patient (patient_id, authority, wanted_at, due_at)
    SELECT id, authority, clock_timestamp(), clock_timestamp() FROM {_ASKED} ORDER BY id, authority
    ON CONFLICT (patient_id, authority) DO UPDATE SET {_NOW}"""
# A record that changes again and again is written every five seconds, and not at each change.
_CHANGED = f"""UPDATE prepared_patient SET wanted_at = clock_timestamp(),
    due_at = least(due_at, clock_timestamp() + interval '5 s') WHERE {_OF}"""
_ALL_CHANGED = f"UPDATE prepared_patient SET {_NOW}"
_OF_OTHERS = f"""{_ALL_CHANGED} WHERE version <> %(version)s OR patient_id || '@' || authority IN
    (SELECT unnest(identifiers) FROM prepared WHERE version <> %(version)s)"""
# Whoever has a record was looked at for dangers.
_WANT_ALL = f"""INSERT INTO prepared_patient (patient_id, authority, wanted_at, due_at)
    SELECT patient_id, authority, clock_timestamp(), clock_timestamp() FROM watched_patient ORDER BY 1, 2
    ON CONFLICT (patient_id, authority) DO UPDATE SET {_NOW}"""
# The first of those that no other worker has; its lock ends with the transaction, or with the process.
_CLAIM = """SELECT patient_id, authority, clock_timestamp() FROM (
    SELECT patient_id, authority FROM prepared_patient WHERE due_at <= clock_timestamp()
    ORDER BY due_at LIMIT 64) AS due
    WHERE pg_try_advisory_xact_lock(hashtext('prepared'), hashtext(patient_id || '@' || authority)) LIMIT 1"""
_ADD = f"""INSERT INTO prepared_patient (patient_id, authority, wanted_at, due_at, version)
    SELECT id, authority, %(read_at)s, %(next_at)s, %(version)s FROM {_ASKED} ORDER BY id, authority
    ON CONFLICT (patient_id, authority) DO UPDATE SET failures = 0, version = excluded.version, due_at = CASE
    WHEN prepared_patient.wanted_at > %(read_at)s THEN prepared_patient.due_at ELSE excluded.due_at END"""
_DROP = f"DELETE FROM prepared_patient WHERE {_OF} AND wanted_at <= %(read_at)s"
_POSTPONE = """UPDATE prepared_patient SET failures = least(failures + 1, 12),
    due_at = clock_timestamp() + interval '1 s' * least(5 * power(2, failures), 3600)
    WHERE (patient_id, authority) = (%s, %s)"""
_CLEAR = "DELETE FROM prepared WHERE identifiers && %s AND made_at <= %s"
_KEEP = """INSERT INTO prepared (patient_id, authority, form, closed, identifiers, occasion, at, made_at,
    record_changed_at, assessment, episode, version) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING"""
# Of this state of the record, and of this day: what is due follows the day.
_FRESH = f"""SELECT assessment, episode FROM prepared
    WHERE (patient_id, authority, form, closed) = (%(id)s, %(authority)s, %(form)s, %(closed)s)
    AND identifiers = %(names)s AND record_changed_at = %(changed_at)s AND version = %(version)s
    AND made_at >= date_trunc('day', clock_timestamp())
    AND NOT EXISTS (SELECT FROM prepared_patient WHERE wanted_at > prepared.made_at AND {_OF})"""
# One line for each form, whichever views it is written for; the nearest in time first.
_LIST = """SELECT * FROM (
    SELECT DISTINCT ON (patient_id, authority, form) patient_id, authority, form, occasion, at, made_at,
        record_changed_at, assessment FROM prepared
    WHERE %(everybody)s OR identifiers && %(names)s ORDER BY patient_id, authority, form, closed) AS ready
    ORDER BY abs(extract(epoch FROM at - clock_timestamp())), patient_id, authority, form LIMIT %(most)s"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who is to be looked at, by one worker. `read_at`: before the record is read."""

    patient: PatientKey
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Ready:
    """A form for one view of a record; `episode` as its object has it."""

    closed: int
    occasion: int
    at: datetime
    assessment: Assessment
    episode: bytes


async def want(conn: Connection, patients: Iterable[PatientKey]) -> None:
    """Something was said of their visits; inside the caller's transaction."""
    await conn.execute(_WANT, _of(patients))


async def changed(conn: Connection, patients: Iterable[PatientKey]) -> None:
    """Their records are others: what is ready is of no use now, and written again soon. Who has no visit is not looked
    at.
    """
    await conn.execute(_CHANGED, _of(patients))


async def all_changed(conn: Connection) -> None:
    """What everything that is ready may rest on is another."""
    await conn.execute(_ALL_CHANGED)


async def others_changed(conn: Connection, version: str) -> None:
    """What was last written, or looked at, by another version."""
    await conn.execute(_OF_OTHERS, {"version": version})


async def want_all(conn: Connection) -> None:
    """Every record says something else."""
    await conn.execute(_WANT_ALL)


async def claim(conn: Connection) -> Claimed | None:
    """Who is due, the longest first; this transaction's until that ends."""
    row = await (await conn.execute(_CLAIM)).fetchone()
    return Claimed(PatientKey(id=row[0], authority=row[1]), row[2]) if row else None


async def keep(
    conn: Connection,
    identifiers: Collection[PatientKey],
    ready: Sequence[Ready],
    read_at: datetime,
    changed_at: datetime,
    next_at: datetime | None,
    version: str,
) -> None:
    """What is ready of this person now, by which version, and when to look again (None: not without news), inside the
    caller's transaction. What somebody else wrote from a later reading stays.
    """
    names = _names(identifiers)
    await conn.execute(_CLEAR, (names, read_at))
    home = home_of(identifiers)
    for each in ready:
        data = each.assessment.SerializeToString(deterministic=True)
        form = each.assessment.form
        row = (home.id, home.authority, form, each.closed, names, each.occasion, each.at, read_at, changed_at, data)
        await conn.execute(_KEEP, (*row, each.episode, version))
    asked = {**_of(identifiers), "read_at": read_at, "next_at": next_at, "version": version}
    await conn.execute(_ADD if next_at else _DROP, asked)


async def postpone(conn: Connection, claimed: Claimed) -> None:
    """Tried again, ever later, up to hourly."""
    await conn.execute(_POSTPONE, (claimed.patient.id, claimed.patient.authority))


async def forget(conn: Connection, claimed: Claimed) -> None:
    """Not looked at again before there is news; what is ready of them is gone."""
    await conn.execute(_CLEAR, (_names([claimed.patient]), claimed.read_at))
    await conn.execute(_DROP, {**_of([claimed.patient]), "read_at": claimed.read_at})


async def fresh(
    conn: Connection, identifiers: Collection[PatientKey], form: int, closed: int, changed_at: datetime, version: str
) -> tuple[Assessment, bytes] | None:
    """What is ready for this view of exactly this state of the record, with its episode, written by this version."""
    home = home_of(identifiers)
    asked = {**_of(identifiers), "id": home.id, "authority": home.authority, "form": form, "closed": closed}
    asked |= {"names": _names(identifiers), "changed_at": changed_at, "version": version}
    row = await (await conn.execute(_FRESH, asked)).fetchone()
    return (Assessment.FromString(row[0]), bytes(row[1])) if row else None


async def some(conn: Connection, identifiers: Collection[PatientKey] | None, most: int) -> list[PreparedForm]:
    """What is ready, of everybody or of one person."""
    asked = {"everybody": identifiers is None, "names": _names(identifiers or ()), "most": most}
    return [_listed(row) for row in await (await conn.execute(_LIST, asked)).fetchall()]


def home_of(identifiers: Collection[PatientKey]) -> PatientKey:
    """Under which of their identifiers a person's forms lie."""
    return min(identifiers, key=format_patient)


def _listed(row: Sequence[Any]) -> PreparedForm:
    patient_id, authority, form, occasion, at, made_at, changed_at, assessment = row
    listed = PreparedForm(patient=PatientKey(id=patient_id, authority=authority), form=form, occasion=occasion)
    listed.specialty = Assessment.FromString(assessment).specialty
    listed.at.FromDatetime(at)
    listed.made_at.FromDatetime(made_at)
    listed.record_changed_at.FromDatetime(changed_at)
    return listed


def _names(identifiers: Iterable[PatientKey]) -> list[str]:
    return sorted(map(format_patient, identifiers))


def _of(patients: Iterable[PatientKey]) -> dict[str, Any]:
    asked = sorted({(each.id, each.authority) for each in patients})
    return {"ids": [each[0] for each in asked], "authorities": [each[1] for each in asked]}
