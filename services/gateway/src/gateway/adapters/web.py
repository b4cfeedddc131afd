"""HTTP as the doors are served: TLS, and bounds of what a stranger may send, hold open and wait for.

A request's line and headers have a size and a time; a connection that sends neither is closed. No body is read here.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import h11
import uvicorn
from contracts.errors import BusyError, UnavailableError
from contracts.tls import Renewed
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.settings import Settings

# Connections that wait to be accepted, and how long one that answered is kept for the next request, in seconds.
_BACKLOG, _IDLE_S = 128, 30


class Bounded:
    """An application that answers so many requests at a time, each in so many seconds; a busy one says so at once.

    BusyError and UnavailableError are raised before anything was answered: the door inside says them.
    """

    def __init__(self, app: ASGIApp, most: int, seconds: float) -> None:
        self._app, self._most, self._seconds = app, most, seconds
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._running >= self._most:
            raise BusyError("too many requests are being answered; ask again")
        self._running += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, receive, send)
        except TimeoutError:
            raise UnavailableError("the answer took too long; ask for less, or again") from None
        finally:
            self._running -= 1


@asynccontextmanager
async def serving(routes: Sequence[BaseRoute], settings: Settings, grace: float) -> AsyncIterator[None]:
    """Serve while inside; requests under way get `grace` seconds to end. OSError where it cannot listen."""
    server = _Server(
        uvicorn.Config(
            Starlette(routes=routes),
            http=cast("Any", partial(_Protocol, settings.https_header_seconds)),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            limit_concurrency=settings.https_connections,
            h11_max_incomplete_event_size=settings.https_header_bytes,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=int(grace),
            ssl_context_factory=_tls(settings),
        )
    )
    with _listening(settings.https_listen) as listener:
        running = asyncio.create_task(server.serve([listener]), name="https")
        try:
            while not server.started and not running.done():  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
            yield
        finally:
            server.should_exit = True
            await running


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's."""
        yield


class _Protocol(H11Protocol):
    """Closes a connection whose next request does not come whole in time; between two requests it may be idle."""

    def __init__(self, seconds: float, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._seconds = seconds
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its parent has it
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._late is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(self._seconds, self.transport.close)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


@contextlib.contextmanager
def _listening(listen: str) -> Iterator[socket.socket]:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_BACKLOG) as listener:
        yield listener


def _tls(settings: Settings) -> Any:
    """What makes uvicorn's context; None is plain HTTP."""
    files = settings.certificate
    if files is None:
        return None
    renewed = Renewed(files, files.of_server)
    context = renewed.current()
    # Asked at each handshake: a renewed certificate is shown at the next connection.
    context.sni_callback = partial(_show, renewed)
    return lambda *_: context


def _show(renewed: Renewed[ssl.SSLContext], connection: ssl.SSLObject, *_: object) -> None:
    connection.context = renewed.current()
