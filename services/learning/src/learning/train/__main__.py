"""`python -m learning.train`: takes the oldest job that waits, runs it, and ends. Nothing to train: ends at once.

Under torchrun the first process takes the job, and the others run the same one and say nothing.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from eventbus.retry import until_available
from servicekit import logs
from servicekit.objects import open_objects
from servicekit.settings import load

from learning.adapters.objects import Objects
from learning.adapters.postgres import Store, jobs, open_store
from learning.adapters.postgres.jobs import Lease
from learning.settings import Settings
from learning.train.attempt import Attempt
from learning.train.line import EndedError, Line

log = logging.getLogger("learning.train")

# How long the others of a run wait for the first to take a job, in seconds.
FOLLOW_SECONDS = 60.0
# What ends after its parent has this long to give back its job.
ORPHAN_SECONDS = 10.0


def main() -> int:
    """0: done, or nothing to do; 1: the job failed, or was given back."""
    arguments = _arguments()
    settings = load(Settings)
    logs.configure("learning", settings.log_level)
    os.nice(arguments.nice)
    if arguments.child:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    name = arguments.name or settings.run_id or str(uuid.uuid4())
    try:
        with Line() as line, line.entered(_outside(settings)) as (store, objects):
            return _train(line, store, objects, settings, name)
    except EndedError:
        return 1


def _train(line: Line, store: Store, objects: Objects, settings: Settings, name: str) -> int:
    leads = settings.rank == 0
    find = partial(_take, store, name, settings) if leads else partial(_follow, store, name)
    lease = line.call(until_available(find))
    if lease is None:
        log.info("nothing to train")
        return 0
    log.info("job %s, attempt %d", lease.job_id, lease.attempt)
    attempt = Attempt(line, store, objects, lease, settings.lease, settings.work, settings.versions_bucket, leads)
    try:
        with line.entered(attempt.renewing()):
            return 0 if attempt.run() else 1
    except EndedError:
        attempt.give_back()
        raise


@asynccontextmanager
async def _outside(settings: Settings) -> AsyncIterator[tuple[Store, Objects]]:
    async with open_store(str(settings.postgres)) as store:
        buckets = {name: open_objects(settings, name) for name in (settings.episodes_bucket, settings.versions_bucket)}
        yield store, Objects(store, buckets)


async def _take(store: Store, name: str, settings: Settings) -> Lease | None:
    async with store.connection() as conn:
        return await jobs.take(conn, name, settings.lease)


async def _follow(store: Store, name: str) -> Lease | None:
    """The job that the first process of this run took."""
    for _ in range(int(FOLLOW_SECONDS)):
        async with store.connection() as conn:
            lease = await jobs.taken_by(conn, name)
        if lease is not None:
            return lease
        await asyncio.sleep(1.0)
    return None


def _end_with_parent() -> None:
    """Nobody writes to the standard input of a child: it ends when its parent does."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(ORPHAN_SECONDS)
    os._exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m learning.train", description="Take a job, run it, end.")
    parser.add_argument("--name", default="", help="under which it holds its job; by default one of its own")
    parser.add_argument("--nice", type=int, default=0, help="how much it leaves to others (nice)")
    parser.add_argument("--child", action="store_true", help="end when the standard input ends")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
