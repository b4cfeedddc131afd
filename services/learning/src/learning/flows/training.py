"""Starts a trainer when a job waits, one at a time, and ends it when its job is stopped."""

import asyncio
import logging
import uuid
from functools import partial
from typing import NoReturn

from eventbus.retry import Backoff, until_available, until_set

from learning import metrics
from learning.adapters.postgres import Store, jobs
from learning.adapters.trainer import Child, child

log = logging.getLogger("learning.flows.training")

# How often to look for a job, and whether the one that is trained was stopped, in seconds.
IDLE = 2.0
WATCH = 1.0
# Between trainers that fail before or in their job.
PAUSES = Backoff(first=1.0, longest=60.0)


async def keep_training(store: Store, due: asyncio.Event) -> NoReturn:
    """For the life of the process; `due` is set when a job was queued or stopped."""
    failed = 0
    while True:
        due.clear()
        if await until_available(partial(_waiting, store)):
            failed = 0 if await _train(store, due) else failed + 1
            if failed:
                await asyncio.sleep(PAUSES.delay(failed))
            continue
        await until_set(due, IDLE)


async def _train(store: Store, due: asyncio.Event) -> bool:
    """One trainer to its end; whether it ended well."""
    name = str(uuid.uuid4())
    async with child(name) as started:
        await _watch(store, name, started, due)
    is_well = started.process.returncode == 0
    metrics.ENDED.labels("well" if is_well else "failed").inc()
    log.log(logging.INFO if is_well else logging.WARNING, "trainer ended: %s", started.process.returncode)
    return is_well


async def _watch(store: Store, name: str, started: Child, due: asyncio.Event) -> None:
    """Until it ends, or has no job any more that it had."""
    had = False
    while not await started.ended(0 if due.is_set() else WATCH):
        due.clear()
        has = await until_available(partial(_has_job, store, name))
        if had and not has:
            # It ends by itself when it has finished; when its job was stopped it may be in the middle of a long step.
            if not await started.ended(WATCH):
                await started.end()
            return
        had = had or has


async def _waiting(store: Store) -> bool:
    async with store.connection() as conn:
        return await jobs.waiting(conn)


async def _has_job(store: Store, name: str) -> bool:
    async with store.connection() as conn:
        return await jobs.taken_by(conn, name) is not None
