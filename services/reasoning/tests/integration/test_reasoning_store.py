"""Storing and publishing on a real PostgreSQL: together or not at all, once, and never forgotten."""

from datetime import UTC, datetime

import pytest
from contracts.errors import UnavailableError
from contracts.identifiers import event_id
from contracts.topics import ASSESSMENT_DRAFTED, EVIDENCE_WITHDRAWN
from eventbus import Event, Outbox, Outgoing
from eventbus.inbox import unpublished
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.memory.v1.events_pb2 import EvidenceWithdrawn
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.events_pb2 import AssessmentDrafted, AssessmentReviewed
from longitude.record.v1.context_pb2 import PassageRelease
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from reasoning.adapters.postgres import Store
from reasoning.domain.notices import cited_passages, notices
from reasoning.handlers import on_evidence_withdrawn

PATIENT = PatientKey(id="NW-1", authority="NORTHWEST")
AT = Timestamp(seconds=1_800_000_000)


def assessment(name: str, question: str = "What changed?") -> Assessment:
    return Assessment(
        assessment_id=event_id("assessment", name),
        episode_id=event_id("episode", name),
        patient=PATIENT,
        question=question,
        drafted_at=AT,
    )


def drafted(of: Assessment) -> Outgoing:
    name = event_id("assessment-drafted", of.assessment_id)
    return Outgoing(
        ASSESSMENT_DRAFTED, name, b"key", AssessmentDrafted(assessment=of), datetime(2026, 1, 1, tzinfo=UTC)
    )


async def keep(store: Store, of: Assessment) -> None:
    await store.keep(of, b"fingerprint", ObjectRef(key="k"), [drafted(of)])


async def waiting(store: Store) -> set[str]:
    """Ids of events that are staged and not published."""
    async with store.connection() as conn:
        staged = await unpublished(conn, 1000)
    return {outgoing.id for events in staged.values() for outgoing in events}


async def test_the_first_assessment_of_an_id_stays(store: Store) -> None:
    first, second = assessment("first"), assessment("first", "Another?")
    await keep(store, first)
    await keep(store, second)
    stored = await store.get(first.assessment_id)
    assert stored is not None
    assert (stored.assessment, stored.fingerprint, stored.review) == (first, b"fingerprint", None)
    assert drafted(first).id in await waiting(store)


async def test_an_unknown_assessment_is_none(store: Store) -> None:
    assert await store.get(event_id("assessment", "nowhere")) is None


async def test_events_wait_until_publishing_succeeded(store: Store) -> None:
    async def away(_: Outgoing) -> None:
        raise UnavailableError("away")

    async def there(outgoing: Outgoing) -> None:
        published.append(outgoing.id)

    published: list[str] = []
    of = assessment("waits")
    await keep(store, of)
    with pytest.raises(UnavailableError):
        await Outbox(store.connection, away).sweep()
    assert drafted(of).id in await waiting(store)
    await Outbox(store.connection, there).sweep()
    assert drafted(of).id in published
    assert drafted(of).id not in await waiting(store)


async def test_an_assessment_is_reviewed_once_and_the_newest_review_is_found_first(store: Store) -> None:
    old, new = assessment("old"), assessment("new")
    for number, of in enumerate((old, new)):
        await keep(store, of)
        review = AssessmentReviewed(
            review_id=event_id("review", of.assessment_id),
            assessment_id=of.assessment_id,
            decision=wire.REVIEW_DECISION_ACCEPTED,
            reviewed_at=Timestamp(seconds=AT.seconds + number),
        )
        assert await store.keep_review(review, [])
        assert not await store.keep_review(review, [])
    signed = await store.last_signed([PatientKey(id="other", authority="X"), PATIENT])
    assert [each[0].assessment_id for each in signed] == [new.assessment_id, old.assessment_id]
    assert await store.last_signed([PatientKey(id="other", authority="X")]) == []


async def test_a_withdrawal_heard_of_twice_is_one_notice_on_every_assessment_that_cites_it(
    store: Store,
) -> None:
    citing = [assessment(f"cites-{n}") for n in range(2)]
    for of in citing:
        release = PassageRelease(edition_id="dose@1")
        of.statements.add(statement_id="s1").citations.add(passage_id="dose", release=release)
        await keep(store, of)
    payload = EvidenceWithdrawn(edition_id="dose@1", passage_id="dose", reason="retracted", withdrawn_at=AT)
    for name in ("one", "one", "again"):
        await on_evidence_withdrawn(withdrawal(payload, name), store=store)
    for of in (*citing, assessment("cites-nothing")):
        found = notices(of, await store.withdrawals(cited_passages(of)))
        assert [each.reason for each in found] == (["retracted"] if of in citing else [])


def withdrawal(payload: EvidenceWithdrawn, name: str) -> Event[EvidenceWithdrawn]:
    at, value = datetime(2026, 1, 1, tzinfo=UTC), payload.SerializeToString()
    return Event(event_id("test", name), EVIDENCE_WITHDRAWN, b"evidence", payload, "", at, 0, 0, value, {})
