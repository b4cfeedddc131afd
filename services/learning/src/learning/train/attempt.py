"""One attempt at a job: the lease is renewed while it lasts, each step is reported, and its end is written once.

Whoever lost the job, because it was stopped or because another trainer took it, writes nothing any more.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from contracts.errors import LongitudeError, PermanentError, UnavailableError
from eventbus.retry import until_available

from learning.adapters.objects import Objects
from learning.adapters.postgres import Store, jobs, training_set
from learning.adapters.postgres.jobs import Lease
from learning.adapters.postgres.training_set import Kept
from learning.adapters.recipes import load
from learning.domain.rubric import Reviewer, one_sided
from learning.domain.training import Candidate, Job, Sample
from learning.flows.finishing import finish
from learning.train.line import EndedError, Line

log = logging.getLogger("learning.train")

T = TypeVar("T")
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job that this process took. `leads`: of all processes that run it, this one speaks."""

    line: Line
    store: Store
    objects: Objects
    lease: Lease
    longer: timedelta
    # Where jobs keep what they resume from, and the bucket of what they make.
    work: Path
    bucket: str
    leads: bool = True

    def run(self) -> bool:
        """Whether the job ended well. UnavailableError of what a trainer needs gives the job back."""
        try:
            candidate = load(self.lease.recipe).run(self._job(), self.report)
            self.line.listen_no_more()
            self._finish(candidate)
        except UnavailableError as error:
            log.warning("given back: %s", error)
            self._write(partial(self._release, type(error).__name__))
            return False
        except Exception as error:
            # Whatever a trainer fails with is its job's end.
            self.line.listen_no_more()
            log.exception("failed")
            self._write(partial(self._fail, reason_of(error)))
            return False
        return True

    def report(self, step: int, points: Mapping[str, float]) -> None:
        """A step was made. Waits while the database is away; EndedError when the job is this trainer's no more."""
        if self.leads and not self._call(partial(self._progress, step, points)):
            raise EndedError

    def give_back(self) -> None:
        """The next trainer need not wait for the lease."""
        if self.leads:
            with suppress(UnavailableError):
                self.line.call(self._release(""))

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[None]:
        """The lease is kept while inside; the training is interrupted when it was lost."""
        if not self.leads:
            yield
            return
        task = asyncio.create_task(self._keep_renewing())
        try:
            yield
        finally:
            task.cancel()

    def samples(self) -> Iterator[Sample]:
        """What may be learned from now. What is withdrawn while it is read is left out."""
        left_out = one_sided(self._call(self._reviewers))
        after = ""
        while page := self._call(partial(self._page, after, left_out)):
            yield from filter(None, map(self._sample, page))
            after = page[-1].episode_id

    def _job(self) -> Job:
        lease = self.lease
        folder = self.work / lease.job_id
        folder.mkdir(parents=True, exist_ok=True)
        return Job(lease.job_id, lease.recipe, lease.seed, lease.steps, lease.step, folder, self.samples)

    def _sample(self, kept: Kept) -> Sample | None:
        try:
            return Sample(kept.episode_id, self._call(partial(self.objects.get, kept.object)), kept.review)
        except PermanentError:
            return None

    def _finish(self, candidate: Candidate) -> None:
        if self.leads and not self._call(partial(finish, self.objects, self.bucket, self.lease, candidate)):
            raise EndedError

    def _write(self, work: Callable[[], Awaitable[object]]) -> None:
        if self.leads:
            self._call(work)

    def _call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Over there, as often as it takes while something is away."""
        return self.line.call(until_available(work))

    async def _progress(self, step: int, points: Mapping[str, float]) -> bool:
        async with self.store.connection() as conn:
            return await jobs.progress(conn, self.lease, step, points, self.longer)

    async def _release(self, why: str) -> None:
        async with self.store.connection() as conn:
            await jobs.release(conn, self.lease, why)

    async def _fail(self, reason: str) -> bool:
        async with self.store.connection() as conn:
            return await jobs.end(conn, self.lease, "failed", reason)

    async def _reviewers(self) -> list[Reviewer]:
        async with self.store.connection() as conn:
            return await training_set.reviewers(conn)

    async def _page(self, after: str, left_out: frozenset[str]) -> list[Kept]:
        async with self.store.connection() as conn:
            return await training_set.page(conn, after, left_out)

    async def _keep_renewing(self) -> None:
        while await until_available(self._renew):  # noqa: ASYNC110 - a lease is a clock: nothing would set an event
            await asyncio.sleep(self.longer.total_seconds() / 3)
        self.line.interrupt()

    async def _renew(self) -> bool:
        async with self.store.connection() as conn:
            return await jobs.renew(conn, self.lease, self.longer)


def reason_of(error: Exception) -> str:
    """A named reason. Texts of others' errors may quote what was trained on: only our own family's are told."""
    if isinstance(error, PermanentError):
        return f"{error.reason}: {error}"[:MAX_REASON] if error.kind else error.reason[:MAX_REASON]
    if isinstance(error, OSError) and error.errno:
        return f"{type(error).__name__}: {os.strerror(error.errno)}"
    return f"{type(error).__name__}: {error}" if isinstance(error, LongitudeError) else type(error).__name__
