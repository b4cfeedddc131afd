"""/healthz (the process lives), /readyz (everything it needs answers) and /metrics (Prometheus text)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

log = logging.getLogger("servicekit")

Check = Callable[[], Awaitable[None]]
CHECK_SECONDS = 5.0


class Health:
    """Readiness checks by name. Not ready before `started` is set."""

    def __init__(self) -> None:
        self.started = False
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Register a check; it raises when the thing does not answer."""
        self._checks[name] = check

    async def failing(self) -> list[str]:
        """Names of the checks that fail, each given five seconds."""
        if not self.started:
            return ["starting"]
        answers = await asyncio.gather(*(self._passes(name, check) for name, check in self._checks.items()))
        return [name for name, passes in zip(self._checks, answers, strict=True) if not passes]

    async def _passes(self, name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except Exception as error:  # noqa: BLE001 - any failure means not ready
            log.warning("not ready: %s (%s)", name, type(error).__name__)
            return False
        return True


@asynccontextmanager
async def http_server(listen: str, health: Health) -> AsyncIterator[None]:
    """Serve the three pages while inside."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        failing = await health.failing()
        return web.Response(text="".join(f"{n}\n" for n in failing) or "ok\n", status=503 if failing else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    await web.TCPSite(runner, host, int(port)).start()
    try:
        yield
    finally:
        await runner.cleanup()
