"""Publishing: aiokafka's idempotent producer with the bounds, the headers, the spans and the errors of the bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from contracts.errors import UnavailableError
from contracts.kafka import reaching
from contracts.signatures import Signer
from opentelemetry.trace import Span

from eventbus import metrics, tracing
from eventbus.events import Outgoing
from eventbus.kafka import reaching_kafka

# A payload that travels inline (256 KiB) with ample room for its facts; the brokers' topics allow the same.
MAX_RECORD_BYTES = 4 * 1024 * 1024
# What waits for one partition travels together: some fifty results, where aiokafka's 16 KiB holds two.
MAX_BATCH_BYTES = 512 * 1024
PUBLISH_TIMEOUT = 15.0
PING_TIMEOUT = 5.0


class Producer:
    """Of one service. What it returns from is on every in-sync replica, signed where there is a signer."""

    def __init__(self, service: str, bootstrap: str, signer: Signer | None) -> None:
        self._service = service
        self._bootstrap = bootstrap
        self._signer = signer
        self._kafka: AIOKafkaProducer | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connected while inside; at the end, what is under way is sent."""
        kafka = AIOKafkaProducer(
            **reaching(self._bootstrap),
            client_id=self._service,
            acks="all",
            enable_idempotence=True,
            max_request_size=MAX_RECORD_BYTES,
            max_batch_size=MAX_BATCH_BYTES,
        )
        try:
            await kafka.start()
            self._kafka = kafka
            yield
        finally:
            await kafka.stop()

    async def ping(self) -> None:
        """Raise UnavailableError when no broker answers."""
        async with reaching_kafka(PING_TIMEOUT):
            await self._connected.client.fetch_all_metadata()

    async def publish(self, outgoing: Outgoing) -> None:
        """UnavailableError when that takes over 15 s or fails."""
        headers, value = self._record(outgoing)
        with tracing.publishing(outgoing.topic.name, headers):
            await self.send(outgoing.topic.name, outgoing.key, value, headers)
        metrics.PUBLISHED.labels(outgoing.topic.name).inc()

    async def publish_all(self, outgoing: Sequence[tuple[Outgoing, Span]]) -> None:
        """Events, each with the span of its cause, are sent in order without waiting for each."""
        if not outgoing:
            return
        async with reaching_kafka(PUBLISH_TIMEOUT):
            sent = []
            for one, cause in outgoing:
                headers, value = self._record(one)
                with tracing.publishing(one.topic.name, headers, cause):
                    sent.append(await self._enqueue(one.topic.name, one.key, value, headers))
            await asyncio.gather(*sent)
        for one, _ in outgoing:
            metrics.PUBLISHED.labels(one.topic.name).inc()

    def _record(self, outgoing: Outgoing) -> tuple[dict[str, str], bytes]:
        """Headers and value, signed."""
        headers, value = outgoing.headers(), outgoing.value()
        if self._signer is not None:
            headers |= self._signer.headers(outgoing.topic.name, outgoing.key, headers, value)
        return headers, value

    async def send(self, topic: str, key: bytes, value: bytes, headers: dict[str, str]) -> None:
        """A record as it is; UnavailableError as for `publish`."""
        async with reaching_kafka(PUBLISH_TIMEOUT):
            await (await self._enqueue(topic, key, value, headers))

    async def _enqueue(self, topic: str, key: bytes, value: bytes, headers: dict[str, str]) -> Awaitable[object]:
        wire = [(name, text.encode()) for name, text in headers.items()]
        acknowledged: Awaitable[object] = await self._connected.send(topic, value, key or None, headers=wire)
        return acknowledged

    @property
    def _connected(self) -> AIOKafkaProducer:
        if self._kafka is None:
            raise UnavailableError("kafka is not connected; ask again")
        return self._kafka
