"""The thread that runs a scheduler: callers submit from any thread and are called back with chunks.

Callbacks run in the engine's thread and must be quick. A failure of the network ends every request with that error and
is kept: later requests are refused with it, so that a broken engine is seen and not silently restarted.
"""

import threading
from collections import deque
from types import TracebackType
from typing import Protocol, Self

from engine.batch import Counts
from engine.request import BusyError, Emit, Request
from engine.waiting import Capacity, Prepared


class EngineStoppedError(Exception):
    """The engine was closed or its network failed."""


class Scheduling(Protocol):
    """What runs requests step by step: `engine.batch.Scheduler`, `engine.vllm.scheduler.VllmScheduler`."""

    limits: Capacity
    counts: Counts

    @property
    def active(self) -> int: ...

    @property
    def queued(self) -> int: ...

    def prepare(self, request: Request, emit: Emit) -> Prepared: ...

    def submit(self, prepared: Prepared) -> None: ...

    def step(self) -> bool: ...

    def abort(self, error: Exception) -> None: ...


class Worker:
    """Owns a scheduler and its thread; a context manager."""

    def __init__(self, scheduler: Scheduling) -> None:
        self._scheduler = scheduler
        self._inbox: deque[Prepared] = deque()
        self._wake = threading.Condition()
        self._stopped: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def counts(self) -> Counts:
        return self._scheduler.counts

    @property
    def active(self) -> int:
        return self._scheduler.active

    @property
    def queued(self) -> int:
        return len(self._inbox) + self._scheduler.queued

    def submit(self, request: Request, emit: Emit) -> Prepared:
        """Queues a request. Raises RequestRefusedError, GrammarError, BusyError or EngineStoppedError."""
        prepared = self._scheduler.prepare(request, emit)
        with self._wake:
            if self._stopped is not None:
                raise EngineStoppedError(str(self._stopped)) from self._stopped
            limits = self._scheduler.limits
            if self.queued + self.active >= limits.queue + limits.active:
                raise BusyError(f"busy: {limits.queue} requests wait already; try again later")
            self._inbox.append(prepared)
            self._wake.notify()
        return prepared

    def close(self) -> None:
        """Ends what still runs and stops the thread."""
        self._stop(EngineStoppedError("the engine was stopped"))
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            while self._take():
                self._scheduler.step()
        except Exception as error:  # noqa: BLE001 - whatever broke the network, its callers must hear of it
            self._stop(error)
        self._abort(self._stopped or EngineStoppedError("the engine was stopped"))

    def _abort(self, error: Exception) -> None:
        self._scheduler.abort(error)
        while self._inbox:
            self._inbox.popleft().emit(error)

    def _take(self) -> bool:
        """Waits for work, hands new requests to the scheduler; False when the engine is to stop."""
        with self._wake:
            self._wake.wait_for(
                lambda: self._stopped or self._inbox or self._scheduler.active or self._scheduler.queued
            )
            while self._inbox and self._scheduler.queued < self._scheduler.limits.queue:
                self._scheduler.submit(self._inbox.popleft())
            return self._stopped is None

    def _stop(self, error: Exception) -> None:
        with self._wake:
            self._stopped = self._stopped or error
            self._wake.notify()
