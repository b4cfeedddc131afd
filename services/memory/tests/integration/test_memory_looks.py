"""Every look at a patient is an event, whatever becomes of the process that answered."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import grpc
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer
from contracts.kafka import reaching
from contracts.topics import RECORD_READ
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_FAILED, LOOK_OUTCOME_SHOWN, Look
from memory.adapters.postgres import open_store
from testkit.calls import channel

Build = Callable[..., Any]


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str]) -> str:
    return new_database("memory")


@pytest.fixture(scope="module")
def service(new_memory: Build, kafka: str, database: str) -> Any:
    # Without Triton: words find.
    return new_memory(KAFKA=kafka, POSTGRES=database, TRITON="127.0.0.1:9")


@pytest.fixture
async def memory(service: Any) -> AsyncIterator[MemoryServiceStub]:
    service.start()
    async with channel(service.endpoint) as opened:
        yield MemoryServiceStub(opened)


@pytest.fixture
async def patient(service: Any, database: str, fact: Build, message: Build, event: Build) -> cf.PatientKey:
    """With one fact."""
    from memory.handlers import on_messages_received  # noqa: PLC0415 - a handler, bound to this store

    service.start()
    identifier = uuid.uuid4().hex[:10]
    named = f"{identifier}@NORTH"
    async with open_store(database) as store:
        built = message("m", fact(fact_id=f"f-{identifier}", patient=named), patient=named)
        await on_messages_received([event(built, identifier)], store=store)
    return cf.PatientKey(id=identifier, authority="NORTH")


async def looks_at(kafka: str, patient: cf.PatientKey, count: int) -> list[Look]:
    """The looks of the topic at one patient, when there are so many."""
    consumer = AIOKafkaConsumer(RECORD_READ.name, **reaching(kafka), auto_offset_reset="earliest")
    await consumer.start()
    seen: dict[str, Look] = {}
    try:
        async with asyncio.timeout(60):
            while len(seen) < count:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        look = RECORD_READ.payload.FromString(record.value).look
                        if look.patient == patient:
                            seen[dict(record.headers)["ce_id"].decode()] = look
    finally:
        await consumer.stop()
    return list(seen.values())


CALLS: dict[str, Any] = {
    "GetTimeline": pb.GetTimelineRequest(),
    "GetIdentifiers": pb.GetIdentifiersRequest(),
    "Find": pb.FindRequest(words="warfarin"),
    "GetNotes": pb.GetNotesRequest(),
    "GetContext": pb.GetContextRequest(question="What is known?", token_budget=500),
    "SearchNotes": pb.SearchNotesRequest(query="warfarin"),
    "GetEvidenceCoverage": pb.GetEvidenceCoverageRequest(),
}


async def test_each_rpc_that_shows_a_patient_leaves_one_look(memory: Any, kafka: str, patient: cf.PatientKey) -> None:
    for rpc, request in CALLS.items():
        request.patient.CopyFrom(patient)
        await getattr(memory, rpc)(request)
    by_id = pb.GetFactRequest(fact_id=f"f-{patient.id}")
    await memory.GetFact(by_id)
    looks = await looks_at(kafka, patient, len(CALLS) + 1)
    assert sorted(look.rpc for look in looks) == sorted([*CALLS, "GetFact"])
    assert [look.object_id for look in looks if look.object_id] == [by_id.fact_id]
    assert {look.outcome for look in looks} == {LOOK_OUTCOME_SHOWN}
    assert {look.subject for look in looks} == {"developer"}
    assert next(look for look in looks if look.rpc == "GetTimeline").shown == 1
    assert all(look.looked_at.ToDatetime(tzinfo=UTC) <= datetime.now(UTC) for look in looks)


async def test_a_look_survives_a_kill_right_behind_its_answer(
    service: Any, kafka: str, database: str, patient: cf.PatientKey
) -> None:
    service.start()
    async with channel(service.endpoint) as opened:
        await MemoryServiceStub(opened).GetTimeline(pb.GetTimelineRequest(patient=patient))
        service.kill()
    service.start()
    (look,) = await looks_at(kafka, patient, 1)
    assert (look.rpc, look.outcome) == ("GetTimeline", LOOK_OUTCOME_SHOWN)


async def test_a_look_at_somebody_unknown_is_a_look(memory: Any, kafka: str) -> None:
    nobody = cf.PatientKey(id=uuid.uuid4().hex, authority="NORTH")
    with pytest.raises(grpc.aio.AioRpcError):
        await memory.GetTimeline(pb.GetTimelineRequest(patient=nobody))
    (look,) = await looks_at(kafka, nobody, 1)
    assert (look.outcome, look.status) == (LOOK_OUTCOME_FAILED, "NOT_FOUND")


async def test_published_looks_do_not_stay(memory: Any, kafka: str, database: str, patient: cf.PatientKey) -> None:
    await memory.GetTimeline(pb.GetTimelineRequest(patient=patient))
    await looks_at(kafka, patient, 1)
    async with asyncio.timeout(30):
        while await asyncio.to_thread(_waiting, database):
            await asyncio.sleep(0.1)


def _waiting(database: str) -> int:
    with psycopg.connect(database, options="-c search_path=memory") as connection:
        row = connection.execute("SELECT count(*) FROM look").fetchone()
    assert row is not None
    return int(row[0])
