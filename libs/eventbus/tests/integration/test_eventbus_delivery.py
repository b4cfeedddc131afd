"""The delivery rules on a real broker: FastStream's test broker fakes commit and seek and cannot show them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from contracts.errors import PermanentError, UnavailableError
from contracts.identifiers import event_id
from contracts.kafka import reaching
from contracts.topics import Topic, dead_letter_topic
from eventbus import Event, EventBus, Outgoing
from eventbus.delivery import RetryPolicy, TooManyBugsError
from eventbus.events import decode_headers
from eventbus.producer import MAX_RECORD_BYTES
from eventbus.retry import Backoff
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.ingestion.v1.events_pb2 import MessageRejected
from testkit.signing import publishing, signer_of

FAST = RetryPolicy(Backoff(0.01, 0.05), patience=0.3, bug_limit=3)
Rejected = Topic[MessageRejected]
SECRET = "EVERYWOMAN"


class Process:
    """The end of a process as the bus sees it."""

    def __init__(self) -> None:
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_result(error)

    def works_without(self, name: str, check: Callable[[], Awaitable[object]]) -> None:
        assert name == "kafka"
        assert callable(check)


@pytest.fixture
async def topic(kafka: str) -> Rejected:
    made = Topic(f"test.{uuid4().hex}.v1", MessageRejected)
    await create(kafka, made.name, dead_letter_topic("consumer", made))
    return made


async def create(kafka: str, *names: str) -> None:
    admin = AIOKafkaAdminClient(**reaching(kafka))
    await admin.start()
    await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1) for name in names])
    await admin.close()


def numbered(topic: Rejected, number: int) -> Outgoing:
    time = Timestamp(seconds=1_700_000_000 + number).ToDatetime()
    return Outgoing(topic, event_id("n", str(number)), b"k", MessageRejected(control_id=str(number)), time)


@asynccontextmanager
async def consuming(
    kafka: str, topic: Rejected, handler: Callable[[Event[Any]], Awaitable[Sequence[Outgoing]]], process: Process
) -> AsyncIterator[EventBus]:
    bus = EventBus("consumer", kafka, FAST)
    bus.subscribe(topic, handler)
    async with bus.running(process):
        yield bus


async def publish(kafka: str, *events: Outgoing) -> None:
    async with publishing(kafka) as publish_one:
        for event in events:
            await publish_one(event)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def committed(kafka: str, topic: str) -> int:
    consumer = AIOKafkaConsumer(**reaching(kafka), group_id="consumer", enable_auto_commit=False)
    await consumer.start()
    try:
        return await consumer.committed(TopicPartition(topic, 0)) or 0
    finally:
        await consumer.stop()


async def records(kafka: str, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(topic, **reaching(kafka), auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


async def test_a_handled_event_is_committed_and_does_not_come_again(kafka: str, topic: Rejected) -> None:
    seen: list[str] = []

    async def handler(event: Event[MessageRejected]) -> list[Outgoing]:
        seen.append(event.payload.control_id)
        return []

    await publish(kafka, *(numbered(topic, n) for n in range(3)))
    for _ in range(2):
        async with consuming(kafka, topic, handler, Process()):
            await until(lambda: len(seen) >= 3)
            await asyncio.sleep(0.3)
    assert seen == ["0", "1", "2"]
    assert await committed(kafka, topic.name) == 3


async def test_an_outage_longer_than_the_patience_loses_nothing_and_keeps_the_order(
    kafka: str, topic: Rejected
) -> None:
    seen: list[str] = []
    attempts = 0

    async def handler(event: Event[MessageRejected]) -> list[Outgoing]:
        nonlocal attempts
        attempts += 1
        if event.payload.control_id == "1" and attempts < 40:
            raise UnavailableError("down")
        seen.append(event.payload.control_id)
        return []

    await publish(kafka, *(numbered(topic, n) for n in range(4)))
    async with consuming(kafka, topic, handler, Process()):
        await until(lambda: "3" in seen)
    # Records before the outage may be handled again after it: their effect is keyed by event id.
    assert [n for i, n in enumerate(seen) if n not in seen[:i]] == ["0", "1", "2", "3"]


async def test_a_permanent_error_goes_to_the_dead_letters_with_its_place(kafka: str, topic: Rejected) -> None:
    async def handler(event: Event[MessageRejected]) -> list[Outgoing]:
        if event.payload.control_id == "1":
            raise PermanentError("no-such-patient")
        return []

    await publish(kafka, *(numbered(topic, n) for n in range(3)))
    async with consuming(kafka, topic, handler, Process()):
        (dead,) = await records(kafka, dead_letter_topic("consumer", topic), 1)
    headers = decode_headers(dead)
    assert MessageRejected.FromString(dead.value).control_id == "1"
    assert headers["dlq_reason"] == "no-such-patient"
    assert (headers["dlq_topic"], headers["dlq_partition"], headers["dlq_offset"]) == (topic.name, "0", "1")
    assert headers["dlq_event_id"] == event_id("n", "1")


async def test_a_bug_is_a_dead_letter_that_names_its_type_and_not_its_text(
    kafka: str, topic: Rejected, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(_: Event[MessageRejected]) -> list[Outgoing]:
        raise KeyError(SECRET)

    await publish(kafka, numbered(topic, 0))
    async with consuming(kafka, topic, handler, Process()):
        (dead,) = await records(kafka, dead_letter_topic("consumer", topic), 1)
    headers = decode_headers(dead)
    assert (headers["dlq_reason"], headers["dlq_error"]) == ("bug", "KeyError")
    assert SECRET not in str(headers) + caplog.text


async def test_a_record_that_is_no_event_is_a_dead_letter_and_the_line_goes_on(kafka: str, topic: Rejected) -> None:
    seen: list[str] = []

    async def handler(event: Event[MessageRejected]) -> list[Outgoing]:
        seen.append(event.payload.control_id)
        return []

    producer = AIOKafkaProducer(**reaching(kafka))
    await producer.start()
    value, signer = b'{"not": "protobuf"}', signer_of(topic.owner)
    assert signer is not None
    headers = signer.headers(topic.name, b"", {}, value)
    await producer.send_and_wait(topic.name, value, headers=[(name, each.encode()) for name, each in headers.items()])
    await producer.stop()
    await publish(kafka, numbered(topic, 7))
    async with consuming(kafka, topic, handler, Process()):
        (dead,) = await records(kafka, dead_letter_topic("consumer", topic), 1)
        await until(lambda: seen == ["7"])
    assert decode_headers(dead)["dlq_reason"] == "undecodable"


async def test_a_consumer_stops_before_it_floods_the_dead_letters(kafka: str, topic: Rejected) -> None:
    async def handler(_: Event[MessageRejected]) -> list[Outgoing]:
        raise ZeroDivisionError

    await publish(kafka, *(numbered(topic, n) for n in range(10)))
    process = Process()
    async with consuming(kafka, topic, handler, process):
        error = await asyncio.wait_for(process.failed, 20)
    assert isinstance(error, TooManyBugsError)
    dead = await records(kafka, dead_letter_topic("consumer", topic), FAST.bug_limit)
    assert len(dead) == FAST.bug_limit
    assert await committed(kafka, topic.name) < 10


async def test_a_record_that_spoils_its_batch_is_a_dead_letter_and_the_others_have_their_effect(
    kafka: str, topic: Rejected
) -> None:
    seen: list[str] = []
    sizes: list[int] = []

    async def handler(events: Sequence[Event[MessageRejected]]) -> list[list[Outgoing]]:
        sizes.append(len(events))
        names = [event.payload.control_id for event in events]
        if "5" in names:
            raise PermanentError("unreadable")
        seen.extend(names)
        return [[] for _ in events]

    await publish(kafka, *(numbered(topic, n) for n in range(12)))
    bus = EventBus("consumer", kafka, FAST)
    bus.subscribe_batches(topic, handler)
    async with bus.running(Process()):
        (dead,) = await records(kafka, dead_letter_topic("consumer", topic), 1)
        await until(lambda: len(seen) == 11)
    assert MessageRejected.FromString(dead.value).control_id == "5"
    assert decode_headers(dead)["dlq_reason"] == "unreadable"
    assert seen == [str(n) for n in range(12) if n != 5], "in order"
    assert max(sizes) == 12, "they were handed over together"


async def test_what_a_batch_is_followed_by_is_published_in_order(kafka: str, topic: Rejected) -> None:
    follows = Topic(f"{topic.name}.follows", MessageRejected)
    await create(kafka, follows.name)

    async def handler(events: Sequence[Event[MessageRejected]]) -> list[list[Outgoing]]:
        return [[Outgoing.caused_by(event, follows, event.payload, id=event.id)] for event in events]

    await publish(kafka, *(numbered(topic, n) for n in range(30)))
    bus = EventBus("consumer", kafka, FAST)
    bus.subscribe_batches(topic, handler)
    async with bus.running(Process()):
        published = await records(kafka, follows.name, 30)
    assert [MessageRejected.FromString(each.value).control_id for each in published] == [str(n) for n in range(30)]
    assert [decode_headers(each)["ce_causationid"] for each in published] == [event_id("n", str(n)) for n in range(30)]


async def test_an_event_larger_than_a_record_may_be_holds_up_nothing(kafka: str, topic: Rejected) -> None:
    seen: list[str] = []

    async def handler(events: Sequence[Event[MessageRejected]]) -> list[list[Outgoing]]:
        seen.extend(event.payload.control_id for event in events)
        large = MessageRejected(control_id="x" * MAX_RECORD_BYTES)
        return [
            [Outgoing.caused_by(event, topic, large, id=event_id("large"))] if event.payload.control_id == "1" else []
            for event in events
        ]

    await publish(kafka, *(numbered(topic, n) for n in range(3)))
    bus = EventBus("consumer", kafka, FAST)
    bus.subscribe_batches(topic, handler)
    async with bus.running(Process()):
        (dead,) = await records(kafka, dead_letter_topic("consumer", topic), 1)
        await until(lambda: "2" in seen)
    assert (decode_headers(dead)["dlq_reason"], decode_headers(dead)["dlq_offset"]) == ("record-too-large", "1")


async def test_an_unreachable_broker_is_a_transient_error() -> None:
    bus = EventBus("publisher", "127.0.0.1:1", FAST)
    with pytest.raises(UnavailableError):
        await bus.ping()
