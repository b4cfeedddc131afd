"""This service's tables (schema `learning`): a module for each thing that is kept, its functions inside the caller's
transaction.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from servicekit import migrated
from servicekit.postgres import Pool, open_pool

Connection = AsyncConnection[Any]
SCHEMA = "learning"


class Store:
    """Lends connections. UnavailableError when the database is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """In autocommit until a transaction is opened."""
        return self._pool.connection()

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        await self._pool.ping()


@asynccontextmanager
async def open_store(dsn: str) -> AsyncIterator[Store]:
    """Connected; MigrationError where its tables are not up to date."""
    await migrated(dsn, SCHEMA, "learning")
    async with open_pool(dsn, SCHEMA) as pool:
        yield Store(pool)
