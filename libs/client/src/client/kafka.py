"""Reading Kafka itself: whole topics up to where they ended when asked, and records as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from contracts.kafka import reaching
from contracts.tls import TlsError

from client.errors import ClientError, NotThereError, UnreachableError
from client.records import RawRecord
from client.stack import find

FETCH_MILLISECONDS = 500
MAX_RECORD_BYTES = 4 * 1024 * 1024

Partition = tuple[str, int]


class Span:
    """The records of some topics between two moments: `starts` and `ends` by partition."""

    def __init__(
        self, consumer: AIOKafkaConsumer, starts: Mapping[Partition, int], ends: Mapping[Partition, int]
    ) -> None:
        self._consumer = consumer
        self.starts = starts
        self.ends = ends

    async def records(self) -> AsyncIterator[RawRecord]:
        """Every record, in order within a partition."""
        waiting = {place for place, end in self.ends.items() if self.starts[place] < end}
        self._consumer.assign([TopicPartition(*place) for place in waiting])
        for topic, partition in waiting:
            self._consumer.seek(TopicPartition(topic, partition), self.starts[topic, partition])
        while waiting:
            for place, batch in (await self._consumer.getmany(timeout_ms=FETCH_MILLISECONDS)).items():
                for raw in batch:
                    if raw.offset < self.ends[place.topic, place.partition]:
                        yield raw_record(raw)
            waiting = {place for place in waiting if await self._position(place) < self.ends[place]}

    async def _position(self, place: Partition) -> int:
        return int(await self._consumer.position(TopicPartition(*place)))


class Kafka:
    """A connection for reading, one span at a time. All of it is read-only and outside every consumer group."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._admin = admin

    async def span(self, wanted: Callable[[str], bool]) -> Span:
        """From the oldest record that Kafka keeps to the newest at this moment."""
        places = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await self._admin.describe_topics()
            if wanted(topic["topic"])
            for partition in topic["partitions"]
        ]
        # Assigning first makes the consumer learn all leaders at once; else it asks topic by topic, for seconds.
        self._consumer.assign(places)
        starts = await self._consumer.beginning_offsets(places) if places else {}
        ends = await self._consumer.end_offsets(places) if places else {}
        return Span(self._consumer, _by_partition(starts), _by_partition(ends))

    async def record(self, topic: str, partition: int, offset: int) -> RawRecord:
        """One record by its place."""
        span = await self.span(lambda name: name == topic)
        place = (topic, partition)
        if place not in span.ends or not span.starts[place] <= offset < span.ends[place]:
            raise NotThereError(f"Kafka holds no record {topic}/{partition}/{offset}")
        one = Span(self._consumer, {place: offset}, {place: offset + 1})
        async for record in one.records():
            return record
        raise NotThereError(f"Kafka holds no record {topic}/{partition}/{offset}")


def _by_partition(offsets: Mapping[Any, int]) -> dict[Partition, int]:
    return {(place.topic, place.partition): offset for place, offset in offsets.items()}


def raw_record(raw: ConsumerRecord[Any, Any]) -> RawRecord:
    """A record of aiokafka as a value; headers that are not UTF-8 are shown escaped."""
    headers = {name: value.decode("utf-8", "backslashreplace") for name, value in raw.headers}
    return RawRecord(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key or b"", raw.value or b"", headers)


def _reaching(bootstrap: str) -> dict[str, Any]:
    """As the environment or the stack says who this is."""
    try:
        return reaching(bootstrap, find().variables)
    except TlsError as error:
        raise ClientError(str(error)) from error


@contextmanager
def _reachable(bootstrap: str) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise UnreachableError(f"Kafka at {bootstrap} does not answer ({type(error).__name__})") from error


@asynccontextmanager
async def connect(bootstrap: str) -> AsyncIterator[Kafka]:
    """A reader; UnreachableError when no broker answers."""
    access = _reaching(bootstrap)
    consumer = AIOKafkaConsumer(
        **access, enable_auto_commit=False, auto_offset_reset="earliest", request_timeout_ms=10_000
    )
    admin = AIOKafkaAdminClient(**access, request_timeout_ms=10_000)
    try:
        with _reachable(bootstrap):
            await consumer.start()
            await admin.start()
            yield Kafka(consumer, admin)
    finally:
        await consumer.stop()
        await admin.close()


async def publish(bootstrap: str, topic: str, key: bytes, value: bytes, headers: Iterable[tuple[str, bytes]]) -> None:
    """Publish one record and wait for all in-sync replicas."""
    producer = AIOKafkaProducer(
        **_reaching(bootstrap), acks="all", enable_idempotence=True, max_request_size=MAX_RECORD_BYTES
    )
    with _reachable(bootstrap):
        await producer.start()
        try:
            await producer.send_and_wait(topic, value, key=key or None, headers=list(headers))
        finally:
            await producer.stop()
