"""Concerns as the services run them: real Kafka and PostgreSQL, memory beside it, and kill -9 in the middle."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from aiokafka import AIOKafkaConsumer
from consult import Record, Timeline
from consult.dangers import dangers
from consult.surveillance import compare, is_open
from contracts.errors import NotFoundError
from contracts.identifiers import format_patient
from contracts.kafka import reaching
from contracts.topics import (
    CONCERN_ACTED,
    CONCERN_CHANGED,
    CONCERN_OPENED,
    CONCERN_RESOLVED,
    RECORD_READ,
)
from eventbus import EventBus, Outbox
from eventbus.inbox import unpublished
from knowledge import shipped
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as pb
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.context_pb2 import Context
from longitude.record.v1.fact_pb2 import IdentityLink, PatientKey
from longitude.record.v1.look_pb2 import Look
from native_stack import Stack
from practice.records import RecordBuilder
from reasoning.adapters import postgres_concerns as rows
from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import open_store
from reasoning.adapters.postgres_concerns import Reading
from reasoning.flows import watching as watching_flow
from testkit import RunningStack
from testkit.calls import channel, channel_of
from testkit.telling import message, send, until

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

pytestmark = pytest.mark.timeout(300)

CRITICAL = "criticals/potassium"
TOPICS = (CONCERN_OPENED, CONCERN_CHANGED, CONCERN_RESOLVED, CONCERN_ACTED)
REASON = "the sample was haemolysed"
# A drug of a sensitive category, and one that it must not be taken with.
DOLUTEGRAVIR, DOFETILIDE = ("1433868", "dolutegravir"), ("49247", "dofetilide")


@pytest.fixture(scope="module")
def watching(new_stack: Callable[..., Stack]) -> RunningStack:
    """Without models: rules need none."""
    stack = new_stack(("kafka", "postgres", "objects", "memory", "reasoning"), elsewhere={"triton": "127.0.0.1:1"})
    return RunningStack(stack, stack.endpoints())


@pytest.fixture
async def door(watching: RunningStack) -> AsyncIterator[ReasoningServiceAsyncStub]:
    async with channel(watching.endpoints["LONGITUDE_REASONING"]) as opened:
        yield ReasoningServiceStub(opened)


@pytest.fixture
def key() -> PatientKey:
    return PatientKey(id=f"C-{uuid.uuid4().hex[:8]}", authority="NORTHWEST")


def day(ago: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


async def listed(door: ReasoningServiceAsyncStub, patient: PatientKey, **asked: Any) -> pb.ListConcernsResponse:
    """Nothing of a patient whom memory does not know yet."""
    try:
        return await door.ListConcerns(pb.ListConcernsRequest(patient=patient, page_size=100, **asked))
    except grpc.aio.AioRpcError as error:
        assert error.code() is grpc.StatusCode.NOT_FOUND  # noqa: PT017 - anything else is raised by the test
        return pb.ListConcernsResponse()


async def one(door: ReasoningServiceAsyncStub, patient: PatientKey, row: str, **asked: Any) -> Concern | None:
    answer = await listed(door, patient, **asked)
    return next((each for each in answer.concerns if each.row == row), None)


async def history(running: RunningStack, patients: set[str]) -> dict[str, list[Concern]]:
    """Every state of every concern of these patients that was published, in order of revision; of one, one event."""
    consumer = AIOKafkaConsumer(
        *(topic.name for topic in TOPICS),
        **reaching(running.endpoints["LONGITUDE_KAFKA"]),
        auto_offset_reset="earliest",
    )
    states: dict[str, dict[int, Concern]] = {}
    events: dict[tuple[str, int], set[str]] = {}
    await consumer.start()
    try:
        while batches := await consumer.getmany(timeout_ms=2000):
            for record in (record for batch in batches.values() for record in batch):
                topic = next(each for each in TOPICS if each.name == record.topic)
                concern: Concern = topic.payload.FromString(record.value).concern
                if concern.patient.id in patients:
                    states.setdefault(concern.concern_id, {})[concern.revision] = concern
                    name = dict(record.headers)["ce_id"].decode()
                    events.setdefault((concern.concern_id, concern.revision), set()).add(f"{topic.name} {name}")
    finally:
        await consumer.stop()
    assert all(len(names) == 1 for names in events.values())
    return {name: [own[revision] for revision in sorted(own)] for name, own in states.items()}


async def test_a_concern_opens_before_anybody_asks_and_the_repeat_closes_it(
    watching: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = RecordBuilder(key)
    record.potassium("6.7", day(1))
    await send(watching, message(record))
    opened: Concern = await until(lambda: one(door, key, CRITICAL))
    assert (opened.interruptive, opened.urgency, opened.revision) == (True, advice_pb2.URGENCY_URGENT, 1)
    assert "6.7 mmol/L" in opened.text
    worklist = await door.ListConcerns(pb.ListConcernsRequest(least=advice_pb2.URGENCY_URGENT, role="nurse"))
    assert opened in worklist.concerns
    record.potassium("4.4", day())
    await send(watching, message(record))
    await until(lambda: gone(door, key, CRITICAL))
    states = (await history(watching, {key.id}))[opened.concern_id]
    assert [(each.revision, is_open(each)) for each in states] == [(1, True), (2, False)]


async def test_all_concerns_of_a_patient_are_listed_once_and_each_by_its_id(
    watching: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = RecordBuilder(key)
    for value, ago in (("6.7", 3), ("4.4", 2)):
        record.potassium(value, day(ago))
        await send(watching, message(record))
        await until(lambda: one(door, key, CRITICAL, resolved=True))
    await until(lambda: gone(door, key, CRITICAL))
    over = await one(door, key, CRITICAL, resolved=True)
    assert over is not None
    assert over.state == pb.CONCERN_STATE_RESOLVED
    whole = (await listed(door, key, resolved=True)).concerns
    pages: list[Concern] = []
    asked = pb.ListConcernsRequest(patient=key, resolved=True, page_size=1)
    while not pages or asked.page_token:
        page = await door.ListConcerns(asked)
        pages += page.concerns
        asked.page_token = page.next_page_token
    assert pages == list(whole)
    assert len({each.concern_id for each in whole}) == len(whole) > 1
    by_id = await door.ListConcerns(pb.ListConcernsRequest(concern_id=over.concern_id))
    assert list(by_id.concerns) == [over]
    for wrong in (pb.ListConcernsRequest(resolved=True), pb.ListConcernsRequest(concern_id=str(uuid.uuid4()))):
        with pytest.raises(grpc.aio.AioRpcError, match=r"of a patient|no such concern"):
            await door.ListConcerns(wrong)


@asynccontextmanager
async def as_somebody(running: RunningStack, name: str, folder: Path) -> AsyncIterator[ReasoningServiceAsyncStub]:
    """The door as another demo person sees it."""
    async with channel_of(name, running.endpoints["LONGITUDE_REASONING"], running.endpoints, folder) as opened:
        yield ReasoningServiceStub(opened)


async def gone(door: ReasoningServiceAsyncStub, patient: PatientKey, row: str) -> bool:
    return await one(door, patient, row, acted=True) is None


async def test_its_look_at_the_record_is_the_process_own_and_the_persons_is_theirs(
    watching: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = RecordBuilder(key)
    record.potassium("6.9", day())
    await send(watching, message(record))
    await until(lambda: one(door, key, CRITICAL))
    consumer = AIOKafkaConsumer(
        RECORD_READ.name, **reaching(watching.endpoints["LONGITUDE_KAFKA"]), auto_offset_reset="earliest"
    )
    await consumer.start()
    looks: list[Look] = []
    try:
        async with asyncio.timeout(30):
            while {bool(look.subject) for look in looks} != {True, False}:
                batches = await consumer.getmany(timeout_ms=500)
                read = [RECORD_READ.payload.FromString(each.value).look for batch in batches.values() for each in batch]
                looks += [look for look in read if look.patient == key]
    finally:
        await consumer.stop()
    own = [look for look in looks if not look.subject]
    assert {(look.process, look.rpc) for look in own} == {("reasoning", "GetTimeline")}
    assert set(own[0].categories) == {"MH", "HIV", "SUD", "GDIS", "SEX"}


async def test_what_a_person_does_is_kept_with_its_event_and_ends_when_the_danger_changes(
    watching: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    record = RecordBuilder(key)
    record.potassium("6.4", day(1))
    await send(watching, message(record))
    concern: Concern = await until(lambda: one(door, key, CRITICAL))
    request = pb.ActOnConcernRequest(
        concern_id=concern.concern_id, action=pb.CONCERN_ACTION_DISMISS, reason=REASON, revision=concern.revision
    )
    done = (await door.ActOnConcern(request)).concern
    assert (done.act.reason, done.revision, done.interruptive) == (REASON, 2, False)
    assert await one(door, key, CRITICAL) is None
    assert await one(door, key, CRITICAL, acted=True) == done
    request.ClearField("revision")
    assert (await door.ActOnConcern(request)).concern == done
    record.potassium("7.1", day())
    await send(watching, message(record))
    back: Concern = await until(lambda: one(door, key, CRITICAL))
    assert (back.revision, back.HasField("act"), back.interruptive) == (3, False, True)
    request.revision = 1
    with pytest.raises(grpc.aio.AioRpcError, match="revision 3"):
        await door.ActOnConcern(request)
    states = (await history(watching, {key.id}))[concern.concern_id]
    assert [each.act.action for each in states] == [0, pb.CONCERN_ACTION_DISMISS, 0]


async def test_what_rests_on_a_sensitive_category_is_counted_and_not_shown_to_whom_it_is_closed(
    watching: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey, tmp_path: Path
) -> None:
    record = RecordBuilder(key)
    record.potassium("6.7", day())
    record.medication(*DOLUTEGRAVIR, day(2))
    record.medication(*DOFETILIDE, day(1))
    await send(watching, message(record))
    await until(lambda: one(door, key, CRITICAL))
    seen = await listed(door, key)
    hidden = [each for each in seen.concerns if each.sensitive]
    assert hidden
    assert seen.hidden == 0
    async with as_somebody(watching, "physician", tmp_path) as theirs:
        shown = await listed(theirs, key)
        assert (shown.hidden, len(shown.concerns)) == (len(hidden), len(seen.concerns) - len(hidden))
        assert "dolutegravir" not in str(shown)
        act = pb.ActOnConcernRequest(concern_id=hidden[0].concern_id, action=pb.CONCERN_ACTION_ACKNOWLEDGE)
        with pytest.raises(grpc.aio.AioRpcError, match="no such concern"):
            await theirs.ActOnConcern(act)
        with pytest.raises(grpc.aio.AioRpcError, match="no such concern"):
            await theirs.ListConcerns(pb.ListConcernsRequest(concern_id=hidden[0].concern_id))
        every = await listed(theirs, key, resolved=True, acted=True)
        assert (every.hidden, len(every.concerns)) == (shown.hidden, len(shown.concerns))
        worklist = await theirs.ListConcerns(pb.ListConcernsRequest(page_size=100))
        assert "dolutegravir" not in str(worklist)
        assert worklist.hidden >= len(hidden)


async def test_a_nurse_dismisses_nothing_and_who_may_not_ask_sees_nothing(
    watching: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey, tmp_path: Path
) -> None:
    record = RecordBuilder(key)
    record.potassium("6.7", day())
    await send(watching, message(record))
    concern: Concern = await until(lambda: one(door, key, CRITICAL))
    act = pb.ActOnConcernRequest(concern_id=concern.concern_id, action=pb.CONCERN_ACTION_DISMISS, reason=REASON)
    async with as_somebody(watching, "nurse", tmp_path) as theirs:
        with pytest.raises(grpc.aio.AioRpcError, match="dismissed by a physician"):
            await theirs.ActOnConcern(act)
    async with as_somebody(watching, "researcher", tmp_path) as theirs:
        with pytest.raises(grpc.aio.AioRpcError, match="not open to the role researcher"):
            await theirs.ListConcerns(pb.ListConcernsRequest())


async def test_a_merge_joins_what_two_numbers_say_and_the_unmerge_parts_it_again(
    watching: RunningStack, door: ReasoningServiceAsyncStub, key: PatientKey
) -> None:
    other = PatientKey(id=f"{key.id}-2", authority="LAKESIDE")
    one_record, other_record = RecordBuilder(key), RecordBuilder(other)
    one_record.medication("11289", "warfarin", day(3))
    other_record.medication("7258", "naproxen", day(2))
    other_record.potassium("6.7", day())
    await send(watching, message(one_record), message(other_record))
    critical: Concern = await until(lambda: one(door, other, CRITICAL))
    assert await one(door, key, CRITICAL) is None
    link = IdentityLink(surviving=key, merged=other)
    await send(watching, message(one_record, link))
    together = "interactions/warfarin-nsaid"
    pair: Concern = await until(lambda: one(door, key, together))
    # The danger that one of them had goes on as the same.
    assert await one(door, key, CRITICAL) == critical
    link.removed = True
    await send(watching, message(one_record, link))
    await until(lambda: gone(door, key, together))
    await until(lambda: gone(door, other, together))
    assert await one(door, other, CRITICAL) == critical
    assert await one(door, key, CRITICAL) is None
    states = await history(watching, {key.id, other.id})
    assert [is_open(each) for each in states[pair.concern_id]] == [True, False]
    assert len(states[critical.concern_id]) == 1


@pytest.mark.parametrize("seconds", [watching_flow.TOGETHER_SECONDS, 0.0])
async def test_whom_nobody_knows_holds_up_none_beside_them_together_and_one_by_one(
    watching: RunningStack, new_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    patients = [PatientKey(id=f"W-{uuid.uuid4().hex[:8]}", authority="NORTHWEST") for _ in range(3)]
    unknown = PatientKey(id=f"U-{uuid.uuid4().hex[:8]}", authority="NORTHWEST")
    records = [RecordBuilder(each) for each in patients]
    for record in records:
        record.potassium("6.7", day())
    await send(watching, *map(message, records))
    async with (
        open_store(new_database("reasoning")) as store,
        channel(watching.endpoints["LONGITUDE_MEMORY"]) as opened,
        store.connection() as conn,
    ):
        for each in patients:
            await until(partial(is_known, Memory(opened), each))
        await rows.want(conn, [unknown, *patients])
        monkeypatch.setattr(watching_flow, "TOGETHER_SECONDS", seconds)
        outbox = Outbox(store.connection, EventBus("reasoning", watching.endpoints["LONGITUDE_KAFKA"]).publish)
        watch = watching_flow.Watch(store, Memory(opened), shipped(), outbox, 3)
        assert await watch.step()
        assert not await watch.step()
        known = await rows.known(conn, [Reading([each], datetime.now(UTC)) for each in (unknown, *patients)])
        assert {len([each for each in own if each.row == CRITICAL]) for own in known.values()} == {0, 1}
        assert known[format_patient(unknown)] == []
        staged = [each for events in (await unpublished(conn, 100)).values() for each in events]
        assert len(staged) == len({each.id for each in staged}) == sum(map(len, known.values()))


async def is_known(memory: Memory, patient: PatientKey) -> bool:
    try:
        return bool((await memory.timeline(patient)).facts)
    except NotFoundError:
        return False


async def test_kill_9_in_the_middle_loses_no_concern_and_opens_none_twice(
    watching: RunningStack, door: ReasoningServiceAsyncStub
) -> None:
    patients = [PatientKey(id=f"K-{uuid.uuid4().hex[:8]}", authority="NORTHWEST") for _ in range(12)]
    records = [RecordBuilder(each) for each in patients]
    for round_ in range(4):
        for number, record in enumerate(records):
            record.potassium(("6.7", "4.4", "7.2", "6.1")[(round_ + number) % 4], day(3 - round_))
            if round_ == number % 4:
                record.medication("29046", "lisinopril", day(1))
        await send(watching, *map(message, records))
        await asyncio.sleep(0.2 * round_)
        await asyncio.to_thread(watching.kill, "reasoning")
        await asyncio.to_thread(watching.start, "reasoning")
    expected = {each.id: await oracle(watching, each) for each in patients}
    for patient in patients:
        await until(partial(says, door, patient, expected[patient.id]), 60)
    states = await history(watching, {each.id for each in patients})
    assert any(expected.values())
    for own in states.values():
        assert [each.revision for each in own] == list(range(1, len(own) + 1))
        assert is_open(own[0])
        for before, after in pairwise(own):
            said = [(each.state, each.urgency, *each.supports) for each in (before, after)]
            assert said[0] != said[1]
    last = {name: {state(own[-1]) for own in states.values() if own[-1].patient.id == name} for name in expected}
    assert {name: {each for each in own if each} for name, own in last.items()} == expected


def state(concern: Concern) -> tuple[Any, ...]:
    return (concern.row, concern.subject, concern.urgency, *concern.supports) if is_open(concern) else ()


async def oracle(running: RunningStack, patient: PatientKey) -> set[tuple[Any, ...]]:
    """What a look from nothing opens, when memory has all four messages."""
    async with channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:

        async def whole() -> Timeline | None:
            known = await Memory(opened).timeline(patient)
            results = [each for each in known.facts if each.fact.kind == clinical.FACT_KIND_RESULT]
            return known if len(results) == 4 else None

        timeline: Timeline = await until(whole)
    seen = dangers(Record(timeline, Context(), (), datetime.now(UTC)))
    return {state(each.concern) for each in compare([], seen, patient, datetime.now(UTC), 3)}


async def says(door: ReasoningServiceAsyncStub, patient: PatientKey, expected: set[tuple[Any, ...]]) -> bool:
    return {state(each) for each in (await listed(door, patient)).concerns} == expected
