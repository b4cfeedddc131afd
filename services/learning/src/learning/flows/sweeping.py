"""Deletes what is too old, what nobody may be learned from any more, and what a kill left behind."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import NoReturn

from eventbus.retry import until_available, until_set

from learning import metrics
from learning.adapters.objects import Objects
from learning.adapters.postgres import training_set

SECONDS = 30.0


async def keep_sweeping(objects: Objects, retention: timedelta, due: asyncio.Event) -> NoReturn:
    """For the life of the process: when `due` is set, and every half minute."""
    while True:
        due.clear()
        await until_available(partial(sweep, objects, retention))
        await until_set(due, SECONDS)


async def sweep(objects: Objects, retention: timedelta) -> None:
    """Rows first, in one transaction that dooms their objects; then the objects, each before its own row."""
    async with objects.store.connection() as conn, conn.transaction():
        expired = await training_set.expire(conn, retention)
    metrics.DELETED.labels("retention").inc(expired)
    while await objects.delete_one():
        pass
