"""What learning does with its inputs: two events that are collected, and commands whose effect is an event."""

import secrets
import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from contracts.errors import ConflictError, NotFoundError
from contracts.identifiers import SALT_BYTES, patient_partition_key
from contracts.topics import CONSENT_CHANGED
from eventbus import Event, Outgoing, stage
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.events_pb2 import ConsentChanged
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed, EpisodeClosed
from longitude.record.v1.fact_pb2 import PatientKey

from learning import metrics, views
from learning.adapters.postgres import Connection, consents, jobs, training_set
from learning.adapters.postgres.consents import Consent
from learning.adapters.postgres.jobs import StoredJob
from learning.domain import rubric
from learning.domain.jobs import Order
from learning.flows import collecting
from learning.flows.parts import Parts


async def on_episode_closed(event: Event[EpisodeClosed], *, parts: Parts) -> Sequence[Outgoing]:
    """Kept if the patient consented."""
    return await collecting.collect_episode(event, parts)


async def on_assessment_reviewed(event: Event[AssessmentReviewed], *, parts: Parts) -> Sequence[Outgoing]:
    """Kept if the patient consented."""
    return await collecting.collect_review(event, parts)


async def on_consent_set(patient: PatientKey, decided_by: str, parts: Parts, *, given: bool) -> tuple[str, int]:
    """The change as an event, once. A withdrawal deletes the rows with it and dooms their objects, which then go."""
    async with parts.store.connection() as conn, conn.transaction():
        before = await consents.locked(conn, patient)
        if (before is not None and before.given) == given:
            return (before.consent_id if before is not None else ""), 0
        revision = before.revision + 1 if before is not None else 1
        # Random: the log shows the id of an event, and one made from a patient's number would say whose it is.
        name = str(uuid.uuid4())
        consent = Consent(given, revision, name, decided_by, datetime.now(UTC))
        await consents.put(conn, patient, consent)
        deleted = 0 if given else await training_set.erase(conn, patient)
        await stage(conn, name, [_changed(patient, consent)])
    metrics.DELETED.labels("withdrawal").inc(deleted)
    parts.outbox.flush()
    parts.sweep.set()
    return name, deleted


async def on_consent_asked_for(patient: PatientKey, parts: Parts) -> pb.GetConsentResponse:
    """What was said last, and what is kept."""
    async with parts.store.connection() as conn:
        consent = await consents.get(conn, patient)
        episodes, reviews = await training_set.kept(conn, patient)
    response = pb.GetConsentResponse(episodes=episodes, reviews=reviews)
    if consent is not None:
        response.given, response.event_id, response.decided_by = consent.given, consent.consent_id, consent.decided_by
        response.decided_at.FromDatetime(consent.decided_at)
    return response


async def on_job_ordered(order: Order, parts: Parts) -> pb.Job:
    """Queued once for each request id."""
    order.check()
    async with parts.store.connection() as conn, conn.transaction():
        await jobs.add(conn, order)
        stored = await _job(conn, order.job_id)
        if (stored.recipe, stored.seed, stored.steps) != (order.recipe, order.seed, order.steps):
            raise ConflictError("this request_id was used for another job")
        (job,) = await _shown(conn, [stored])
    parts.jobs.set()
    return job


async def on_job_asked_for(job_id: str, parts: Parts) -> pb.Job:
    async with parts.store.connection() as conn:
        (job,) = await _shown(conn, [await _job(conn, job_id)])
    return job


async def on_jobs_listed(parts: Parts) -> list[pb.Job]:
    async with parts.store.connection() as conn:
        return await _shown(conn, await jobs.newest(conn))


async def on_job_stopped(job_id: str, parts: Parts) -> pb.Job:
    """Its trainer writes nothing any more from here on. Stopped twice, it is stopped once."""
    async with parts.store.connection() as conn, conn.transaction():
        stopped = await jobs.stop(conn, job_id)
        stored = await _job(conn, job_id)
        if not stopped and stored.state != "stopped":
            raise ConflictError(f"this job is {stored.state} already")
        (job,) = await _shown(conn, [stored])
    parts.jobs.set()
    return job


async def on_curves_asked_for(job_id: str, series: Collection[str], parts: Parts) -> list[pb.Curve]:
    async with parts.store.connection() as conn:
        await _job(conn, job_id)
        return views.curves(await jobs.curves(conn, job_id, series))


async def on_report_asked_for(recent: timedelta, parts: Parts) -> pb.ReportResponse:
    """The rubric as reviews have it."""
    async with parts.store.connection() as conn:
        counts = await training_set.counts(conn, recent)
        reviewers = await training_set.reviewers(conn)
        totals = await training_set.totals(conn)
    return views.report(rubric.rows(counts), reviewers, rubric.one_sided(reviewers), totals)


async def _job(conn: Connection, job_id: str) -> StoredJob:
    stored = await jobs.get(conn, job_id)
    if stored is None:
        raise NotFoundError("no such job")
    return stored


async def _shown(conn: Connection, stored: Sequence[StoredJob]) -> list[pb.Job]:
    figures = await jobs.last_figures(conn, [job.job_id for job in stored])
    now = datetime.now(UTC)
    return [views.job(job, figures[job.job_id], now) for job in stored]


def _changed(patient: PatientKey, consent: Consent) -> Outgoing:
    at = Timestamp()
    at.FromDatetime(consent.decided_at)
    payload = ConsentChanged(
        patient=patient,
        given=consent.given,
        decided_by=consent.decided_by,
        decided_at=at,
        revision=consent.revision,
        salt=secrets.token_bytes(SALT_BYTES),
    )
    return Outgoing(CONSENT_CHANGED, consent.consent_id, patient_partition_key(patient), payload, consent.decided_at)
