"""The two things that auditing does without being asked: read records, and publish checkpoints.

What cannot be reached is waited for, in place, with a growing pause: no record is passed over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NoReturn, TypeVar

import psycopg
from aiokafka.errors import KafkaError
from eventbus import TransientError
from eventbus.delivery import RetryPolicy

from auditing.adapters.kafka import RecordReader
from auditing.domain.records import Record
from auditing.domain.sequencing import Plan

log = logging.getLogger("auditing")

DISCOVERY_SECONDS = 1.0
TRANSIENT = (TransientError, psycopg.OperationalError, KafkaError)

T = TypeVar("T")


async def read_records(
    records: RecordReader, write: Callable[[Sequence[Record]], Awaitable[Plan]], due: asyncio.Event, leaves_due: int
) -> NoReturn:
    """Write every record to the log; set `due` when `leaves_due` leaves were added since it was last set."""
    clock = asyncio.get_running_loop().time
    added, discovered = 0, float("-inf")
    while True:
        if clock() - discovered > DISCOVERY_SECONDS:
            await _persist(records.discover)
            discovered = clock()
        batch = await _persist(records.fetch)
        if not batch:
            continue
        plan = await _persist(partial(write, batch))
        await records.commit(plan.positions)
        added += len(plan.leaves)
        if added >= leaves_due:
            due.set()
            added = 0


async def publish_checkpoints(publish: Callable[[], Awaitable[None]], due: asyncio.Event, seconds: float) -> NoReturn:
    """Publish when `due` is set, and after so many seconds at the latest."""
    while True:
        due.clear()
        await _persist(publish)
        try:
            async with asyncio.timeout(seconds):
                await due.wait()
        except TimeoutError:
            continue


async def _persist(action: Callable[[], Awaitable[T]]) -> T:
    """The result of an action, tried again for as long as what it needs cannot be reached."""
    policy, attempt = RetryPolicy(), 0
    while True:
        attempt += 1
        try:
            return await action()
        except TRANSIENT as error:
            log.warning("waiting: %s", type(error).__name__, extra={"attempt": attempt})
        await asyncio.sleep(policy.delay(attempt))
