"""Events that follow from a command (an RPC) or from a process's own work, not from a consumed event.

`stage` records them in the transaction that changes the state; the outbox publishes what is staged, at once after
`flush` and by a sweep that a kill cannot stop. Guarantee: what was staged is published, the oldest first and in order
within a cause, as often as it takes, under the same ids; one replica publishes at a time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, NoReturn

from contracts.errors import PermanentError
from psycopg import AsyncConnection

from eventbus.events import Outgoing
from eventbus.inbox import mark_published, unpublished
from eventbus.retry import until_available, until_set

log = logging.getLogger("eventbus")

SWEEP_SECONDS = 2.0
# Causes that one sweep takes up.
BATCH = 100

# Of this schema. It is the session's and not a transaction's: while Kafka is away nothing stays open in PostgreSQL.
_LOCK = "SELECT pg_advisory_lock(hashtext('outbox:' || current_schema()))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext('outbox:' || current_schema()))"

Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]


class Outbox:
    """One per process; other replicas wait their turn in the database. `connect` lends a connection in autocommit."""

    def __init__(
        self,
        connect: Connect,
        publish: Callable[[Outgoing], Awaitable[None]],
        together: Callable[[Sequence[Outgoing]], Awaitable[None]] | None = None,
    ) -> None:
        """`together` publishes the events of a cause in order without waiting for each, where causes have many."""
        self._connect = connect
        self._publish = publish
        self._together = together
        self._asked = asyncio.Event()

    def flush(self) -> None:
        """Publish soon: something was just staged."""
        self._asked.set()

    async def run(self) -> NoReturn:
        """For the life of the process: what an earlier life left behind comes first."""
        while True:
            while await until_available(self.sweep) == BATCH:
                pass
            await until_set(self._asked, SWEEP_SECONDS)
            self._asked.clear()

    async def sweep(self) -> int:
        """Publish a batch; how many causes it had. What was published before an error is marked as such."""
        async with self._connect() as conn:
            await conn.execute(_LOCK)
            try:
                return await self._publish_batch(conn)
            finally:
                if not conn.closed:
                    await conn.execute(_UNLOCK)

    async def _publish_batch(self, conn: AsyncConnection[Any]) -> int:
        staged = await unpublished(conn, BATCH)
        for cause_id, outgoing in staged.items():
            await self._publish_all(outgoing)
            await mark_published(conn, cause_id)
        return len(staged)

    async def _publish_all(self, outgoing: Sequence[Outgoing]) -> None:
        """Where Kafka will not take one of them they go one by one, and that one is named."""
        if self._together is not None and len(outgoing) > 1:
            with suppress(PermanentError):
                await self._together(outgoing)
                return
        for event in outgoing:
            await self._publish_one(event)

    async def _publish_one(self, event: Outgoing) -> None:
        """What Kafka will never take holds up nothing: it stays in the outbox, and the log names it."""
        try:
            await self._publish(event)
        except PermanentError as error:
            where = {"event_id": event.id, "topic": event.topic.name}
            log.error("not published: %s", error.reason, extra=where)  # noqa: TRY400 - the trace says nothing more
