"""Consents: one row for each patient of whom anybody ever said something."""

from dataclasses import dataclass
from datetime import datetime

from longitude.record.v1.fact_pb2 import PatientKey

from learning.adapters.postgres import Connection

_GET = """SELECT given, revision, consent_id::text, decided_by, decided_at FROM consent
    WHERE (patient_id, authority) = (%s, %s)"""
_SET = """INSERT INTO consent (patient_id, authority, given, revision, consent_id, decided_by, decided_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (patient_id, authority) DO UPDATE
    SET given = excluded.given, revision = excluded.revision, consent_id = excluded.consent_id,
        decided_by = excluded.decided_by, decided_at = excluded.decided_at"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('consent:' || %s::text || '@' || %s::text, 0))"


@dataclass(frozen=True, slots=True)
class Consent:
    """What was said last; `consent_id` is the event that tells of it."""

    given: bool
    revision: int
    consent_id: str
    decided_by: str
    decided_at: datetime


async def get(conn: Connection, patient: PatientKey) -> Consent | None:
    """None where nobody ever said anything: that is a no."""
    row = await (await conn.execute(_GET, (patient.id, patient.authority))).fetchone()
    return None if row is None else Consent(*row)


async def locked(conn: Connection, patient: PatientKey) -> Consent | None:
    """The same; until the transaction ends it does not change, and nothing of this patient is kept by others."""
    await conn.execute(_LOCK, (patient.id, patient.authority))
    return await get(conn, patient)


async def put(conn: Connection, patient: PatientKey, consent: Consent) -> None:
    """What holds from now on."""
    row = (consent.given, consent.revision, consent.consent_id, consent.decided_by, consent.decided_at)
    await conn.execute(_SET, (patient.id, patient.authority, *row))
