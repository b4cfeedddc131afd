"""Whose records are to be looked at, on a real PostgreSQL: several at a time, by one worker, of the newest reading."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from consult import times
from contracts.identifiers import event_id, format_patient
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as wire
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1.fact_pb2 import PatientKey
from reasoning.adapters import postgres_concerns as rows
from reasoning.adapters.postgres import Store
from reasoning.adapters.postgres_concerns import Claimed, Reading, Why


@pytest.fixture
async def patients(store: Store) -> AsyncIterator[list[PatientKey]]:
    """Five who are wanted one after the other; nobody is afterwards."""
    made = [PatientKey(id=f"{number}-{uuid.uuid4().hex[:8]}", authority="NORTH") for number in range(5)]
    async with store.connection() as conn:
        for each in made:
            await rows.want(conn, [each])
        yield made
        if left := await claimed(store, 64):
            await read(store, left)


def names(patients: Sequence[PatientKey | Claimed]) -> list[str]:
    return [format_patient(each.patient if isinstance(each, Claimed) else each) for each in patients]


async def claimed(store: Store, most: int) -> list[Claimed]:
    async with store.connection() as conn, conn.transaction():
        return await rows.claim(conn, most)


async def read(store: Store, of: Sequence[Claimed], *others: PatientKey) -> dict[str, list[Concern]]:
    """Each alone, or with these other numbers of the first."""
    async with store.connection() as conn, conn.transaction():
        first, *more = of
        alone = [Reading([each.patient], each.read_at) for each in more]
        return await rows.lock(conn, [Reading([first.patient, *others], first.read_at), *alone])


def concern_of(patient: PatientKey, row: str = "criticals/potassium") -> Concern:
    made = Concern(concern_id=event_id("concern", patient.id, row), patient=patient, row=row, revision=1)
    made.state, made.urgency = wire.CONCERN_STATE_OPEN, advice_pb2.URGENCY_URGENT
    made.opened_at.CopyFrom(times.stamp(datetime.now(UTC)))
    return made


async def test_the_oldest_wishes_are_taken_together_and_each_by_one_worker(
    store: Store, patients: list[PatientKey]
) -> None:
    async with store.connection() as one, store.connection() as other, one.transaction(), other.transaction():
        assert names(await rows.claim(one, 3)) == names(patients[:3])
        assert names(await rows.claim(other, 64)) == names(patients[3:])
        assert await rows.claim(one, 64) != []
    assert names(await claimed(store, 64)) == names(patients)


async def test_what_was_read_is_wanted_no_more_until_somebody_wishes_it_again(
    store: Store, patients: list[PatientKey]
) -> None:
    of = await claimed(store, 3)
    async with store.connection() as conn:
        await rows.want(conn, [patients[1]])
    assert set(await read(store, of)) == set(names(patients[:3]))
    assert names(await claimed(store, 64)) == names([patients[1], *patients[3:]])


async def test_an_older_reading_than_the_kept_one_is_left_out_and_those_beside_it_are_not(
    store: Store, patients: list[PatientKey]
) -> None:
    old = await claimed(store, 3)
    await read(store, [await one_of(store, patients[1])])
    assert set(await read(store, old)) == set(names([patients[0], patients[2]]))


async def one_of(store: Store, patient: PatientKey) -> Claimed:
    return next(each for each in await claimed(store, 64) if each.patient == patient)


async def test_who_is_of_a_person_no_more_is_wanted_again(store: Store, patients: list[PatientKey]) -> None:
    await read(store, (await claimed(store, 1)), *patients[1:3])
    assert names(await claimed(store, 64)) == names(patients[3:])
    async with store.connection() as conn:
        await rows.want(conn, [patients[0]])
    later = [await one_of(store, each) for each in (patients[0], patients[3])]
    await read(store, later)
    assert set(names(await claimed(store, 64))) == set(names([*patients[1:3], patients[4]]))


async def test_what_waits_to_be_judged_is_wanted_no_more_and_waits_until_it_is(
    store: Store, patients: list[PatientKey]
) -> None:
    of = await claimed(store, 5)
    async with store.connection() as conn, conn.transaction():
        await rows.lock(conn, [Reading([each.patient], each.read_at, waits=each in of[1:3]) for each in of])
    assert await claimed(store, 64) == []
    async with store.connection() as conn, conn.transaction():
        later = await rows.claim(conn, 64, Why.WAITS)
    assert names(later) == names(patients[1:3])
    await read(store, later)
    async with store.connection() as conn, conn.transaction():
        assert await rows.claim(conn, 64, Why.WAITS) == []


async def test_concerns_of_several_are_kept_at_once_and_given_by_person(
    store: Store, patients: list[PatientKey]
) -> None:
    made = [concern_of(each, row) for each in patients[:3] for row in ("criticals/potassium", "organs/metformin")]
    made[0].act.action = wire.CONCERN_ACTION_ACKNOWLEDGE
    made[1].act.action = wire.CONCERN_ACTION_SNOOZE
    made[1].act.until.CopyFrom(times.stamp(datetime.now(UTC) + timedelta(days=1)))
    of = await claimed(store, 3)
    readings = [Reading([of[0].patient, of[1].patient], of[0].read_at), Reading([of[2].patient], of[2].read_at)]
    async with store.connection() as conn:
        await rows.keep(conn, made)
        await rows.keep(conn, [])
        known = await rows.known(conn, readings)
        assert {name: sorted(each.concern_id for each in own) for name, own in known.items()} == {
            readings[0].person: sorted(each.concern_id for each in made[:4]),
            readings[1].person: sorted(each.concern_id for each in made[4:]),
        }
        made[2].revision = 2
        await rows.keep(conn, made)
        assert await rows.get(conn, made[2].concern_id) == made[2]
        assert await rows.known(conn, []) == {}
        shown = await rows.page(conn, rows.Wanted(patients, 9, acted=False, families=None, most=9, after=rows.START))
        assert {each.concern_id for each in shown} == {each.concern_id for each in made[2:]}
