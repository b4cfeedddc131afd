"""Drives one consultation: answers the harness' requests with Triton and memory, until it has an outcome.

The model's failures end the episode (UnavailableError: ask again, nothing is half released); a tool's failure degrades
it visibly.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.errors import InvalidInputError, NotFoundError, UnavailableError
from harness import CallTool, Consultation, Failed, Generate, Progress, Round
from harness.protocol import Answer, ModelPin, Outcome, Request

from reasoning.adapters.triton import Reasoner, ReasonerRefusedError
from reasoning.flows.tools import MemoryTools

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Driver:
    """What the requests of one episode are answered with."""

    reasoner: Reasoner
    tools: MemoryTools
    pin: ModelPin
    on_progress: OnProgress

    async def drive(self, run: Consultation) -> Outcome:
        """To the end. Requests of a round are independent and answered at the same time."""
        pending = run.start(at=now())
        self._tell(pending)
        while not pending.finished:
            pending = run.resume(await self._answers(pending), at=now())
            self._tell(pending)
        return run.outcome

    async def _answers(self, pending: Round) -> list[Answer]:
        return await together(self._answer(request) for request in pending.requests)

    async def _answer(self, request: Request) -> Answer:
        if isinstance(request, Generate):
            return await generate(request, self.reasoner, self.pin, self.on_progress)
        return await self._call(request)

    async def _call(self, request: CallTool) -> Answer:
        try:
            return await self.tools.answer(request)
        except (UnavailableError, NotFoundError, InvalidInputError) as error:
            return Failed(next(words for kind, words in _FAILURES.items() if isinstance(error, kind)))

    def _tell(self, pending: Round) -> None:
        for progress in pending.progress:
            self.on_progress(progress)


async def generate(request: Generate, reasoner: Reasoner, pin: ModelPin, on_progress: OnProgress) -> Answer:
    """The model's answer, or that it refused the request."""

    def tokens(count: int) -> None:
        on_progress(Progress(request.role, "", count))

    try:
        return await reasoner.generate(request, pin, tokens)
    except ReasonerRefusedError:
        return Failed("the model refused the request")


async def together(answering: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """All answers in the order asked, or the first error, with the other requests cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in answering]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


_FAILURES: dict[type[Exception], str] = {
    UnavailableError: "unavailable",
    NotFoundError: "not found",
    InvalidInputError: "refused",
}


def now() -> datetime:
    return datetime.now(UTC)
