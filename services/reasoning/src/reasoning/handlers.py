"""What a question, a review, a check, proposed orders and a withdrawal do: load, decide, save.

The outbox publishes what was saved.
"""

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from consult import Concluded, Identity, Record
from consult.advising import advise
from consult.dangers import ALLERGY
from contracts.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from contracts.identifiers import event_id, format_patient, patient_partition_key
from contracts.topics import ASSESSMENT_REVIEWED
from eventbus import Event, Outgoing, once, once_each, stage
from google.protobuf.timestamp_pb2 import Timestamp
from grounding import Verifier
from harness import parse
from knowledge.drift import reasons
from longitude.memory.v1.events_pb2 import EvidenceWithdrawn, RecordRebuilt, RecordUpdated
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.advice_pb2 import AdviseRequest, AdviseResponse
from longitude.reasoning.v1.concern_pb2 import (
    ActOnConcernRequest,
    Concern,
    ConcernActor,
    ListConcernsRequest,
    ListConcernsResponse,
)
from longitude.reasoning.v1.prepared_pb2 import ListPreparedRequest, ListPreparedResponse
from longitude.reasoning.v1.reasoning_service_pb2 import (
    AskRequest,
    CheckRequest,
    CheckResponse,
    CheckStreamResponse,
    ReplayResponse,
    ReviewRequest,
)
from longitude.record.v1.context_pb2 import Context
from longitude.record.v1.fact_pb2 import FACT_KIND_APPOINTMENT, FACT_KIND_ENCOUNTER, PatientKey
from servicekit import looks
from servicekit.principal import caller

from reasoning import metrics
from reasoning.adapters import postgres_concerns, postgres_prepared
from reasoning.adapters.postgres import Store, Stored
from reasoning.domain import concerns, notices, reviewing
from reasoning.domain.events import AssessmentEvent, events
from reasoning.domain.occasions import PREPARED
from reasoning.flows import announcements, checking, consultation, preparing, replaying, worklist
from reasoning.flows.parts import Parts
from reasoning.flows.preparing import Preparation
from reasoning.flows.runs import Report
from reasoning.flows.watching import Watch

DEFAULT_PREPARED = 50
_VISITS = {FACT_KIND_ENCOUNTER, FACT_KIND_APPOINTMENT}


def fingerprint(request: AskRequest) -> bytes:
    """SHA-256 of patient, question, who is to choose, form and specialty."""
    asked = f"{format_patient(request.patient)}\0{request.question}\0{request.deliberate}"
    if request.chooser:
        asked += f"\0{request.chooser}"
    if request.form not in (wire.FORM_UNSPECIFIED, wire.FORM_ANSWER):
        asked += f"\0{request.form}\0{request.specialty}"
    return hashlib.sha256(asked.encode()).digest()


async def stored_answer(request: AskRequest, identity: Identity, parts: Parts) -> wire.Assessment | None:
    """The assessment that this request id led to earlier; ConflictError if it was another question's."""
    stored = await parts.store.get(identity.assessment_id)
    if stored is None:
        return None
    if stored.fingerprint != fingerprint(request):
        raise ConflictError("this request_id was used for another question")
    return stored.assessment


async def on_question(request: AskRequest, identity: Identity, parts: Parts, report: Report) -> wire.Assessment:
    """Rules, then the model where it is wanted, then the gate; stored with its events before anyone can sign it."""
    started = time.monotonic()
    made = await consultation.consult(request, identity, parts, report)
    return await _kept(made, request, started, parts)


async def on_form_asked_for(request: AskRequest, parts: Parts) -> wire.Assessment | None:
    """A brief or a summary that was written before, of what the record is now and of what is open to the caller; stored
    with its events when it is first opened. None where it is to be made: also for a request that names itself, which is
    answered the same for ever.
    """
    if request.form not in PREPARED or request.request_id:
        return None
    started = time.monotonic()
    ready = await preparing.opened(request, parts)
    if ready is not None and await notices_of(ready[0], parts):
        ready = None
    metrics.OPENED.labels(str(ready is not None).lower()).inc()
    if ready is None:
        return None
    assessment, episode = ready
    stored = await parts.store.get(assessment.assessment_id)
    return stored.assessment if stored else await _kept(Concluded(assessment, parse(episode)), request, started, parts)


async def on_prepared_asked_for(request: ListPreparedRequest, parts: Parts) -> ListPreparedResponse:
    """What is ready, of one patient or of all."""
    most = request.most or DEFAULT_PREPARED
    identifiers = (await parts.memory.view(request.patient)).identifiers if request.HasField("patient") else None
    async with parts.store.connection() as conn:
        listed = await postgres_prepared.some(conn, identifiers, most + 1)
    looks.note(shown=len(listed[:most]))
    return ListPreparedResponse(prepared=listed[:most], more=len(listed) > most)


async def _kept(made: Concluded, request: AskRequest, started: float, parts: Parts) -> wire.Assessment:
    reference = await parts.objects.put(made.object_key, made.object, "application/protobuf")
    outgoing = _outgoing(made.assessment, events(made.assessment, made.episode, reference))
    await parts.store.keep(made.assessment, fingerprint(request), reference, outgoing)
    parts.outbox.flush()
    metrics.observe(made.assessment, time.monotonic() - started)
    # Another replica may have been faster with the same request id: the one that was stored counts.
    return (await _stored(made.assessment.assessment_id, parts)).assessment


def _outgoing(assessment: wire.Assessment, caused: Sequence[AssessmentEvent]) -> list[Outgoing]:
    """The episode is what caused the assessment; both carry its time."""
    key, at = patient_partition_key(assessment.patient), assessment.drafted_at.ToDatetime(tzinfo=UTC)
    return [Outgoing(each.topic, each.id, key, each.payload, at) for each in caused]


async def on_evidence_withdrawn(event: Event[EvidenceWithdrawn], *, store: Store) -> Sequence[Outgoing]:
    """Kept, so that every assessment that cites it says so when it is read."""
    async with store.connection() as conn:

        async def effect() -> Sequence[Outgoing]:
            await store.withdraw(conn, event.payload)
            await postgres_prepared.all_changed(conn)
            return []

        return await once(conn, event, effect)


async def on_records_updated(
    events: Sequence[Event[RecordUpdated]], *, store: Store, watch: Watch, preparation: Preparation
) -> Sequence[Sequence[Outgoing]]:
    """Their records are to be looked at; what comes of one patient meanwhile is looked at together."""
    async with store.connection() as conn:

        async def effect(new: Sequence[Event[RecordUpdated]]) -> Sequence[Sequence[Outgoing]]:
            await postgres_concerns.want(conn, [event.payload.patient for event in new])
            await postgres_prepared.want(conn, [each.payload.patient for each in new if _is_of_visits(each.payload)])
            await postgres_prepared.changed(conn, [each.payload.patient for each in new])
            return [[] for _ in new]

        caused = await once_each(conn, events, effect)
    watch.wake()
    preparation.wake()
    return caused


def _is_of_visits(updated: RecordUpdated) -> bool:
    """Whether it says anything of visits or of whose they are; so does an event that names no kinds."""
    return not updated.kinds or updated.links_added > 0 or not _VISITS.isdisjoint(updated.kinds)


async def on_record_rebuilt(
    event: Event[RecordRebuilt], *, store: Store, watch: Watch, preparation: Preparation
) -> Sequence[Outgoing]:
    """Another edition of the record says something else of everybody."""
    async with store.connection() as conn:

        async def effect() -> Sequence[Outgoing]:
            await postgres_concerns.want_all(conn)
            await postgres_prepared.want_all(conn)
            return []

        caused = await once(conn, event, effect)
    watch.wake()
    preparation.wake()
    return caused


async def on_concerns_asked_for(request: ListConcernsRequest, parts: Parts) -> ListConcernsResponse:
    """Those that the caller may see."""
    page = await worklist.concerns(request, parts.store, parts.memory)
    names = {each.concern_id: f"{each.row}@{each.version}" for each in page.concerns if each.row != ALLERGY}
    drift = reasons(parts.knowledge, names.values(), datetime.now(UTC).date())
    for each in page.concerns:
        each.drift = drift.get(names.get(each.concern_id, ""), "")
    looks.note(shown=len(page.concerns), left_out=page.hidden)
    return page


async def on_concern_act(request: ActOnConcernRequest, parts: Parts) -> Concern:
    """What a person does about a concern, once: stored with its event."""
    now = datetime.now(UTC)
    person = caller().person
    concerns.check(request, person.roles if person else None, now)
    seen = await worklist.one(request.concern_id, parts.store, parts.memory)
    async with parts.store.connection() as conn, conn.transaction():
        concern = await postgres_concerns.get(conn, request.concern_id, lock=True) or seen
        by = ConcernActor(issuer=person.issuer, subject=person.subject, name=person.name) if person else ConcernActor()
        done = concerns.acted(concern, request, by, now)
        if done is not None:
            await postgres_concerns.act(conn, concern, done)
            event = announcements.acted_event(concern, done)
            await stage(conn, event.id, [event])
    parts.outbox.flush()
    return concern


async def notices_of(assessment: wire.Assessment, parts: Parts) -> list[wire.Notice]:
    """Of cited evidence that was withdrawn since."""
    cited = notices.cited_passages(assessment)
    return notices.notices(assessment, await parts.store.withdrawals(cited)) if cited else []


def drifted_of(assessment: wire.Assessment, parts: Parts) -> list[wire.DriftedRow]:
    """Rows that spoke in it and would not speak so now."""
    return notices.drifted(assessment, parts.knowledge, datetime.now(UTC).date())


async def on_assessment_asked_for(assessment_id: str, parts: Parts) -> Stored:
    return await _stored(assessment_id, parts)


async def on_review(request: ReviewRequest, parts: Parts) -> tuple[str, str]:
    """The physician's decision, once: stored with its event. Returns review id and event id."""
    stored = await _stored(request.assessment_id, parts)
    if stored.review is not None:
        raise ConflictError("this assessment was reviewed already")
    try:
        reviewing.check(request, stored.assessment)
    except reviewing.ReviewRefusedError as error:
        raise InvalidInputError(str(error)) from error
    signature = await parts.signatures.verified(request, stored.assessment_bytes) if parts.signatures else None
    at = Timestamp()
    at.FromDatetime(datetime.now(UTC))
    verifier = await _verifier(request, stored.assessment, parts)
    review = await asyncio.to_thread(reviewing.reviewed, request, stored.assessment, at, verifier)
    if signature is not None:
        review.signature.CopyFrom(signature)
    event = Outgoing(
        ASSESSMENT_REVIEWED,
        event_id("assessment-reviewed", review.review_id),
        patient_partition_key(review.patient),
        review,
        at.ToDatetime(tzinfo=UTC),
        event_id("assessment-drafted", review.assessment_id),
    )
    if not await parts.store.keep_review(review, [event]):
        raise ConflictError("this assessment was reviewed already")
    parts.outbox.flush()
    return review.review_id, event.id


async def on_replay(assessment_id: str, parts: Parts) -> ReplayResponse:
    """The recorded episode driven again, by the model that serves now."""
    reference = await parts.store.episode_of(assessment_id)
    if reference is None:
        raise NotFoundError("no such assessment")
    return await replaying.replay(reference, parts)


async def _verifier(request: ReviewRequest, assessment: wire.Assessment, parts: Parts) -> Verifier | None:
    """For the physician's own words, if there are any. None while memory is away: a review does not depend on it."""
    words = reviewing.new_texts(request)
    if not words:
        return None
    try:
        return Verifier(await checking.sources(assessment.patient, words, parts.memory))
    except (UnavailableError, NotFoundError):
        return None


async def on_check(request: CheckRequest, parts: Parts) -> CheckResponse:
    """A text of another system against the whole record. Nothing is stored, nothing is published."""
    check = await checking.Check.of(request.patient, parts.memory)
    spans = await check.whole(request.text)
    summary = check.summary()
    return CheckResponse(
        verdict=summary.verdict,
        spans=spans,
        supported=summary.supported,
        contradicted=summary.contradicted,
        unsupported=summary.unsupported,
        no_claim=summary.no_claim,
        degraded=summary.degraded,
    )


async def on_check_stream(
    patient: PatientKey, texts: AsyncIterator[str], parts: Parts
) -> AsyncIterator[CheckStreamResponse]:
    """The same of a text that comes bit by bit: each verdict as soon as its sentence is complete."""
    check = await checking.Check.of(patient, parts.memory)
    async for span in check.following(texts):
        yield CheckStreamResponse(span=span)
    yield CheckStreamResponse(summary=check.summary())


async def on_advice_asked_for(request: AdviseRequest, parts: Parts) -> AdviseResponse:
    """What rules and rows say of the record and of proposed orders. Nothing is stored, nothing is published."""
    timeline = await parts.memory.timeline(request.patient)
    record = Record(timeline, Context(), (), datetime.now(UTC), knowledge=parts.knowledge)
    return await asyncio.to_thread(advise, record, request.orders, str(uuid.uuid4()))


async def _stored(assessment_id: str, parts: Parts) -> Stored:
    stored = await parts.store.get(assessment_id)
    if stored is None:
        raise NotFoundError("no such assessment")
    return stored
