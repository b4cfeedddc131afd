"""What is ready is of a version of rules and rows, on a real PostgreSQL: of another one it is not opened, and looked at
again.
"""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import prepared_pb2
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.record.v1.fact_pb2 import PatientKey
from reasoning.adapters import postgres_prepared as rows
from reasoning.adapters.postgres import Store
from reasoning.adapters.postgres_prepared import Ready

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=8)


async def due(store: Store) -> list[PatientKey]:
    """Everybody who is; nobody is afterwards."""
    async with store.connection() as conn:
        listed: list[PatientKey] = []
        while claimed := await rows.claim(conn):
            listed.append(claimed.patient)
            await rows.keep(conn, [claimed.patient], [], claimed.read_at, NOW, LATER, "swept")
        return listed


@pytest.fixture
async def patients(store: Store) -> list[PatientKey]:
    """Two who have a brief, under two numbers each, and two of whom it is known only when to look again: one of each by
    version A and one by version B.
    """
    await due(store)
    made = []
    async with store.connection() as conn:
        await conn.execute("DELETE FROM prepared")
        await conn.execute("DELETE FROM prepared_patient")
        for number, version in enumerate("ABAB"):
            key = PatientKey(id=f"{number}-{uuid.uuid4().hex[:8]}", authority="NORTH")
            made.append(key)
            brief = Assessment(assessment_id=str(uuid.uuid4()), form=wire.FORM_BRIEF)
            ready = [Ready(0, prepared_pb2.OCCASION_UNDER_WAY, NOW, brief, b"episode")] if number < 2 else []
            await rows.keep(conn, numbers(key), ready, NOW, NOW, LATER, version)
    return made


def numbers(key: PatientKey) -> list[PatientKey]:
    return [key, PatientKey(id=f"{key.id}-X", authority=key.authority)]


async def opens(store: Store, patient: PatientKey, version: str) -> bool:
    async with store.connection() as conn:
        return await rows.fresh(conn, numbers(patient), wire.FORM_BRIEF, 0, NOW, version) is not None


async def test_what_is_of_another_version_is_not_opened(store: Store, patients: list[PatientKey]) -> None:
    assert [await opens(store, patients[0], version) for version in "AB"] == [True, False]
    assert [await opens(store, patients[1], version) for version in "AB"] == [False, True]


async def test_only_what_is_of_another_version_is_looked_at_again(store: Store, patients: list[PatientKey]) -> None:
    async with store.connection() as conn:
        await rows.others_changed(conn, "A")
    wanted = [name for key in (patients[1], patients[3]) for name in numbers(key)]
    assert sorted(each.id for each in await due(store)) == sorted(each.id for each in wanted)
    assert await opens(store, patients[0], "A")


async def test_a_brief_that_an_older_version_left_is_looked_at_whoever_looked_last(
    store: Store, patients: list[PatientKey]
) -> None:
    """An older process read later, and a newer one kept what it read before behind it."""
    async with store.connection() as conn:
        await rows.keep(conn, numbers(patients[0]), [], NOW - timedelta(seconds=1), NOW, LATER, "B")
        await rows.others_changed(conn, "B")
    assert patients[0] in await due(store)
