"""What happens to records: handled, tried again, or put with the dead letters. Never skipped, never reordered.

Records of one partition are handled together where the handler takes several. A batch that cannot be handled is split
in halves until the record that spoils it stands alone; the others have their effect.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

from aiokafka import ConsumerRecord
from contracts.errors import PermanentError, UnavailableError
from contracts.signatures import SignatureError, Verifier
from contracts.topics import Topic, dead_letter_topic
from opentelemetry.trace import Span

from eventbus import metrics, tracing
from eventbus.events import Event, Outgoing, decode_headers
from eventbus.producer import Producer
from eventbus.retry import BACKOFF, Backoff, until_available, until_set

log = logging.getLogger("eventbus")

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"
# What is to be published for each event, in the order of the events.
Handler = Callable[[Sequence[Event[Any]]], Awaitable[Sequence[Sequence[Outgoing]]]]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait, in seconds, and how many bugs in a row a consumer survives."""

    backoff: Backoff = BACKOFF
    # After this long in place the record is given back to the broker's log and fetched again, so that the
    # consumer polls well inside max.poll.interval (300 s) however long the outage lasts.
    patience: float = 60.0
    bug_limit: int = 10


class TooManyBugsError(Exception):
    """A consumer met a bug in every one of its last records: it stops before it floods the dead letters."""


class GiveBackError(Exception):
    """The outage outlasted the patience: seek back and fetch again."""


class Delivery:
    """Handles the records of one topic for one consumer, at most so many of a partition together."""

    def __init__(
        self,
        consumer: str,
        topic: Topic[Any],
        handler: Handler,
        together: int,
        producer: Producer,
        verifier: Verifier | None,
        stopping: asyncio.Event,
        policy: RetryPolicy,
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._handler = handler
        self._together = together
        self._publish = producer.publish_all
        self._send = producer.send
        self._verifier = verifier
        self._stopping = stopping
        self._policy = policy
        self._bugs = 0

    async def deliver(self, records: Sequence[Record]) -> None:
        """Return when each record of one partition has had its effect or lies with the dead letters."""
        for start in range(0, len(records), self._together):
            await self._deliver(records[start : start + self._together])

    async def _deliver(self, records: Sequence[Record]) -> None:
        with (
            tracing.handling(self._topic.name, self._consumer, [decode_headers(each) for each in records]) as spans,
            metrics.SECONDS.labels(self._consumer, self._topic.name).time(),
        ):
            done = await self._until_done(records, spans)
        if not done:
            middle = len(records) // 2
            await self._deliver(records[:middle])
            await self._deliver(records[middle:])

    async def _until_done(self, records: Sequence[Record], spans: Sequence[Span]) -> bool:
        """False when the records cannot be handled together."""
        clock = asyncio.get_running_loop().time
        attempts, started = count(1), clock()

        async def pause(seconds: float) -> None:
            metrics.RETRIED.labels(self._consumer, self._topic.name).inc()
            if clock() - started > self._policy.patience:
                raise GiveBackError
            await self._pause(seconds)

        return await until_available(
            lambda: self._attempt(records, spans, next(attempts)),
            self._policy.backoff,
            pause=pause,
            where=self._where(records[0]),
        )

    async def _attempt(self, records: Sequence[Record], spans: Sequence[Span], attempt: int) -> bool:
        try:
            caused = await self._handler([Event.decode(self._topic, record, self._verifier) for record in records])
            await self._publish([(one, span) for each, span in zip(caused, spans, strict=True) for one in each])
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever escapes a handler is a bug, and the line goes on
            if len(records) > 1:
                return False
            await self._refuse(records[0], attempt, error)
        else:
            self._bugs = 0
            metrics.HANDLED.labels(self._consumer, self._topic.name, "handled").inc(len(records))
        return True

    async def _refuse(self, record: Record, attempt: int, error: Exception) -> None:
        if isinstance(error, PermanentError):
            await self._dead_letter(record, attempt, error.reason, error)
            return
        # A bug. Its text may quote the payload, so only the type and the place are logged.
        self._bugs += 1
        if self._bugs > self._policy.bug_limit:
            raise TooManyBugsError(f"{self._bugs} bugs in a row on {self._topic.name}") from None
        await self._dead_letter(record, attempt, "bug", error)

    async def _dead_letter(self, record: Record, attempt: int, reason: str, error: Exception) -> None:
        headers = decode_headers(record)
        headers |= {
            "dlq_reason": reason,
            "dlq_error": type(error).__name__,
            "dlq_consumer": self._consumer,
            "dlq_topic": record.topic,
            "dlq_partition": str(record.partition),
            "dlq_offset": str(record.offset),
            "dlq_event_id": headers.get("ce_id", ""),
            "dlq_attempts": str(attempt),
        }
        if isinstance(error, SignatureError):
            headers["dlq_text"] = str(error)
        target = dead_letter_topic(self._consumer, self._topic)
        try:
            await self._send(target, record.key or b"", record.value or b"", headers)
        except PermanentError:
            # With these headers it is larger than a record may be: the letter names its place, where the value lies.
            await self._send(target, record.key or b"", b"", headers | {"dlq_value": "left-out"})
        metrics.HANDLED.labels(self._consumer, self._topic.name, reason).inc()
        log.error(
            "dead letter: %s (%s at %s)",
            f"{reason}: {error}" if isinstance(error, SignatureError) else reason,
            type(error).__name__,
            place_of(error),
            extra=self._where(record),
        )

    async def _pause(self, seconds: float) -> None:
        if await until_set(self._stopping, seconds):
            raise GiveBackError

    def _where(self, record: Record) -> dict[str, Any]:
        return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def place_of(error: BaseException) -> str:
    """`file:line function` where an error was raised: enough to find it, without its text."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return "unknown"
    code = frame.tb_frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{frame.tb_lineno} {code.co_name}"
