"""Connections to one service's schema. A PostgreSQL that is away is an UnavailableError, wherever it is met.

This is the one place that translates psycopg's errors.
"""

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from contracts.errors import UnavailableError
from psycopg import AsyncConnection
from psycopg.pq import PipelineStatus
from psycopg_pool import AsyncConnectionPool

# Longest wait for a free connection, in seconds.
WAIT = 10.0

# What passes by itself: no server, no free connection (PoolTimeout), a server that ends, starts or runs out of
# something, a deadlock; and a server that only reads for now, because another takes its place. psycopg makes all but
# the last one subclasses of OperationalError.
_PASSING = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)


class Pool:
    """Lends connections whose search_path is the schema, in UTC and in autocommit."""

    def __init__(self, connections: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
        self._connections = connections

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """UnavailableError when there is none within ten seconds, and when it is lost while it is used."""
        lent: AsyncConnection[Any] | None = None
        try:
            async with self._connections.connection() as lent:
                try:
                    yield lent
                finally:
                    # A caller that went between a question and its answer: the answer would be the next one's.
                    if lent.pgconn.pipeline_status != PipelineStatus.OFF:
                        await lent.close()
        except psycopg.Error as error:
            # psycopg may raise what followed from a cancellation in its place.
            if isinstance(error.__context__, asyncio.CancelledError):
                raise error.__context__ from None
            # On a lost connection psycopg raises errors of any kind.
            if isinstance(error, _PASSING) or (lent is not None and lent.closed):
                raise UnavailableError(f"postgres cannot be reached ({type(error).__name__}); ask again") from error
            raise

    async def ping(self) -> None:
        """UnavailableError when the database does not answer."""
        async with self.connection() as conn:
            await conn.execute("SELECT 1")


async def _check(connection: AsyncConnection[Any]) -> None:
    """Ask the server only where it sent something unasked: nothing but its end, or its restart, says anything then."""
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    if heard.poll(0):
        await AsyncConnectionPool.check_connection(connection)


@asynccontextmanager
async def open_pool(dsn: str, schema: str, *, size: int = 8) -> AsyncIterator[Pool]:
    """Each connection is checked before use, so that a restarted server is noticed."""
    options = f"-c search_path={schema} -c timezone=UTC -c idle_in_transaction_session_timeout=60000"
    connections: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=size,
        timeout=WAIT,
        # A longer one lets its pauses grow to minutes: a server that is back would not be noticed.
        reconnect_timeout=WAIT,
        open=False,
        check=_check,
        kwargs={"options": options, "autocommit": True, "connect_timeout": 5},
    )
    async with connections:
        yield Pool(connections)
