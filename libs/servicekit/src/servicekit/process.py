"""The life of a service: settings, logs, traces, health pages, the app, and an orderly end.

SIGTERM or SIGINT: not ready any more, requests and records under way are finished, then everything is closed in
reverse order. A failure that the app reports ends the process with exit code 1: the orchestrator starts it again.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import uvloop
from eventbus.delivery import place_of

from servicekit import grpc, logs, settings, traces
from servicekit.health import Health, http_server
from servicekit.looks import Looks

log = logging.getLogger("servicekit")

# A batch of records makes some ten thousand objects, and none of them outlives it.
_ALLOCATIONS = 20_000

S = TypeVar("S", bound=settings.ServiceSettings)


class Process:
    """What an app may ask of the process that it lives in."""

    def __init__(self, grace: float) -> None:
        self.health = Health()
        self._grace = grace
        self._ending = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def ready_when(self, name: str, check: Callable[[], Awaitable[object]]) -> None:
        """Not ready while `check` raises: without this there is no work that the service could do."""
        self.health.needed[name] = check

    def works_without(self, name: str, check: Callable[[], Awaitable[object]]) -> None:
        """Ready, and /readyz names it, while `check` raises: some of the work is done without it."""
        self.health.missed[name] = check

    def fail(self, error: BaseException) -> None:
        """End the process with exit code 1."""
        log.critical("ending: %s at %s", type(error).__name__, place_of(error))
        self._failure = self._failure or error
        self._ending.set()

    def end(self) -> None:
        """End the process in order."""
        self._ending.set()

    def spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        """Run background work for the life of the process; if it fails, the process fails."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def grpc_server(
        self, listen: str, services: Sequence[grpc.Registration], looks: Looks | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Serve gRPC with health, reflection, traces and error mapping; `looks`: where looks are written."""
        if looks is not None:
            self.spawn(looks.write(), "looks")
            self.spawn(looks.publish(), "looks out")
        return grpc.server(listen, services, self._grace, recorder=looks)

    async def wait(self) -> None:
        """Until a signal, `end` or `fail`."""
        await self._ending.wait()

    async def stop_tasks(self) -> None:
        """Cancel background work and wait for it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def failed(self) -> bool:
        """Whether the process ends with an error."""
        return self._failure is not None

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fail(error)


App = Callable[[S, Process], AbstractAsyncContextManager[None]]


def main(service: str, settings_type: type[S], app: App[S]) -> None:
    """Run a service until it is told to end. Never returns: exits 0, 1, or 78 for wrong settings."""
    loaded = settings.load(settings_type)
    logs.configure(service, loaded.log_level)
    with traces.tracing(service, loaded.trace_file, loaded.otlp_endpoint):
        failed = uvloop.run(_live(service, loaded, app))
    raise SystemExit(1 if failed else 0)


def _leave_what_was_loaded() -> None:
    """What is there at start lives as long as the process: the collector need not go over it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)


async def _live(service: str, loaded: S, app: App[S]) -> bool:
    process = Process(loaded.shutdown_grace)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, process.end)
    async with http_server(loaded.http_listen, process.health):
        try:
            async with app(loaded, process):
                _leave_what_was_loaded()
                process.health.started = True
                log.info("ready")
                await process.wait()
                process.health.started = False
                await process.stop_tasks()
        except Exception as error:  # noqa: BLE001 - logged by type and place, then exit code 1
            process.fail(error)
    log.info("ended", extra={"service": service})
    return process.failed
