"""What happens to one record: handled, tried again, or put with the dead letters. Never skipped, never reordered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from aiokafka import ConsumerRecord
from contracts.errors import PermanentError, UnavailableError
from contracts.topics import Topic, dead_letter_topic

from eventbus import metrics, tracing
from eventbus.events import Event, Outgoing, decode_headers
from eventbus.retry import BACKOFF, Backoff, until_available

log = logging.getLogger("eventbus")

Handler = Callable[[Event[Any]], Awaitable[Sequence[Outgoing]]]
SendRecord = Callable[[str, bytes, bytes, dict[str, str]], Awaitable[None]]
Publish = Callable[[Outgoing], Awaitable[None]]


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
    """Handles the records of one topic for one consumer."""

    def __init__(
        self,
        consumer: str,
        topic: Topic[Any],
        handler: Handler,
        publish: Publish,
        send: SendRecord,
        stopping: asyncio.Event,
        policy: RetryPolicy,
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._handler = handler
        self._publish = publish
        self._send = send
        self._stopping = stopping
        self._policy = policy
        self._bugs = 0

    async def deliver(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """Return when the record has had its effect or lies with the dead letters."""
        headers = decode_headers(record)
        with (
            tracing.handling(self._topic.name, self._consumer, headers),
            metrics.SECONDS.labels(self._consumer, self._topic.name).time(),
        ):
            await self._until_done(record)

    async def _until_done(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        clock = asyncio.get_running_loop().time
        attempts, started = count(1), clock()

        async def pause(seconds: float) -> None:
            metrics.RETRIED.labels(self._consumer, self._topic.name).inc()
            if clock() - started > self._policy.patience:
                raise GiveBackError
            await self._pause(seconds)

        await until_available(
            lambda: self._attempt(record, next(attempts)),
            self._policy.backoff,
            pause=pause,
            where=self._where(record),
        )

    async def _attempt(self, record: "ConsumerRecord[bytes, bytes]", attempt: int) -> None:
        try:
            event = Event.decode(self._topic, record)
            for outgoing in await self._handler(event):
                await self._publish(outgoing)
        except UnavailableError:
            raise
        except PermanentError as error:
            await self._dead_letter(record, attempt, error.reason, error)
        except Exception as error:  # noqa: BLE001 - whatever escapes a handler is a bug, and the line goes on
            # A bug. Its text may quote the payload, so only the type and the place are logged.
            self._bugs += 1
            if self._bugs > self._policy.bug_limit:
                raise TooManyBugsError(f"{self._bugs} bugs in a row on {self._topic.name}") from None
            await self._dead_letter(record, attempt, "bug", error)
        else:
            self._bugs = 0
            metrics.HANDLED.labels(self._consumer, self._topic.name, "handled").inc()

    async def _dead_letter(
        self, record: "ConsumerRecord[bytes, bytes]", attempt: int, reason: str, error: Exception
    ) -> None:
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
        target = dead_letter_topic(self._consumer, self._topic)
        await self._send(target, record.key or b"", record.value or b"", headers)
        metrics.HANDLED.labels(self._consumer, self._topic.name, reason).inc()
        log.error(
            "dead letter: %s (%s at %s)",
            reason,
            type(error).__name__,
            place_of(error),
            extra=self._where(record),
        )

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise GiveBackError

    def _where(self, record: "ConsumerRecord[bytes, bytes]") -> dict[str, Any]:
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
