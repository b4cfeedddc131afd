"""Briefs before they are asked for, as the services run them: who opens which, how fresh it is, and kill -9."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from consult.rules import CITED_PASSAGES
from consult.visits import passages
from longitude.memory.v1 import memory_service_pb2 as memory_pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import prepared_pb2
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.reasoning_service_pb2 import AskRequest, GetAssessmentRequest, ReplayRequest
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from native_stack import Stack
from practice.records import RecordBuilder
from reasoning.adapters.memory import Memory
from testkit import MllpClient, RunningStack
from testkit.calls import channel, channel_of
from testkit.telling import message, send, until

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

pytestmark = pytest.mark.timeout(300)

BRIEF, SUMMARY = wire.FORM_BRIEF, wire.FORM_SUMMARY
GENERAL = "general-practice"
DOLUTEGRAVIR = ("1433868", "dolutegravir")


@pytest.fixture(scope="module")
def preparing(new_stack: Callable[..., Stack]) -> RunningStack:
    """Without models: forms need none."""
    stack = new_stack(
        ("kafka", "postgres", "objects", "ingestion", "memory", "reasoning"), elsewhere={"triton": "127.0.0.1:1"}
    )
    running = RunningStack(stack, stack.endpoints())
    asyncio.run(until(partial(has_library, running), 60))
    return running


async def has_library(running: RunningStack) -> bool:
    async with channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:
        wanted = {**CITED_PASSAGES, **passages()}
        return len(await Memory(opened).passages(wanted)) == len(wanted)


@pytest.fixture
async def door(preparing: RunningStack) -> AsyncIterator[ReasoningServiceAsyncStub]:
    async with channel(preparing.endpoints["LONGITUDE_REASONING"]) as opened:
        yield ReasoningServiceStub(opened)


@pytest.fixture
def key() -> PatientKey:
    return PatientKey(id=f"P-{uuid.uuid4().hex[:8]}", authority="NORTHWEST")


def day(ago: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


def somebody(key: PatientKey) -> RecordBuilder:
    record = RecordBuilder(key)
    record.born("19570418")
    record.potassium("4.4", day(20))
    record.medication("29046", "lisinopril", day(300))
    return record


def scheduled(event: str, key: PatientKey, begins: timedelta) -> bytes:
    """A scheduling message (SIU) as a hospital sends it."""
    now = datetime.now(UTC)
    segments = (
        f"MSH|^~\\&|SCHED|NORTH|||{now:%Y%m%d%H%M%S}+0000||SIU^{event}|{uuid.uuid4().hex[:12]}|P|2.5.1",
        "SCH|PL1^EHR|FI1^SCHED||||ROUTINE|R1^Diabetes control^L|FOLLOWUP^Follow-up^HL70277",
        f"TQ1|1||||||{now + begins:%Y%m%d%H%M%S}+0000",
        f"PID|1||{key.id}^^^{key.authority}^MR",
    )
    return "\r".join([*segments, ""]).encode()


async def say(running: RunningStack, *messages: bytes) -> None:
    async with MllpClient(running.endpoints["LONGITUDE_MLLP"]) as client:
        for each in messages:
            assert b"MSA|AA" in await client.send(each)


async def ready(door: ReasoningServiceAsyncStub, patient: PatientKey) -> list[prepared_pb2.PreparedForm]:
    """Nothing of a patient whom memory does not know yet."""
    try:
        return list((await door.ListPrepared(prepared_pb2.ListPreparedRequest(patient=patient))).prepared)
    except grpc.aio.AioRpcError as error:
        assert error.code() is grpc.StatusCode.NOT_FOUND  # noqa: PT017 - anything else is raised by the test
        return []


async def nothing_ready(door: ReasoningServiceAsyncStub, patient: PatientKey) -> bool:
    return not await ready(door, patient)


async def asked(
    door: ReasoningServiceAsyncStub, patient: PatientKey, form: wire.Form.ValueType = BRIEF, **more: Any
) -> Assessment:
    async for answer in door.Ask(AskRequest(patient=patient, form=form, **more)):
        last = answer
    return last.assessment


async def state(running: RunningStack, patient: PatientKey) -> datetime:
    async with channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:
        return (await Memory(opened).view(patient)).changed_at


def texts(assessment: Assessment) -> list[str]:
    return [each.text for each in assessment.statements if each.released]


@asynccontextmanager
async def as_physician(running: RunningStack, service: str, folder: Path) -> AsyncIterator[grpc.aio.Channel]:
    endpoint = running.endpoints[f"LONGITUDE_{service}"]
    async with channel_of("physician", endpoint, running.endpoints, folder) as opened:
        yield opened


async def test_a_brief_is_ready_before_anybody_asks_and_says_what_one_that_is_asked_for_says(
    preparing: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = somebody(key)
    record.encounter("Inpatient", day(1))
    await send(preparing, message(record))
    (form,) = await until(lambda: ready(door, key))
    assert (form.patient, form.form, form.occasion) == (key, BRIEF, prepared_pb2.OCCASION_UNDER_WAY)
    asked_at = datetime.now(UTC)
    opened = await asked(door, key)
    assert opened.drafted_at.ToDatetime(UTC) < asked_at
    assert opened.record_changed_at == form.record_changed_at
    assert opened.record_changed_at.ToDatetime(UTC) == await state(preparing, key)
    assert (await asked(door, key)).assessment_id == opened.assessment_id
    anew = await asked(door, key, request_id=str(uuid.uuid4()))
    assert anew.assessment_id != opened.assessment_id
    assert texts(anew) == texts(opened)
    stored = await door.GetAssessment(GetAssessmentRequest(assessment_id=opened.assessment_id))
    assert stored.assessment == opened
    assert (await door.Replay(ReplayRequest(assessment_id=opened.assessment_id))).identical


async def test_what_is_opened_is_never_older_than_the_record(
    preparing: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = somebody(key)
    record.encounter("Inpatient", day(1))
    await send(preparing, message(record))
    (first,) = await until(lambda: ready(door, key))
    before = first.record_changed_at.ToDatetime(UTC)
    for ago, value in enumerate(("5.9", "5.6", "5.3", "5.1"), 1):
        record.potassium(value, day(5 - ago))
        await send(preparing, message(record))
        await until(partial(is_after, preparing, key, before))
        before = await state(preparing, key)
        opened = await asked(door, key)
        assert opened.record_changed_at.ToDatetime(UTC) == before
        assert any(value in each for each in texts(opened))
    await until(lambda: of_state(door, key, before))


async def is_after(running: RunningStack, patient: PatientKey, before: datetime) -> bool:
    return await state(running, patient) > before


async def of_state(door: ReasoningServiceAsyncStub, patient: PatientKey, changed_at: datetime) -> bool:
    return [each.record_changed_at.ToDatetime(UTC) for each in await ready(door, patient)] == [changed_at]


async def test_a_brief_is_opened_in_the_view_of_who_opens_it(
    preparing: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey, tmp_path: Path
) -> None:
    record = somebody(key)
    record.medication(*DOLUTEGRAVIR, day(30))
    record.encounter("Inpatient", day(1))
    await send(preparing, message(record))
    await until(lambda: ready(door, key))
    asked_at = datetime.now(UTC)
    whole = await asked(door, key)
    assert "dolutegravir" in str(whole)
    async with as_physician(preparing, "REASONING", tmp_path) as opened:
        theirs = await asked(ReasoningServiceStub(opened), key)
        assert "dolutegravir" not in str(theirs)
        anew = await asked(ReasoningServiceStub(opened), key, request_id=str(uuid.uuid4()))
        assert texts(theirs) == texts(anew)
        # It was ready too.
        assert max(each.drafted_at.ToDatetime(UTC) for each in (whole, theirs)) < asked_at
        assert (await asked(ReasoningServiceStub(opened), key)).assessment_id == theirs.assessment_id
        async with as_physician(preparing, "MEMORY", tmp_path) as memory:
            wanted = memory_pb.OpenRecordRequest(patient=key, purpose="TREAT", reason="treated by me today")
            await MemoryServiceStub(memory).OpenRecord(wanted)
        assert (await asked(ReasoningServiceStub(opened), key)).assessment_id == whole.assessment_id


async def test_an_appointment_makes_a_brief_ready_and_its_cancellation_ends_it(
    preparing: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    await send(preparing, message(somebody(key)))
    await say(preparing, scheduled("S12", key, timedelta(hours=3)))
    (form,) = await until(lambda: ready(door, key))
    assert form.occasion == prepared_pb2.OCCASION_APPOINTMENT
    assert not any("follow-up" in each.casefold() for each in texts(await asked(door, key)))
    await say(preparing, scheduled("S15", key, timedelta(hours=3)))
    await until(lambda: nothing_ready(door, key))


async def test_a_discharge_drafts_a_summary(
    preparing: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = somebody(key)
    record.encounter("Inpatient", day(5), day(1))
    await send(preparing, message(record))
    (form,) = await until(lambda: ready(door, key))
    assert (form.form, form.specialty, form.occasion) == (SUMMARY, GENERAL, prepared_pb2.OCCASION_DISCHARGED)
    opened = await asked(door, key, SUMMARY, specialty="Family Physician")
    assert opened.record_changed_at == form.record_changed_at
    assert (await asked(door, key, SUMMARY, specialty=GENERAL)).assessment_id == opened.assessment_id
    other = await asked(door, key, SUMMARY, specialty="nephrology")
    assert other.assessment_id != opened.assessment_id
    assert other.specialty == "nephrology"


async def test_a_start_of_the_same_version_leaves_what_is_ready(
    preparing: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = somebody(key)
    record.encounter("Inpatient", day(1))
    await send(preparing, message(record))
    (before,) = await until(lambda: ready(door, key))
    await asyncio.to_thread(preparing.kill, "reasoning")
    await asyncio.to_thread(preparing.start, "reasoning")
    # Who is wanted behind it is looked at behind it.
    other = PatientKey(id=f"{key.id}-B", authority=key.authority)
    record = somebody(other)
    record.encounter("Inpatient", day(1))
    await send(preparing, message(record))
    await until(lambda: ready(door, other))
    assert await ready(door, key) == [before]
    opened = await asked(door, key)
    assert opened.record_changed_at == before.record_changed_at


async def test_kill_9_loses_no_brief(preparing: RunningStack, door: ReasoningServiceAsyncStub) -> None:
    patients = [PatientKey(id=f"K-{uuid.uuid4().hex[:8]}", authority="NORTHWEST") for _ in range(8)]
    for patient in patients:
        record = somebody(patient)
        record.encounter("Inpatient", day(1))
        await send(preparing, message(record))
    await asyncio.to_thread(preparing.kill, "reasoning")
    await asyncio.to_thread(preparing.start, "reasoning")
    for patient in patients:
        (form,) = await until(partial(ready, door, patient), 60)
        assert form.record_changed_at.ToDatetime(UTC) == await state(preparing, patient)
