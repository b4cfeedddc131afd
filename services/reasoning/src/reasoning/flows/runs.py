"""Assessments in the making: a bound on how many run, and one run for all who ask with the same request id.

Guarantee: a run whose last listener went away is cancelled; nobody waits for a run that has ended.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from contracts.errors import BusyError, ConflictError
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.reasoning_service_pb2 import AskResponse

# What happens, in the words of the wire: progress, and what stands in front already.
Report = Callable[[AskResponse], None]
Work = Callable[[Report], Awaitable[Assessment]]


class Run:
    """One assessment being made. Listeners that come late hear everything from the start."""

    def __init__(self, fingerprint: bytes, work: Work) -> None:
        self.fingerprint = fingerprint
        self.listeners = 0
        self._heard: list[AskResponse] = []
        self._news = asyncio.Event()
        self._task = asyncio.ensure_future(work(self._report))
        self._task.add_done_callback(lambda _: self._news.set())

    async def heard(self) -> AsyncIterator[AskResponse]:
        """Everything that happened and happens, until the run ends."""
        position = 0
        while position < len(self._heard) or not self._task.done():
            news = self._news
            while position < len(self._heard):
                yield self._heard[position]
                position += 1
            if not self._task.done():
                await news.wait()

    async def result(self) -> Assessment:
        """The assessment, or the error that ended the run."""
        return await asyncio.shield(self._task)

    def cancel(self) -> None:
        """Harmless when the run has ended."""
        self._task.cancel()

    def _report(self, response: AskResponse) -> None:
        self._heard.append(response)
        self._news.set()
        self._news = asyncio.Event()


class Runs:
    """The runs of this process, by assessment id."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._runs: dict[str, Run] = {}

    @asynccontextmanager
    async def join(self, assessment_id: str, fingerprint: bytes, work: Work) -> AsyncIterator[Run]:
        """The run of this assessment, started if there is none. BusyError when too many run; ConflictError when the
        run of this id answers another question.
        """
        run = self._runs.get(assessment_id)
        if run is None:
            if len(self._runs) >= self._limit:
                raise BusyError("too many assessments are being made; ask again shortly")
            run = self._runs[assessment_id] = Run(fingerprint, work)
        if run.fingerprint != fingerprint:
            raise ConflictError("this request_id was used for another question")
        run.listeners += 1
        try:
            yield run
        finally:
            run.listeners -= 1
            if run.listeners == 0:
                run.cancel()
                self._runs.pop(assessment_id, None)
