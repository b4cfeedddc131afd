"""A record that the topic's owner did not sign has no effect, on a real broker; the dead letter says why."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from client import dead_letters
from client import kafka as reading
from contracts.identifiers import event_id
from contracts.kafka import reaching
from contracts.signatures import HEADERS
from contracts.topics import Topic, dead_letter_topic
from eventbus import Event, EventBus, Outgoing
from eventbus.events import decode_headers
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.ingestion.v1.events_pb2 import MessageRejected
from testkit.signing import identity_of, publishing, signer_of

Rejected = Topic[MessageRejected]
KEY = b"k"


class Process:
    def fail(self, error: BaseException) -> None:
        raise error

    def works_without(self, name: str, check: Callable[[], Awaitable[object]]) -> None: ...


class Consumer:
    """Takes what comes, and puts no two of its like in one topic."""

    def __init__(self, kafka: str) -> None:
        self.kafka = kafka
        self.topic: Rejected = Topic(f"test.{uuid4().hex}.v1", MessageRejected)
        self.seen: list[str] = []

    async def create(self) -> None:
        admin = AIOKafkaAdminClient(**reaching(self.kafka))
        await admin.start()
        names = (self.topic.name, dead_letter_topic("consumer", self.topic))
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1) for name in names])
        await admin.close()

    async def until(self, *ids: str, identity: Mapping[str, str] = os.environ) -> None:
        """Run until exactly these had their effect."""

        async def handler(event: Event[MessageRejected]) -> Sequence[Outgoing]:
            self.seen.append(event.payload.control_id)
            return []

        bus = EventBus("consumer", self.kafka, identity=identity)
        bus.subscribe(self.topic, handler)
        async with bus.running(Process()), asyncio.timeout(20):
            while len(self.seen) < len(ids):
                await asyncio.sleep(0.02)
        assert self.seen == list(ids)

    async def dead(self, count: int) -> list[Any]:
        consumer = AIOKafkaConsumer(
            dead_letter_topic("consumer", self.topic), **reaching(self.kafka), auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            async with asyncio.timeout(20):
                return [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()


@pytest.fixture
async def consumer(kafka: str) -> Consumer:
    made = Consumer(kafka)
    await made.create()
    return made


def event(topic: Rejected, number: int) -> Outgoing:
    time = Timestamp(seconds=1_700_000_000 + number).ToDatetime()
    return Outgoing(topic, event_id("n", str(number)), KEY, MessageRejected(control_id=str(number)), time)


async def put(kafka: str, event: Outgoing, *, signed_by: str = "", **changed: str) -> None:
    """The record, signed by somebody or by nobody, with headers changed afterwards."""
    headers = event.headers()
    if signer := signer_of(signed_by) if signed_by else None:
        headers |= signer.headers(event.topic.name, event.key, headers, event.value())
    producer = AIOKafkaProducer(**reaching(kafka))
    await producer.start()
    wire = [(name, text.encode()) for name, text in (headers | changed).items()]
    await producer.send_and_wait(event.topic.name, event.value(), key=event.key, headers=wire)
    await producer.stop()


async def test_unsigned_and_wrongly_signed_records_have_no_effect_and_the_line_goes_on(consumer: Consumer) -> None:
    topic = consumer.topic
    await put(consumer.kafka, event(topic, 0))
    await put(consumer.kafka, event(topic, 1), signed_by="learning")
    await put(consumer.kafka, event(topic, 2), signed_by=topic.owner, ce_time="2001-01-01T00:00:00+00:00")
    await put(consumer.kafka, event(topic, 3), signed_by=topic.owner)
    await consumer.until("3")
    headers = [decode_headers(record) for record in await consumer.dead(3)]
    assert [(each["dlq_reason"], each["dlq_text"]) for each in headers] == [
        ("unsigned", "the record has no signature"),
        ("wrongly-signed", f"signed by learning, who may not write {topic.name}"),
        ("wrongly-signed", f"it is not what {topic.owner} signed"),
    ]


async def test_a_bus_signs_with_its_own_certificate(consumer: Consumer) -> None:
    """One that is not the owner's, and one that is."""
    for number, name in enumerate(("memory", "test")):
        bus = EventBus(name, consumer.kafka, identity=identity_of(name))
        async with bus.running(Process()):
            await bus.publish(event(consumer.topic, number))
    await consumer.until("1")
    (dead,) = await consumer.dead(1)
    assert "signed by memory" in decode_headers(dead)["dlq_text"]


async def test_a_dead_letter_that_is_put_back_keeps_its_signature(consumer: Consumer) -> None:
    """The command puts it back, and signs nothing: what was refused for its writer is refused again."""
    async with publishing(consumer.kafka) as publish:
        await publish(event(consumer.topic, 0))
    await put(consumer.kafka, event(consumer.topic, 1), signed_by="learning")
    await consumer.until("0")
    (first,) = await consumer.dead(1)
    async with reading.connect(consumer.kafka) as reader:
        (letter,) = [each for each in await dead_letters.find(reader) if each.origin == consumer.topic.name]
    await dead_letters.replay(consumer.kafka, letter, "once")
    async with publishing(consumer.kafka) as publish:
        await publish(event(consumer.topic, 2))
    await consumer.until("0", "2")
    again = [decode_headers(record) for record in await consumer.dead(2)][1]
    assert {name: again[name] for name in HEADERS} == {name: decode_headers(first)[name] for name in HEADERS}
    assert again["dlq_reason"] == "wrongly-signed"


async def test_a_letter_of_the_owner_that_is_put_back_has_its_effect(consumer: Consumer) -> None:
    """It was given up for another reason, and its certificate need not be the newest."""
    async with publishing(consumer.kafka) as publish:
        await publish(event(consumer.topic, 5))

    async def give_up(_: Event[MessageRejected]) -> Sequence[Outgoing]:
        raise LookupError

    bus = EventBus("consumer", consumer.kafka)
    bus.subscribe(consumer.topic, give_up)
    async with bus.running(Process()):
        await consumer.dead(1)
    async with reading.connect(consumer.kafka) as reader:
        (letter,) = [each for each in await dead_letters.find(reader) if each.origin == consumer.topic.name]
    await dead_letters.replay(consumer.kafka, letter, "once")
    await consumer.until("5")


async def test_plain_text_says_that_nothing_is_signed_and_takes_everything(
    consumer: Consumer, caplog: pytest.LogCaptureFixture
) -> None:
    await put(consumer.kafka, event(consumer.topic, 0))
    await consumer.until("0", identity={"LONGITUDE_PLAINTEXT": "true"})
    assert "events are not signed" in caplog.text
