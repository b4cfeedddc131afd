"""The bus of one service: FastStream's Kafka broker with Longitude's own delivery policy.

FastStream's acknowledgement policies either lose an event on an error or retry it at once for ever (see README),
so every subscription is MANUAL: the offset is committed only after `Delivery` has brought the whole batch to an end.
"""

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.errors import PermanentError, UnavailableError
from contracts.kafka import KafkaAccess
from contracts.signatures import Signer, Verifier
from contracts.topics import M, Topic
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import BaseSecurity, SASLScram512
from opentelemetry.trace import INVALID_SPAN

from eventbus.delivery import Delivery, GiveBackError, Handler, Record, RetryPolicy
from eventbus.events import Event, Outgoing
from eventbus.kafka import reaching_kafka
from eventbus.producer import MAX_RECORD_BYTES, Producer

log = logging.getLogger("eventbus")

# Of a commit, and of a fetch of what lies ready.
KAFKA_SECONDS = 15.0
MAX_RECORDS = 100
FETCH_MS = 100
# A topic that is made after the service has started is read so soon. The bus makes none: it would not know how.
METADATA_MS = 30_000
# A killed consumer's partitions go to the next within six seconds (the least that brokers allow by default).
SESSION_TIMEOUT_MS = 6000
HEARTBEAT_INTERVAL_MS = 1000


class Process(Protocol):
    """What the bus needs of the process that it lives in (servicekit.Process)."""

    def fail(self, error: BaseException) -> None:
        """End the process with an error."""

    def works_without(self, name: str, check: Callable[[], Awaitable[object]]) -> None:
        """Name what some of the work can do without; `check` raises while it is away."""


def _security(access: KafkaAccess) -> BaseSecurity | None:
    """What FastStream knows the same by."""
    if access.user:
        return SASLScram512(access.user, access.password, ssl_context=access.context, use_ssl=True)
    return BaseSecurity(ssl_context=access.context, use_ssl=True) if access.context else None


class EventBus:
    """Subscriptions and publishing of one service. `service` is the consumer group.

    What it publishes is signed; what its topics' owners did not sign goes to the dead letters.
    """

    def __init__(
        self,
        service: str,
        bootstrap: str,
        policy: RetryPolicy | None = None,
        identity: Mapping[str, str] = os.environ,
    ) -> None:
        """`identity` has the variables of the certificate that signs and of the authority that is trusted."""
        self._service = service
        self._policy = policy or RetryPolicy()
        self._stopping = asyncio.Event()
        self._deliveries: dict[str, Delivery] = {}
        self._max_records = MAX_RECORDS
        self._side_by_side = False
        self._fail: Callable[[BaseException], None] = lambda error: log.critical("%s", type(error).__name__)
        self._verifier = Verifier.of(identity)
        self._producer = Producer(service, bootstrap, Signer.of(identity))
        self._broker = KafkaBroker(
            bootstrap,
            client_id=service,
            consumer_only=True,
            security=_security(KafkaAccess.of()),
            metadata_max_age_ms=METADATA_MS,
            logger=None,
            graceful_timeout=20.0,
        )

    def subscribe(
        self,
        topic: Topic[M],
        handler: Callable[[Event[M]], Awaitable[Sequence[Outgoing]]],
        *,
        max_records: int = MAX_RECORDS,
    ) -> None:
        """Handle every record of a topic, one at a time and in order within a partition.

        `max_records` bounds how many records one offset commit covers; 1 for handlers that take seconds. The
        smallest of a service's subscriptions holds for all of them.
        """

        async def alone(events: Sequence[Event[M]]) -> Sequence[Sequence[Outgoing]]:
            return [await handler(event) for event in events]

        self._add(topic, alone, 1)
        self._max_records = min(self._max_records, max_records)

    def subscribe_batches(
        self,
        topic: Topic[M],
        handler: Callable[[Sequence[Event[M]]], Awaitable[Sequence[Sequence[Outgoing]]]],
    ) -> None:
        """Handle the records of a topic in batches of one partition each, in order; partitions go side by side.

        The handler says what to publish for each event. An error that does not pass makes the bus hand it halves of
        the batch, in the end the one event alone: what `handler` did for a batch that it fails must be undone.
        """
        self._add(topic, handler, MAX_RECORDS)
        self._side_by_side = True

    def _add(self, topic: Topic[Any], handler: Handler, together: int) -> None:
        self._deliveries[topic.name] = Delivery(
            self._service,
            topic,
            handler,
            together,
            self._producer,
            self._verifier,
            self._stopping,
            self._policy,
        )

    async def publish(self, outgoing: Outgoing) -> None:
        """Return when every in-sync replica has the event; UnavailableError when that takes over 15 s or fails."""
        await self._producer.publish(outgoing)

    async def publish_together(self, events: Sequence[Outgoing]) -> None:
        """The same for many at once: none is waited for alone. UnavailableError when any of them was not taken."""
        await self._producer.publish_all([(event, INVALID_SPAN) for event in events])

    async def ping(self) -> None:
        """Raise UnavailableError when no broker answers."""
        await self._producer.ping()

    @asynccontextmanager
    async def running(self, process: Process) -> AsyncIterator[None]:
        """Consume and publish while inside; a consumer that must stop fails the process."""
        self._fail = process.fail
        if self._verifier is None:
            log.warning("plain text: events are not signed, and nobody checks who wrote those that come")
        async with self._producer.running():
            if self._deliveries:
                self._subscribe()
                await self._broker.start()
            process.works_without("kafka", self.ping)
            try:
                yield
            finally:
                self._stopping.set()
                await self._broker.stop()

    def _subscribe(self) -> None:
        """One consumer for all topics: one member of the group, so that starting and failing over is one rebalance."""
        subscriber = self._broker.subscriber(
            *self._deliveries,
            group_id=self._service,
            batch=True,
            max_records=self._max_records,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
            no_reply=True,
        )
        subscriber(self._consume, decoder=_leave_undecoded)
        # After a wait in vain FastStream's own sleeps as long again: what comes meanwhile would wait for that.
        subscriber.get_msg = self._fetched  # type: ignore[method-assign]

    async def _fetched(self, consumer: AIOKafkaConsumer) -> tuple[Record, ...]:
        """What lies ready, or comes within a tenth of a second."""
        fetched = await consumer.getmany(timeout_ms=FETCH_MS, max_records=self._max_records)
        return tuple(chain.from_iterable(fetched.values()))

    async def _consume(self, message: KafkaMessage) -> None:
        consumer = cast("AIOKafkaConsumer", message.consumer)
        partitions: dict[TopicPartition, list[Record]] = defaultdict(list)
        for record in message.raw_message:
            partitions[TopicPartition(record.topic, record.partition)].append(record)
        if self._side_by_side and len(message.raw_message) >= self._max_records:
            await _fetch_more(consumer, partitions, self._max_records)
        ends = await asyncio.gather(
            *(self._deliveries[place.topic].deliver(records) for place, records in partitions.items()),
            return_exceptions=True,
        )
        errors = [end for end in ends if end is not None]
        if not errors:
            await _commit(message)
            return
        for place in consumer.assignment() & partitions.keys():
            consumer.seek(place, partitions[place][0].offset)
        for error in errors:
            if not isinstance(error, GiveBackError):
                self._stopping.set()
                self._fail(error)


async def _fetch_more(consumer: AIOKafkaConsumer, partitions: dict[TopicPartition, list[Record]], most: int) -> None:
    """Take what lies ready of the partitions that a full fetch left out: it drains one before it turns to the next.

    What cannot be had now comes with a later fetch; what was fetched must be delivered, whatever happens here.
    """
    with suppress(UnavailableError, PermanentError):
        for place in sorted(consumer.assignment() - partitions.keys()):
            async with reaching_kafka(KAFKA_SECONDS):
                ready = await consumer.getmany(place, timeout_ms=0, max_records=most)
            if place in ready:
                partitions[place] += ready[place]


async def _leave_undecoded(message: KafkaMessage) -> Any:
    """Keep FastStream from guessing at JSON: `Event.decode` reads the raw record."""
    return message.body


async def _commit(message: KafkaMessage) -> None:
    """A commit lost to a rebalance is harmless: the records come again and their effects are recorded."""
    try:
        async with reaching_kafka(KAFKA_SECONDS):
            await message.ack()
    except UnavailableError as error:
        log.warning("offset not committed: %s", error)
