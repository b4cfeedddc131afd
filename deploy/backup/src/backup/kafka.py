"""Kafka, record by record and offset by offset: what is put back lies at the offset that it had.

Leaves of the audit log, positions of consumers and checkpoints name offsets, so these are kept: a partition whose log
began later than 0 is filled up with empty records, which are deleted again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from contracts.kafka import reaching

from backup.errors import BackupError
from backup.manifest import Place, Topic
from backup.records import Record

Offsets = dict[TopicPartition, int]
# A record of 4 MiB (eventbus.producer) with its headers.
_MAX_REQUEST = 8 * 1024 * 1024
# Sent and not acknowledged yet: records and bytes.
_TOGETHER, _TOGETHER_BYTES = 1_000, 8 * 1024 * 1024
_FETCH_MS, _FETCH_RECORDS = 1_000, 1_000
_FETCH_BYTES = 16 * 1024 * 1024
# Without a record that must be there, and for a topic that is made.
_PATIENCE_S = 60.0
# Of a topic's setting: somebody set it for this topic (KIP-226).
_SET_FOR_TOPIC = 1
_INTERNAL = "__"


class Broker:
    """One cluster, as who may do everything there. BackupError when it does not answer."""

    def __init__(self, bootstrap: str) -> None:
        """`host:port`; who one is there stands in the environment (contracts.kafka)."""
        self._access = reaching(bootstrap)

    async def topics(self) -> dict[str, Topic]:
        """Every topic but Kafka's own."""
        async with self._admin() as admin:
            described = [one for one in await admin.describe_topics() if not one["topic"].startswith(_INTERNAL)]
            names = [one["topic"] for one in described]
            settings = await _settings(admin, names)
        return {
            one["topic"]: Topic(
                partitions=len(one["partitions"]),
                replicas=len(one["partitions"][0]["replicas"]),
                settings=settings[one["topic"]],
            )
            for one in described
        }

    async def bounds(self, topics: Mapping[str, Topic]) -> tuple[Offsets, Offsets]:
        """Of each partition the first offset, and the one that its next record will have."""
        places = [TopicPartition(name, n) for name, topic in topics.items() for n in range(topic.partitions)]
        if not places:
            return {}, {}
        async with self._consumer() as consumer:
            # One question for all topics; otherwise aiokafka asks for one after the other.
            consumer.assign(places)
            return await consumer.beginning_offsets(places), await consumer.end_offsets(places)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Inside, records are read."""
        async with self._consumer() as consumer:
            yield Reader(consumer)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Writer]:
        """Inside, records are written."""
        async with self._producer() as producer, self._admin() as admin:
            yield Writer(producer, admin)

    async def groups(self) -> dict[str, list[Place]]:
        """How far each consumer group is."""
        async with self._admin() as admin:
            names = sorted(name for name, *_ in await admin.list_consumer_groups())
            committed = {name: await admin.list_consumer_group_offsets(name) for name in names}
        return {
            name: [Place(topic=tp.topic, partition=tp.partition, offset=at.offset) for tp, at in sorted(places.items())]
            for name, places in committed.items()
            if places
        }

    async def members(self) -> list[str]:
        """Consumer groups with somebody in them."""
        async with self._admin() as admin:
            names = sorted(name for name, *_ in await admin.list_consumer_groups())
            answers = await admin.describe_consumer_groups(names) if names else []
        return sorted(name for answer in answers for _, name, _, _, _, members, *_ in answer.groups if members)

    async def make_empty(self, topics: Mapping[str, Topic]) -> None:
        """Every topic is there, without a record; those that are so already stay as they are, others are made anew."""
        there = await self.topics()
        _, ends = await self.bounds(there)
        used = {place.topic for place, end in ends.items() if end}
        stale = [name for name in there if name in used or _differs(there[name], topics.get(name))]
        async with self._admin() as admin:
            if stale:
                await admin.delete_topics(stale)
            await _until(lambda: _are_gone(admin, stale), "topics are not deleted")
            brokers = len((await admin.describe_cluster())["brokers"])
            missing = {name: topic for name, topic in topics.items() if name not in there or name in stale}
            for name, topic in missing.items():
                await _create(admin, _new_topic(name, topic, brokers))

    async def commit(self, group: str, places: Sequence[Place]) -> None:
        """Let a group go on from there."""
        offsets = {TopicPartition(p.topic, p.partition): OffsetAndMetadata(p.offset, "") for p in places}
        async with self._consumer(group) as consumer:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        async with _running(AIOKafkaAdminClient(**self._access), "close") as admin:
            yield admin

    @asynccontextmanager
    async def _consumer(self, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **self._access,
            group_id=group,
            enable_auto_commit=False,
            # A record that retention deletes meanwhile is noticed, not passed over.
            auto_offset_reset="none",
            max_partition_fetch_bytes=_MAX_REQUEST,
            fetch_max_bytes=_FETCH_BYTES,
            # The next partition waits for a fetch of the last one that waits for more.
            fetch_max_wait_ms=20,
        )
        async with _running(consumer, "stop"):
            yield consumer

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            **self._access, acks="all", enable_idempotence=True, max_request_size=_MAX_REQUEST, linger_ms=5
        )
        async with _running(producer, "stop"):
            yield producer


class Reader:
    """Reads one partition after the other."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def records(self, place: TopicPartition, start: int, end: int) -> AsyncIterator[Record]:
        """Those of the offsets from `start` to before `end`; BackupError where one is missing."""
        self._consumer.assign([place])
        self._consumer.seek(place, start)
        expected, deadline = start, time.monotonic() + _PATIENCE_S
        while expected < end:
            if time.monotonic() > deadline:
                raise BackupError(f"{place.topic}/{place.partition}: Kafka does not give offset {expected}")
            fetched = await self._consumer.getmany(place, timeout_ms=_FETCH_MS, max_records=_FETCH_RECORDS)
            for raw in fetched.get(place, ()):
                if raw.offset >= end:
                    return
                if raw.offset != expected:
                    raise BackupError(f"{place.topic}/{place.partition}: offset {expected} is gone; take it again")
                expected, deadline = raw.offset + 1, time.monotonic() + _PATIENCE_S
                yield _record(raw)


class Writer:
    """Fills empty partitions."""

    def __init__(self, producer: AIOKafkaProducer, admin: AIOKafkaAdminClient) -> None:
        self._producer, self._admin = producer, admin

    async def load(self, place: TopicPartition, start: int, records: Iterator[Record]) -> int:
        """Write the records of an empty partition, the first at offset `start`; the offset behind the last one."""
        end = await _send(self._producer, place, 0, (_FILLER for _ in range(start)))
        end = await _send(self._producer, place, end, records)
        if start:
            await self._admin.delete_records({place: RecordsToDelete(start)})
        return end


_FILLER = Record(0, None, b"", ())


@asynccontextmanager
async def _running(client: Any, end: str) -> AsyncIterator[Any]:
    try:
        await client.start()
        # aiokafka's own task must have begun before it can be ended.
        await asyncio.sleep(0)
        yield client
    except (KafkaError, OSError, TimeoutError) as error:
        raise BackupError(f"Kafka: {type(error).__name__}") from error
    finally:
        await getattr(client, end)()


async def _settings(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """What was set for each topic."""
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {
        name: {key: value for key, value, _, source, *_ in entries if source == _SET_FOR_TOPIC}
        for answer in answers
        for _, _, _, name, entries in answer.resources
    }


def _record(raw: ConsumerRecord[bytes, bytes]) -> Record:
    return Record(raw.timestamp, raw.key, raw.value, [(name, bytes(value)) for name, value in raw.headers])


async def _send(producer: AIOKafkaProducer, place: TopicPartition, first: int, records: Iterable[Record]) -> int:
    expected, size = first, 0
    waiting: list[Awaitable[Any]] = []

    async def settle() -> None:
        nonlocal expected, size
        for sent in await asyncio.gather(*waiting):
            if sent.offset != expected:
                raise BackupError(f"{place.topic}/{place.partition}: somebody else writes there; stop the services")
            expected += 1
        waiting.clear()
        size = 0

    for one in records:
        # A record of neither key nor value, which no producer of ours writes, comes back with an empty one.
        value = b"" if one.key is None and one.value is None else one.value
        waiting.append(
            await producer.send(
                place.topic, value, one.key, place.partition, timestamp_ms=one.timestamp, headers=one.headers
            )
        )
        size += len(one.value or b"")
        if len(waiting) >= _TOGETHER or size >= _TOGETHER_BYTES:
            await settle()
    await settle()
    return expected


def _differs(there: Topic, wanted: Topic | None) -> bool:
    return wanted is not None and there.partitions != wanted.partitions


def _new_topic(name: str, topic: Topic, brokers: int) -> NewTopic:
    return NewTopic(name, topic.partitions, min(topic.replicas, brokers), topic_configs=topic.settings)


async def _create(admin: AIOKafkaAdminClient, topic: NewTopic) -> None:
    """A name that was just deleted is free a moment later."""

    async def made() -> bool:
        ((_, code, *_),) = (await admin.create_topics([topic])).topic_errors
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError and not error.retriable:
            raise error
        return not code

    await _until(made, f"{topic.name} cannot be made")


async def _are_gone(admin: AIOKafkaAdminClient, names: Sequence[str]) -> bool:
    return not set(names) & set(await admin.list_topics())


async def _until(holds: Any, otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not await holds():
        if time.monotonic() > deadline:
            raise BackupError(f"Kafka: {otherwise}")
        await asyncio.sleep(0.1)
