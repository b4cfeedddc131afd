"""The service's outside world in a thread of its own, so that the main thread is the trainer's alone.

Signals reach the main thread between any two of its steps: `SIGTERM`, and a lease that was lost, end the training at
once and not at its next report.
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class EndedError(BaseException):
    """The training is to end now. No `except Exception` of a trainer keeps it."""


class Line:
    """Runs coroutines for the main thread while inside; `interrupt` ends what the main thread does."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self._deaf = False

    def __enter__(self) -> Self:
        self._thread.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.listen_no_more()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The result, or the error, of a coroutine that runs over there."""
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except EndedError:
            running.cancel()
            raise

    @contextmanager
    def entered(self, opening: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """What is open over there while inside; it is closed to the end, whatever signal comes."""
        opened = self.call(_enter(opening))
        try:
            yield opened
        finally:
            self.listen_no_more()
            self.call(_leave(opening))

    def interrupt(self) -> None:
        """From any thread: the main thread ends."""
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def listen_no_more(self) -> None:
        """What is done from now on is done to its end."""
        self._deaf = True

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if not self._deaf:
            raise EndedError


async def _enter(opening: AbstractAsyncContextManager[T]) -> T:
    return await opening.__aenter__()


async def _leave(opening: AbstractAsyncContextManager[Any]) -> None:
    await opening.__aexit__(None, None, None)
