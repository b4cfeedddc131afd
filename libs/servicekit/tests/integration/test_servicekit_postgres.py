"""The pool on a real PostgreSQL."""

import psycopg
from servicekit.postgres import open_pool

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
