"""Every record of every topic of the platform, read by assignment instead of by group.

The position of a partition is the log's own, in PostgreSQL, so a rebalance has nothing to decide; offsets are also
committed to Kafka, only so that its tools show how far this service is.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from contracts.errors import UnavailableError
from contracts.kafka import reaching
from contracts.signatures import UnsignedError, Verifier, WronglySignedError
from contracts.topics import owner_of
from eventbus.events import decode_headers
from eventbus.kafka import reaching_kafka

from auditing.domain.records import DEAD_LETTER_PREFIX, Record, Signed
from auditing.domain.sequencing import Partition, Position

log = logging.getLogger("auditing")

BATCH_RECORDS = 1000
BATCH_BYTES = 16 * 1024 * 1024
FETCH_MILLISECONDS = 200
# Nobody waits for a leaf: what comes within a fifth of a second is one transaction, not many small ones.
FETCH_LEAST_BYTES = 64 * 1024
FETCH_WAIT_MILLISECONDS = 200
COMMIT_SECONDS = 5.0
# Longest time for an answer of the brokers.
ANSWER_SECONDS = 10.0

Positions = Callable[[], Awaitable[Mapping[Partition, Position]]]


class TopicRecreatedError(Exception):
    """Kafka holds fewer records than the log recorded: the topic was deleted and made again, or is another one."""


class RecordReader:
    """Reads the named topics and every dead-letter topic, from where the log stands.

    UnavailableError when Kafka does not answer.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        admin: AIOKafkaAdminClient,
        topics: Iterable[str],
        positions: Positions,
        verifier: Verifier | None,
    ) -> None:
        self._verifier = verifier
        self._consumer = consumer
        self._admin = admin
        self._topics = frozenset(topics)
        self._positions = positions
        self._assigned: set[TopicPartition] = set()
        self._next: dict[TopicPartition, int] = {}

    async def discover(self) -> None:
        """Take up partitions that appeared since; dead-letter topics come into being with their first record."""
        found = await self._partitions()
        if found != self._assigned:
            self._consumer.assign(list(found))
            await self._seek(found)
            self._assigned = found
            log.info("reading %d partitions", len(found))

    async def fetch(self) -> list[Record]:
        """The next records, in order within a partition and by time across them; empty when there are none."""
        async with reaching_kafka(ANSWER_SECONDS):
            batches = await self._consumer.getmany(timeout_ms=FETCH_MILLISECONDS, max_records=BATCH_RECORDS)
        for place, batch in batches.items():
            self._require_progress(place, batch)
        return await asyncio.to_thread(self._records, list(batches.values()))

    def _records(self, batches: Sequence[Sequence[ConsumerRecord[Any, Any]]]) -> list[Record]:
        """By time across the partitions, each with what is known of its signature."""
        return [_record(raw, self._verifier) for raw in heapq.merge(*batches, key=lambda raw: raw.timestamp)]

    async def commit(self, positions: Mapping[Partition, Position]) -> None:
        """Show Kafka how far the log is. Losing this loses nothing."""
        offsets = {TopicPartition(*partition): position.next_offset for partition, position in positions.items()}
        try:
            async with reaching_kafka(COMMIT_SECONDS):
                await self._consumer.commit(offsets)
        except UnavailableError as error:
            log.warning("offset not committed: %s", error)

    async def end_offsets(self) -> dict[Partition, int]:
        """The offset that the next record of each partition will have."""
        partitions = list(await self._partitions())
        async with reaching_kafka(ANSWER_SECONDS):
            ends = await self._consumer.end_offsets(partitions)
        return {(place.topic, place.partition): end for place, end in ends.items()}

    async def _partitions(self) -> set[TopicPartition]:
        async with reaching_kafka(ANSWER_SECONDS):
            described = await self._admin.describe_topics()
        return {
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            if topic["topic"] in self._topics or topic["topic"].startswith(DEAD_LETTER_PREFIX)
            for partition in topic["partitions"]
        }

    async def _seek(self, partitions: Iterable[TopicPartition]) -> None:
        places = list(partitions)
        if not places:
            return
        positions = await self._positions()
        async with reaching_kafka(ANSWER_SECONDS):
            starts = await self._consumer.beginning_offsets(places)
            ends = await self._consumer.end_offsets(places)
        for place in places:
            wanted = positions.get((place.topic, place.partition), Position()).next_offset
            if wanted > ends[place]:
                raise TopicRecreatedError(f"{place.topic}: {wanted} records are recorded, Kafka has {ends[place]}")
            self._next[place] = max(wanted, starts[place])
            self._consumer.seek(place, self._next[place])

    def _require_progress(self, place: TopicPartition, batch: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """A reader that was sent back to the start must not take old offsets for recorded ones."""
        if batch[0].offset < self._next[place]:
            raise TopicRecreatedError(f"{place.topic}: offsets began again at {batch[0].offset}")
        self._next[place] = batch[-1].offset + 1


def _record(raw: ConsumerRecord[Any, Any], verifier: Verifier | None) -> Record:
    read = Record(raw.topic, raw.partition, raw.offset, raw.timestamp, decode_headers(raw), raw.value or b"")
    return read if verifier is None else replace(read, signed=_signed(read, raw.key or b"", verifier))


def _signed(record: Record, key: bytes, verifier: Verifier) -> Signed:
    """Of the event that it is or, for a dead letter, was; of a letter whose value was left out nobody can tell."""
    if record.headers.get("dlq_value"):
        return Signed()
    try:
        by = verifier.signer(record.origin, key, record.headers, record.value)
    except UnsignedError:
        return Signed(state="missing")
    except WronglySignedError:
        return Signed(state="wrong")
    return Signed(by, "good" if by == owner_of(record.origin) else "wrong")


@asynccontextmanager
async def open_reader(
    bootstrap: str, topics: Iterable[str], positions: Positions, verifier: Verifier | None
) -> AsyncIterator[RecordReader]:
    """A reader that is connected while inside; without a verifier, nobody looks at signatures."""
    access = reaching(bootstrap)
    consumer = AIOKafkaConsumer(
        **access,
        client_id="auditing",
        group_id="auditing",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_min_bytes=FETCH_LEAST_BYTES,
        fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
        fetch_max_bytes=BATCH_BYTES,
        isolation_level="read_committed",
    )
    admin = AIOKafkaAdminClient(**access, client_id="auditing")
    try:
        await consumer.start()
        await admin.start()
        yield RecordReader(consumer, admin, topics, positions, verifier)
    finally:
        await consumer.stop()
        await admin.close()
