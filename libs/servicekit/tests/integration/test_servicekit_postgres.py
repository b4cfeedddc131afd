"""The pool on a real PostgreSQL."""

import asyncio

import psycopg
from servicekit.postgres import Pool, open_pool

_BACKEND = "SELECT pg_backend_pid()"


async def test_a_connection_that_the_server_ended_is_not_lent(postgres: str) -> None:
    async with open_pool(postgres, "public", size=1) as pool:
        async with pool.connection() as conn:
            (ended,) = await (await conn.execute(_BACKEND)).fetchone() or (None,)
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (ended,))
        async with pool.connection() as conn:
            (now,) = await (await conn.execute(_BACKEND)).fetchone() or (None,)
    assert now not in (None, ended)


async def test_a_connection_that_lives_is_lent_without_a_question(postgres: str) -> None:
    async with open_pool(postgres, "public", size=1) as pool:
        async with pool.connection() as conn:
            (first,) = await (await conn.execute(_BACKEND)).fetchone() or (None,)
        async with pool.connection():
            last = "SELECT query FROM pg_stat_activity WHERE pid = %s"
            with psycopg.connect(postgres) as other:
                assert other.execute(last, (first,)).fetchone() == (_BACKEND,)


async def test_whoever_goes_leaves_the_next_a_clean_connection(postgres: str) -> None:
    """A caller that goes between a question and its answer leaves a pipeline open, with an answer that is not ours."""
    async with open_pool(postgres, "public", size=1) as pool:
        for pauses in range(40):
            task = asyncio.create_task(_read(pool, -1))
            for _ in range(pauses):
                await asyncio.sleep(0)
            asked = task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() is asked
            assert await _read(pool, pauses) == pauses
            copied = "COPY (SELECT 1) TO STDOUT"
            async with pool.connection() as conn, conn.cursor() as cursor, cursor.copy(copied) as copy:
                assert [row async for row in copy.rows()] == [("1",)]


async def _read(pool: Pool, number: int) -> int:
    """A snapshot as memory takes it: what nobody waits for travels with the question."""
    async with pool.connection() as conn, conn.pipeline(), conn.transaction():
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", prepare=False)
        (answer,) = await (await conn.execute("SELECT %s::int", (number,))).fetchone() or (None,)
        (again,) = await (await conn.execute("SELECT %s::int", (number,))).fetchone() or (None,)
        assert answer == again == number
        return number
