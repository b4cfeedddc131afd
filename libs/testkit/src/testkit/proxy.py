"""A TCP proxy that misbehaves on purpose: between a client and a server, it forwards, stalls, cuts or refuses.

Bounded: what it holds of a stalled connection is one chunk, the rest stays with the sender; it takes at most
`MAX_CONNECTIONS` at a time.
"""

import asyncio
import contextlib
from typing import Self

CHUNK = 65_536
MAX_CONNECTIONS = 1_000


class FaultProxy:
    """`async with FaultProxy(server) as proxy:` and let the client connect to `proxy.endpoint`."""

    def __init__(self, upstream: str) -> None:
        """`upstream` is the server's `host:port`."""
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen on a free loopback port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut every connection and stop to listen."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    @property
    def endpoint(self) -> str:
        """Where clients connect, `host:port`."""
        if self._server is None:
            raise RuntimeError("the proxy is not listening; use it in `async with`")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._connections)

    def forward(self) -> None:
        """Behave: let everything through, also what was stalled."""
        self._refusing = False
        self._flowing.set()

    def stall(self) -> None:
        """Keep connections open and let not a byte through, in either direction."""
        self._flowing.clear()

    async def cut(self) -> None:
        """Reset every open connection; new ones are served as before."""
        for connection in tuple(self._connections):
            connection.cancel()
        if self._connections:
            await asyncio.wait(tuple(self._connections))

    async def refuse(self) -> None:
        """Reset every open connection and each new one until `forward`."""
        self._refusing = True
        await self.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing or len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream, limit=CHUNK)
        except OSError:
            writer.transport.abort()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, upstream_writer))
                both.create_task(self._pump(upstream_reader, writer))
        except* OSError:
            pass  # a side that resets its connection is what this proxy is for; both are closed below
        finally:
            writer.transport.abort()
            upstream_writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(CHUNK):
            await self._flowing.wait()
            sink.write(chunk)
            await sink.drain()
        await self._flowing.wait()
        if sink.can_write_eof():
            sink.write_eof()
