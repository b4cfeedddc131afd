"""Assessments and reviews in PostgreSQL, each stored with its events in one transaction (schema `reasoning`)."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eventbus import Outgoing, stage
from longitude.memory.v1.events_pb2 import EvidenceWithdrawn
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from psycopg import AsyncConnection
from servicekit import migrated
from servicekit.postgres import Pool, open_pool

from reasoning.adapters import postgres_prepared

SCHEMA = "reasoning"
# For who asks, beside the workers.
_CONNECTIONS = 8

_INSERT = """INSERT INTO assessment (assessment_id, fingerprint, patient_id, authority, assessment, drafted_at)
    VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING assessment_id"""
_EPISODE = "INSERT INTO episode (episode_id, assessment_id, object) VALUES (%s, %s, %s)"
_GET = """SELECT a.assessment, a.fingerprint, r.review FROM assessment a LEFT JOIN review r USING (assessment_id)
    WHERE a.assessment_id = %s"""
_REVIEW = """INSERT INTO review (review_id, assessment_id, review, reviewed_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING review_id"""
_EPISODE_OF = "SELECT object FROM episode WHERE assessment_id = %s"
_LAST_SIGNED = """SELECT a.assessment, r.reviewed_at, r.review FROM assessment a JOIN review r USING (assessment_id)
    WHERE (a.patient_id, a.authority) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
    ORDER BY r.reviewed_at DESC"""
_WITHDRAW = """INSERT INTO withdrawn_evidence (edition_id, passage_id, withdrawal, withdrawn_at)
    VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"""
_WITHDRAWN = "SELECT withdrawal FROM withdrawn_evidence WHERE passage_id = ANY(%s) ORDER BY withdrawn_at, edition_id"


@dataclass(frozen=True, slots=True)
class Stored:
    """An assessment with the question it answers (as a fingerprint) and the physician's decision, if there is one."""

    assessment: Assessment
    fingerprint: bytes
    review: AssessmentReviewed | None
    # The same as they are stored.
    assessment_bytes: bytes
    review_bytes: bytes


class Store:
    """The one place that reads and writes this service's tables. UnavailableError when the database is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, assessment_id: str) -> Stored | None:
        async with self._pool.connection() as conn:
            row = await (await conn.execute(_GET, (assessment_id,))).fetchone()
        if row is None:
            return None
        review = AssessmentReviewed.FromString(row[2]) if row[2] is not None else None
        return Stored(Assessment.FromString(row[0]), bytes(row[1]), review, bytes(row[0]), bytes(row[2] or b""))

    async def episode_of(self, assessment_id: str) -> ObjectRef | None:
        """Where the episode of an assessment lies."""
        async with self._pool.connection() as conn:
            row = await (await conn.execute(_EPISODE_OF, (assessment_id,))).fetchone()
        return None if row is None else ObjectRef.FromString(row[0])

    async def last_signed(
        self, identifiers: Iterable[PatientKey]
    ) -> list[tuple[Assessment, datetime, AssessmentReviewed]]:
        """Reviewed assessments of any of these identifiers, the newest review first."""
        keys = [(each.id, each.authority) for each in identifiers]
        ids, authorities = [key[0] for key in keys], [key[1] for key in keys]
        async with self._pool.connection() as conn:
            rows = await (await conn.execute(_LAST_SIGNED, (ids, authorities))).fetchall()
        return [(Assessment.FromString(row[0]), row[1], AssessmentReviewed.FromString(row[2])) for row in rows]

    async def keep(
        self, assessment: Assessment, fingerprint: bytes, episode: ObjectRef, outgoing: Sequence[Outgoing]
    ) -> None:
        """Assessment, episode and events in one transaction. If it is there already, nothing changes."""
        patient = assessment.patient
        drafted_at = assessment.drafted_at.ToDatetime()
        row = (assessment.assessment_id, fingerprint, patient.id, patient.authority)
        async with self._pool.connection() as conn, conn.transaction():
            data = assessment.SerializeToString(deterministic=True)
            kept = await (await conn.execute(_INSERT, (*row, data, drafted_at))).fetchone()
            if kept is None:
                return
            reference = episode.SerializeToString(deterministic=True)
            await conn.execute(_EPISODE, (assessment.episode_id, assessment.assessment_id, reference))
            await stage(conn, assessment.assessment_id, outgoing)

    async def keep_review(self, review: AssessmentReviewed, outgoing: Sequence[Outgoing]) -> bool:
        """False when the assessment was reviewed already: then nothing changes."""
        data = review.SerializeToString(deterministic=True)
        row = (review.review_id, review.assessment_id, data, review.reviewed_at.ToDatetime())
        async with self._pool.connection() as conn, conn.transaction():
            kept = await (await conn.execute(_REVIEW, row)).fetchone()
            if kept is not None:
                await stage(conn, review.review_id, outgoing)
                # A brief starts from what was signed last.
                await postgres_prepared.changed(conn, [review.patient])
        return kept is not None

    async def withdraw(self, conn: AsyncConnection[Any], withdrawn: EvidenceWithdrawn) -> None:
        """Evidence speaks no more; inside the caller's transaction, once."""
        data, at = withdrawn.SerializeToString(deterministic=True), withdrawn.withdrawn_at.ToDatetime(tzinfo=UTC)
        await conn.execute(_WITHDRAW, (withdrawn.edition_id, withdrawn.passage_id, data, at))

    async def withdrawals(self, passage_ids: Iterable[str]) -> list[EvidenceWithdrawn]:
        """Editions of these passages that were withdrawn, in that order."""
        async with self._pool.connection() as conn:
            rows = await (await conn.execute(_WITHDRAWN, (list(passage_ids),))).fetchall()
        return [EvidenceWithdrawn.FromString(data) for (data,) in rows]

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        await self._pool.ping()

    def connection(self) -> AbstractAsyncContextManager[AsyncConnection[Any]]:
        """A pooled connection, in autocommit until a transaction is opened."""
        return self._pool.connection()


@asynccontextmanager
async def open_store(dsn: str, workers: int = 0) -> AsyncIterator[Store]:
    """Connected; MigrationError where its tables are not up to date. `workers`: who keep a connection each."""
    await migrated(dsn, SCHEMA, "reasoning")
    async with open_pool(dsn, SCHEMA, size=_CONNECTIONS + workers) as pool:
        yield Store(pool)
