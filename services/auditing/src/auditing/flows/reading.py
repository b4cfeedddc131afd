"""Reads every record of the platform into the log, for the life of the process.

What cannot be reached is waited for, in place, with a growing pause: no record is passed over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NoReturn

from eventbus.retry import until_available

from auditing.adapters.kafka import RecordReader
from auditing.domain.records import Record
from auditing.domain.sequencing import Plan

DISCOVERY_SECONDS = 1.0


async def read_records(
    records: RecordReader, write: Callable[[Sequence[Record]], Awaitable[Plan]], due: asyncio.Event, leaves_due: int
) -> NoReturn:
    """Write every record to the log; set `due` when `leaves_due` leaves were added since it was last set."""
    clock = asyncio.get_running_loop().time
    added, discovered = 0, float("-inf")
    while True:
        if clock() - discovered > DISCOVERY_SECONDS:
            await until_available(records.discover)
            discovered = clock()
        batch = await until_available(records.fetch)
        if not batch:
            continue
        plan = await until_available(partial(write, batch))
        await records.commit(plan.positions)
        added += len(plan.leaves)
        if added >= leaves_due:
            due.set()
            added = 0
