"""Kill -9 anywhere on the written path, twenty times in one load: 0 lost, 0 doubled, order per patient kept.

What failed is repeated by its seed, which is the name of the case: `pytest tests/faults/test_campaign.py --seed N`.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from contracts.identifiers import event_id
from contracts.kafka import reaching
from contracts.topics import MESSAGE_RECEIVED, RECORD_READ, RECORD_UPDATED, Topic
from eventbus.events import decode_headers
from ingestion.domain.reading import Feed, Reading, read
from longitude.auditing.v1 import auditing_service_pb2, auditing_service_pb2_grpc
from longitude.memory.v1 import memory_service_pb2, memory_service_pb2_grpc
from longitude.record.v1.fact_pb2 import PatientKey
from native_stack import Stack
from testkit.calls import open_channel
from testkit.running import RunningStack

from tests.faults.campaign import IN_A_BATCH, PARTS, Campaign, run
from tests.observe import Observer, until

SHORT, LONG = (1,), range(1, 26)
RESTATED = "718-7"
Records = Sequence["ConsumerRecord[bytes, bytes]"]
_VERSIONS = """SELECT identifier.id, fact.event_id, fact.fact_id FROM memory.fact
    JOIN memory.identifier USING (identifier_no) WHERE authority = %s
    ORDER BY fact.recorded_at, fact.received_at, fact.ordinal"""
_OUTBOX = "SELECT event_id::text, published_at IS NOT NULL FROM memory.outbox WHERE cause_id = ANY(%s::uuid[])"

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Place:
    """How far the log and the topics were when a campaign began."""

    leaves: int
    offsets: dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class After:
    """A system at rest after a campaign, and what the acknowledged messages make by ingestion's own reader."""

    path: RunningStack
    seed: int
    campaign: Campaign
    began: Place
    # By patient, in the order of sending.
    received: dict[str, list[str]]
    facts: dict[str, list[str]]

    @property
    def updated(self) -> dict[str, list[str]]:
        """The events that follow from those received."""
        return {patient: [event_id("record-updated", id_) for id_ in ids] for patient, ids in self.received.items()}

    def records(self, topic: Topic[Any]) -> Records:
        """What was published since the campaign began, in order within a partition."""
        began = {place: offset for place, offset in self.began.offsets.items() if place.topic == topic.name}
        return asyncio.run(_records(self.path.endpoints["LONGITUDE_KAFKA"], began))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    repeated = metafunc.config.getoption("--seed")
    seeds = LONG if metafunc.config.getoption("--faults") == "long" else SHORT
    metafunc.parametrize(
        "after", seeds if repeated is None else [repeated], ids="seed-{}".format, indirect=True, scope="module"
    )


@pytest.fixture(scope="module")
def path(new_stack: Callable[..., Stack]) -> RunningStack:
    """The written path, and nothing that only reads. Its messages have no text, so nobody asks for the embedder."""
    up = new_stack(PARTS, elsewhere={"triton": "127.0.0.1:9"})
    endpoints = up.endpoints()
    until(Observer(RunningStack(up, endpoints)).log_is_whole, "what a start publishes is in the log")
    return RunningStack(up, endpoints)


@pytest.fixture(scope="module")
def after(path: RunningStack, request: pytest.FixtureRequest) -> After:
    seed, observer, began = request.param, Observer(path), _place(path)
    campaign = asyncio.run(run(path, seed))
    until(lambda: observer.waiting() == 0, f"seed {seed}: every event handled")
    until(observer.log_is_whole, f"seed {seed}: every record in the log")
    readings = {patient: [_read(message) for message in sent] for patient, sent in campaign.sent.items()}
    return After(
        path,
        seed,
        campaign,
        began,
        {patient: [each.event_id for each in of_patient] for patient, of_patient in readings.items()},
        {
            patient: [f.fact_id for each in of_patient for f in each.content.facts]
            for patient, of_patient in readings.items()
        },
    )


def test_every_acknowledged_message_is_in_the_record_once_and_in_the_order_of_sending(after: After) -> None:
    with psycopg.connect(after.path.endpoints["LONGITUDE_POSTGRES_MEMORY"]) as connection:
        rows = connection.execute(_VERSIONS, (after.campaign.feed,)).fetchall()
    events: dict[str, list[str]] = defaultdict(list)
    facts: dict[str, list[str]] = defaultdict(list)
    for patient, event, fact in rows:
        facts[patient].append(fact)
        if event not in events[patient][-1:]:
            events[patient].append(event)
    assert facts == after.facts
    assert events == after.received


def test_the_last_statement_of_a_restated_result_stands_alone(after: After) -> None:
    with open_channel(after.path.endpoints["LONGITUDE_MEMORY"]) as channel:
        memory = memory_service_pb2_grpc.MemoryServiceStub(channel)
        for patient, sent in after.campaign.sent.items():
            key = PatientKey(id=patient, authority=after.campaign.feed)
            answer = memory.GetTimeline(
                memory_service_pb2.GetTimelineRequest(patient=key, page_size=10_000), timeout=60
            )
            stands = [each.fact.quantity.value for each in answer.facts if each.fact.code.code == RESTATED]
            assert stands == [str(len(sent))], patient


def test_every_event_is_published_in_order_and_a_repetition_is_the_same_bytes(after: After) -> None:
    received, updated = after.records(MESSAGE_RECEIVED), after.records(RECORD_UPDATED)
    assert _first_of_each(received, after.received) == after.received
    assert _first_of_each(updated, after.updated) == after.updated
    assert len({(_id(each), each.value) for each in updated}) == after.campaign.messages


def test_the_outbox_keeps_one_event_for_each_message_and_all_are_published(after: After) -> None:
    causes = [id_ for ids in after.received.values() for id_ in ids]
    with psycopg.connect(after.path.endpoints["LONGITUDE_POSTGRES_MEMORY"]) as connection:
        kept = connection.execute(_OUTBOX, (causes,)).fetchall()
    assert Counter(kept) == Counter((id_, True) for ids in after.updated.values() for id_ in ids)


def test_every_event_is_one_leaf_and_there_is_no_leaf_beside(after: After) -> None:
    """A dead letter and a refused message would be leaves of other topics; so are looks, and these tests look."""
    expected = Counter((MESSAGE_RECEIVED.name, id_) for ids in after.received.values() for id_ in ids)
    expected |= Counter((RECORD_UPDATED.name, id_) for ids in after.updated.values() for id_ in ids)
    with _auditing(after.path) as auditing:
        stream = auditing.ReadLeaves(auditing_service_pb2.ReadLeavesRequest(start=after.began.leaves), timeout=60)
        leaves = Counter((response.leaf.topic, response.leaf.event_id) for response in stream)
        assert Counter({leaf: number for leaf, number in leaves.items() if leaf[0] != RECORD_READ.name}) == expected
        counts = auditing.GetCompleteness(auditing_service_pb2.GetCompletenessRequest(), timeout=60).partitions
    assert [count for count in counts if count.missing] == []


def test_the_log_proves_itself(after: After) -> None:
    done = Observer(after.path).command("audit", "verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_is_ready(after: After) -> None:
    assert {part: after.path.state(part) for part in PARTS} == dict.fromkeys(PARTS, "ready")


def test_kills_fell_within_batches(after: After, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(_account(after))
    assert after.campaign.met["memory", IN_A_BATCH]
    assert after.campaign.met["auditing", IN_A_BATCH]


def _read(message: bytes) -> Reading:
    return read(message, datetime.now(UTC), Feed())


def _account(after: After) -> str:
    """A line on what a campaign was."""
    met = ", ".join(f"{count} {victim} {place}" for (victim, place), count in sorted(after.campaign.met.items()))
    again = {topic: len(after.records(topic)) - after.campaign.messages for topic in (MESSAGE_RECEIVED, RECORD_UPDATED)}
    repeated = ", ".join(f"{count} {topic.name}" for topic, count in again.items())
    return f"\nseed {after.seed}: killed {met}; {after.campaign.messages} messages; published again: {repeated}"


def _place(path: RunningStack) -> Place:
    with _auditing(path) as auditing:
        note = auditing.GetCheckpoint(auditing_service_pb2.GetCheckpointRequest(), timeout=60).note
    return Place(int(note.split("\n")[1]), asyncio.run(_ends(path.endpoints["LONGITUDE_KAFKA"])))


@contextmanager
def _auditing(path: RunningStack) -> Iterator[Any]:
    with open_channel(path.endpoints["LONGITUDE_AUDITING"]) as channel:
        yield auditing_service_pb2_grpc.AuditingServiceStub(channel)


def _first_of_each(records: Records, of_patient: dict[str, list[str]]) -> dict[str, list[str]]:
    """The events of each patient in the order in which they first came."""
    patients = {id_: patient for patient, ids in of_patient.items() for id_ in ids}
    came: dict[str, list[str]] = defaultdict(list)
    for id_ in dict.fromkeys(map(_id, records)):
        came[patients[id_]].append(id_)
    return came


def _id(record: "ConsumerRecord[bytes, bytes]") -> str:
    return decode_headers(record)["ce_id"]


async def _ends(kafka: str) -> dict[TopicPartition, int]:
    async with AIOKafkaConsumer(MESSAGE_RECEIVED.name, RECORD_UPDATED.name, **reaching(kafka)) as consumer:
        return dict(await consumer.end_offsets(consumer.assignment()))


async def _records(kafka: str, began: dict[TopicPartition, int]) -> Records:
    """Everything from there to the end, in order within a partition."""
    read: list[ConsumerRecord[bytes, bytes]] = []
    async with AIOKafkaConsumer(**reaching(kafka)) as consumer:
        consumer.assign(list(began))
        for place, offset in began.items():
            consumer.seek(place, offset)
        ends = await consumer.end_offsets(list(began))
        while len(read) < sum(ends.values()) - sum(began.values()):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                read += records
    return read
