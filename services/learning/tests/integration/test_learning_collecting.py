"""Collecting and withdrawing on a real PostgreSQL and a real S3, also where a process dies in the middle."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from contracts.errors import PermanentError, UnavailableError
from contracts.identifiers import event_id, format_patient
from learning import handlers
from learning.adapters.postgres import consents, held
from learning.flows import collecting, sweeping
from longitude.learning.v1.events_pb2 import ConsentChanged
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.record.v1.fact_pb2 import PatientKey

YEAR = timedelta(days=365)


class KilledError(BaseException):
    """Stands where a kill would: nothing of the process runs after it."""


def kept_statement(step: int = 1) -> wire.ReviewedStatement:
    span = wire.ReviewedSpan(start=0, end=4, judgement=wire.JUDGEMENT_KEPT)
    return wire.ReviewedStatement(
        statement_id="s", decision=wire.REVIEW_DECISION_ACCEPTED, original="text", spans=[span], episode_step=step
    )


async def allow(world: Any, patient: PatientKey) -> str:
    consent_id, _ = await handlers.on_consent_set(patient, "NWD17", world.parts, given=True)
    return consent_id


async def withdraw(world: Any, patient: PatientKey) -> int:
    _, deleted = await handlers.on_consent_set(patient, "NWD17", world.parts, given=False)
    return deleted


async def test_the_event_of_a_consent_says_by_its_id_and_hash_nothing_of_whose_it_is(
    world: Any, patient: PatientKey
) -> None:
    """Both stand in the log: what follows from the patient would be found by trying every one."""
    given = await allow(world, patient)
    assert given != event_id("consent-changed", format_patient(patient), "1")
    ((payload,),) = await world.rows("SELECT payload FROM outbox")
    assert len(ConsentChanged.FromString(payload).salt) == 16


async def test_of_a_patient_who_never_consented_a_count_is_kept_and_nothing_else(
    world: Any, patient: PatientKey
) -> None:
    await handlers.on_episode_closed(await world.episode(patient, "a"), parts=world.parts)
    await handlers.on_assessment_reviewed(world.review(patient, "a", kept_statement()), parts=world.parts)
    assert await world.rows("SELECT what, count FROM not_collected ORDER BY what") == [("episode", 1), ("review", 1)]
    for table in ("consent", "episode", "choice", "review", "judged", "object"):
        assert await world.rows(f"SELECT * FROM {table}") == [], table


async def test_an_episode_is_kept_by_its_content_under_the_consent_that_allows_it(
    world: Any, patient: PatientKey
) -> None:
    consent = await allow(world, patient)
    event = await world.episode(patient, "b")
    await handlers.on_episode_closed(event, parts=world.parts)
    ((episode_id, consent_id, bucket, key),) = await world.rows(
        "SELECT episode_id::text, consent_id::text, bucket, key FROM episode"
    )
    assert (episode_id, consent_id, bucket) == (event.payload.episode_id, consent, "learning-episodes")
    assert key == event.payload.episode.sha256
    assert await world.ours.find(key) == await world.theirs.get(event.payload.episode)
    assert await world.rows("SELECT step, kind FROM choice") == [(1, "say trend")]


async def test_a_review_is_kept_without_its_patient_and_under_a_pseudonym(world: Any, patient: PatientKey) -> None:
    await allow(world, patient)
    await handlers.on_assessment_reviewed(world.review(patient, "c", kept_statement()), parts=world.parts)
    ((reviewer, data),) = await world.rows("SELECT reviewer, review FROM review")
    review = AssessmentReviewed.FromString(data)
    assert review.reviewer == reviewer != "NWD17"
    assert not review.HasField("patient")
    assert [each.episode_step for each in review.statements] == [1]
    assert patient.id.encode() not in data


async def test_an_event_that_comes_twice_has_one_effect(world: Any, patient: PatientKey) -> None:
    stranger = PatientKey(id="S", authority="NORTHWEST")
    await allow(world, patient)
    for event in (await world.episode(patient, "d"), await world.episode(stranger, "e")):
        await handlers.on_episode_closed(event, parts=world.parts)
        await handlers.on_episode_closed(event, parts=world.parts)
    assert await world.rows("SELECT count(*) FROM episode") == [(1,)]
    assert await world.rows("SELECT count FROM not_collected") == [(1,)]


async def test_an_episode_that_is_gone_or_altered_is_a_dead_letter(world: Any, patient: PatientKey) -> None:
    await allow(world, patient)
    event = await world.episode(patient, "f")
    event.payload.episode.sha256 = "0" * 64
    with pytest.raises(PermanentError, match="object-altered"):
        await handlers.on_episode_closed(event, parts=world.parts)
    assert await world.rows("SELECT * FROM inbox") == []


async def test_withdrawing_deletes_rows_and_objects_and_tells_it_once(world: Any, patient: PatientKey) -> None:
    await allow(world, patient)
    event = await world.episode(patient, "g")
    await handlers.on_episode_closed(event, parts=world.parts)
    await handlers.on_assessment_reviewed(world.review(patient, "g", kept_statement()), parts=world.parts)
    assert await withdraw(world, patient) == 2
    assert await withdraw(world, patient) == 0
    await sweeping.sweep(world.parts.objects, YEAR)
    assert await world.ours.find(event.payload.episode.sha256) is None
    for table in ("episode", "choice", "review", "judged", "object"):
        assert await world.rows(f"SELECT * FROM {table}") == [], table
    await world.parts.outbox.sweep()
    told = [each.payload for each in world.published if isinstance(each.payload, ConsentChanged)]
    assert [(each.given, each.revision) for each in told] == [(True, 1), (False, 2)]


@pytest.mark.parametrize("moment", ["removed", "forgotten"])
async def test_a_withdrawal_that_is_killed_is_finished_by_the_next_sweep(
    world: Any, patient: PatientKey, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await allow(world, patient)
    event = await world.episode(patient, f"h {moment}")
    await handlers.on_episode_closed(event, parts=world.parts)
    await withdraw(world, patient)
    remove = type(world.ours).remove

    async def killed(*arguments: Any) -> None:
        if moment == "forgotten":
            await remove(*arguments)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(type(world.ours), "remove", killed)
        with pytest.raises(KilledError):
            await sweeping.sweep(world.parts.objects, YEAR)
    assert await world.rows("SELECT doomed FROM object") == [(True,)]
    await sweeping.sweep(world.parts.objects, YEAR)
    assert await world.ours.find(event.payload.episode.sha256) is None
    assert await world.rows("SELECT * FROM object") == []


@pytest.mark.parametrize("moment", ["put", "kept"])
async def test_collecting_that_is_killed_is_done_again_once_and_leaves_no_object_behind(
    world: Any, patient: PatientKey, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await allow(world, patient)
    event = await world.episode(patient, f"i {moment}")

    async def killed(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        if moment == "put":
            patched.setattr(type(world.ours), "put", killed)
        else:
            patched.setattr(collecting, "_keep_episode", killed)
        with pytest.raises(KilledError):
            await handlers.on_episode_closed(event, parts=world.parts)
    assert len(await world.rows("SELECT * FROM object")) == 1
    await handlers.on_episode_closed(event, parts=world.parts)
    assert await world.rows("SELECT count(*) FROM episode") == [(1,)]
    # Had it not come again, its copy would be gone an hour later.
    async with world.store.connection() as conn:
        await conn.execute("DELETE FROM episode")
        await conn.execute("UPDATE object SET noted_at = noted_at - interval '2 hours'")
    await sweeping.sweep(world.parts.objects, YEAR)
    assert await world.ours.find(event.payload.episode.sha256) is None


async def test_who_withdraws_while_an_episode_is_copied_is_not_learned_from(
    world: Any, patient: PatientKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow(world, patient)
    event = await world.episode(patient, "j")
    locked = consents.locked

    async def late(conn: Any, who: PatientKey) -> Any:
        monkeypatch.setattr(consents, "locked", locked)
        await withdraw(world, patient)
        return await locked(conn, who)

    monkeypatch.setattr(consents, "locked", late)
    await handlers.on_episode_closed(event, parts=world.parts)
    assert await world.rows("SELECT * FROM episode") == []
    assert await world.rows("SELECT what, count FROM not_collected") == [("episode", 1)]
    await sweeping.sweep(world.parts.objects, YEAR)
    assert await world.ours.find(event.payload.episode.sha256) is None


async def test_a_withdrawal_waits_for_an_episode_that_is_being_kept_and_then_deletes_it(
    world: Any, patient: PatientKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow(world, patient)
    event = await world.episode(patient, "k")
    stays = held.stays
    withdrawing: list[asyncio.Task[int]] = []

    async def slow(conn: Any, bucket: str, key: str) -> bool:
        withdrawing.append(asyncio.create_task(withdraw(world, patient)))
        await asyncio.sleep(0.3)
        assert not withdrawing[0].done()
        return await stays(conn, bucket, key)

    monkeypatch.setattr(held, "stays", slow)
    await handlers.on_episode_closed(event, parts=world.parts)
    assert await withdrawing[0] == 1
    assert await world.rows("SELECT * FROM episode") == []


async def test_a_copy_that_the_sweep_deleted_meanwhile_is_made_again(
    world: Any, patient: PatientKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow(world, patient)
    event = await world.episode(patient, "l")
    locked = consents.locked

    async def swept(conn: Any, who: PatientKey) -> Any:
        monkeypatch.setattr(consents, "locked", locked)
        async with world.store.connection() as other:
            await other.execute("UPDATE object SET doomed = true")
        await sweeping.sweep(world.parts.objects, YEAR)
        return await locked(conn, who)

    monkeypatch.setattr(consents, "locked", swept)
    with pytest.raises(UnavailableError):
        await handlers.on_episode_closed(event, parts=world.parts)
    await handlers.on_episode_closed(event, parts=world.parts)
    assert await world.ours.find(event.payload.episode.sha256) is not None


async def test_what_is_older_than_the_retention_is_deleted(world: Any, patient: PatientKey, as_owner: Any) -> None:
    await allow(world, patient)
    event = await world.episode(patient, "m")
    await handlers.on_episode_closed(event, parts=world.parts)
    await handlers.on_assessment_reviewed(world.review(patient, "m", kept_statement()), parts=world.parts)
    await sweeping.sweep(world.parts.objects, timedelta(days=1))
    assert await world.rows("SELECT count(*) FROM episode") == [(1,)]
    async with world.store.connection() as conn:
        older = "UPDATE episode SET closed_at = closed_at - interval '2 days'"
        as_owner(conn, older, "UPDATE review SET reviewed_at = reviewed_at - interval '2 days'")
    await sweeping.sweep(world.parts.objects, timedelta(days=1))
    assert await world.ours.find(event.payload.episode.sha256) is None
    assert await world.rows("SELECT * FROM episode") == await world.rows("SELECT * FROM review") == []


async def test_the_report_names_what_was_done_to_which_choice_of_the_model(world: Any, patient: PatientKey) -> None:
    await allow(world, patient)
    await handlers.on_episode_closed(await world.episode(patient, "n"), parts=world.parts)
    removed = wire.ReviewedStatement(
        statement_id="r", decision=wire.REVIEW_DECISION_REJECTED, original="text", episode_step=1
    )
    review = world.review(patient, "n", kept_statement(), removed, kept_statement(0))
    await handlers.on_assessment_reviewed(review, parts=world.parts)
    report = await handlers.on_report_asked_for(timedelta(days=30), world.parts)
    assert [(row.name, row.violated, row.reviewed) for row in report.rows] == [("model, say trend: removed", 1, 2)]
    assert [(each.statements, each.corrected) for each in report.reviewers] == [(3, 1)]
    assert (report.episodes, report.reviews, report.not_collected) == (1, 1, 0)
