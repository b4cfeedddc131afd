"""/healthz (the process lives), /readyz (it can do its work in some form) and /metrics (Prometheus text).

/readyz is 503 with the names of what no work is possible without; else 200, `ok`, and a line `without <name>` for each
thing that is away and that some of the work needs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

log = logging.getLogger("servicekit")

Check = Callable[[], Awaitable[object]]
# Less than a probe waits (the chart gives it five seconds): one silent server must not make the page silent.
CHECK_SECONDS = 3.0


class Health:
    """Checks by name; a check raises when the thing does not answer. Not ready before `started` is set."""

    def __init__(self) -> None:
        self.started = False
        # Without these there is no work at all; without those below some is left.
        self.needed: dict[str, Check] = {}
        self.missed: dict[str, Check] = {}

    async def page(self) -> tuple[int, str]:
        """Status and text of /readyz."""
        if not self.started:
            return 503, "starting\n"
        needed, missed = await asyncio.gather(_away(self.needed), _away(self.missed))
        if needed:
            return 503, "".join(f"{name}\n" for name in needed)
        return 200, "ok\n" + "".join(f"without {name}\n" for name in missed)


async def _away(checks: Mapping[str, Check]) -> list[str]:
    """Names of the checks that fail, each given three seconds."""
    answers = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
    return [name for name, passes in zip(checks, answers, strict=True) if not passes]


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - any failure means away
        log.warning("away: %s (%s)", name, type(error).__name__)
        return False
    return True


@asynccontextmanager
async def http_server(listen: str, health: Health) -> AsyncIterator[None]:
    """Serve the three pages while inside."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        status, text = await health.page()
        return web.Response(text=text, status=status)

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
