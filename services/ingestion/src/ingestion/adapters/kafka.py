"""Reading Kafka beside the bus: how far topics reach, small topics whole, and one topic by a group of its own.

As on the bus, what the topic's owner did not sign is no event of it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from contracts.errors import PermanentError
from contracts.kafka import reaching
from contracts.signatures import Verifier
from contracts.topics import M, Topic
from eventbus import Event
from eventbus.kafka import reaching_kafka
from longitude.ingestion.v1.events_pb2 import PartitionSpan

MAX_RECORD_BYTES = 4 * 1024 * 1024
MAX_RECORDS = 100
FETCH_MS = 500
# Of any call, in seconds.
PATIENCE = 30.0
_verifier = cache(Verifier.of)


@asynccontextmanager
async def _consumer(bootstrap: str, *topics: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        *topics,
        **reaching(bootstrap),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_RECORD_BYTES,
        **options,
    )
    try:
        async with reaching_kafka(PATIENCE):
            await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def spans(bootstrap: str, topic: Topic[Any]) -> list[PartitionSpan]:
    """From the oldest record of each partition that Kafka keeps to the newest at this moment."""
    async with _consumer(bootstrap, topic.name) as consumer, reaching_kafka(PATIENCE):
        begins, ends = await _reach(consumer)
    return [PartitionSpan(partition=p.partition, begin=begins[p], end=ends[p]) for p in sorted(ends)]


async def whole(bootstrap: str, topic: Topic[M]) -> list[Event[M]]:
    """Every event of a topic, in order within a partition; records that are no events of it are left out."""
    events: list[Event[M]] = []
    async with _consumer(bootstrap, topic.name) as consumer, reaching_kafka(PATIENCE):
        begins, ends = await _reach(consumer)
        await consumer.seek_to_beginning(*ends)
        for place, end in ends.items():
            while begins[place] < end and await consumer.position(place) < end:
                records = (await consumer.getmany(place, timeout_ms=FETCH_MS)).get(place, [])
                events += [event for record in records if (event := event_of(topic, record)) is not None]
    return events


def event_of(topic: Topic[M], record: "ConsumerRecord[bytes, bytes]") -> Event[M] | None:
    """None for a record that is no event of the topic: nobody could have recorded anything of it."""
    try:
        return Event.decode(topic, record, _verifier())
    except PermanentError:
        return None


async def _reach(consumer: AIOKafkaConsumer) -> tuple[Mapping[TopicPartition, int], Mapping[TopicPartition, int]]:
    places = list(consumer.assignment())
    return await consumer.beginning_offsets(places), await consumer.end_offsets(places)


class Again:
    """One topic, read from its beginning by a group of its own: its members share the partitions."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: Topic[M]) -> None:
        self._consumer = consumer
        self._topic = topic

    @classmethod
    @asynccontextmanager
    async def joined(cls, bootstrap: str, topic: Topic[Any], group: str) -> AsyncIterator["Again"]:
        """A member of the group while inside; it goes on where the group stopped."""
        options = {"group_id": group, "session_timeout_ms": 6_000, "heartbeat_interval_ms": 1_000}
        async with _consumer(bootstrap, topic.name, **options) as consumer:
            yield cls(consumer, topic)

    async def records(self) -> Mapping[TopicPartition, Sequence[Any]]:
        """What comes next, by partition; empty when nothing comes for a while."""
        async with reaching_kafka(PATIENCE):
            found: Mapping[TopicPartition, Sequence[Any]] = await self._consumer.getmany(
                timeout_ms=FETCH_MS, max_records=MAX_RECORDS
            )
        return found

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """The group has done everything before these offsets. Lost to a rebalance, it is done again."""
        async with reaching_kafka(PATIENCE):
            await self._consumer.commit({p: o for p, o in offsets.items() if p in self._consumer.assignment()})

    async def done(self, wanted: Sequence[PartitionSpan]) -> bool:
        """Whether the group has read the spans to their ends, whichever member did."""
        async with reaching_kafka(PATIENCE):
            for span in wanted:
                place = TopicPartition(self._topic.name, span.partition)
                if span.begin < span.end and (await self._consumer.committed(place) or 0) < span.end:
                    return False
        return True
