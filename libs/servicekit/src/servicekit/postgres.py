"""A pool of psycopg connections to one service's schema."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[Any]]

# Longest wait for a free connection, in seconds; PoolTimeout is an OperationalError, which the bus waits out.
WAIT = 10.0


@asynccontextmanager
async def open_pool(dsn: str, schema: str, *, size: int = 8) -> AsyncIterator[Pool]:
    """Connections whose search_path is the schema, in UTC, checked before use so that a restarted server is noticed."""
    options = f"-c search_path={schema} -c timezone=UTC -c idle_in_transaction_session_timeout=60000"
    pool: Pool = AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=size,
        timeout=WAIT,
        open=False,
        check=AsyncConnectionPool.check_connection,
        kwargs={"options": options, "autocommit": True},
    )
    async with pool:
        yield pool


async def ping(pool: Pool) -> None:
    """Raise when the database does not answer."""
    async with pool.connection() as conn:
        await conn.execute("SELECT 1")
