"""MLLP over TCP: connections, bounds of time and number, and answers in the order of the messages."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ingestion import metrics
from ingestion.adapters.budget import Budget
from ingestion.adapters.doors import Door, Place, Quotas
from ingestion.domain.mllp import Frame, Framer, Received

log = logging.getLogger("ingestion")

Handle = Callable[[Received, datetime], Awaitable[list[bytes]]]

_CHUNK = 64 * 1024
# What a frame in flight weighs beside its bytes: many small ones are bounded as well as few large ones.
_OVERHEAD = 16 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds of one listener. Times in seconds, sizes in bytes."""

    frame_bytes: int
    # Longest time between two bytes of one frame, for a whole frame, and of silence between frames.
    gap: float
    frame: float
    idle: float
    # Longest time for a sender to take an answer.
    answer: float
    # Of connections, and of the bytes of frames that are not whole yet.
    quotas: Quotas
    # Frames of one connection, and bytes of all and of one peer, that wait for their answer.
    pipelined: int
    in_flight_bytes: int
    peer_in_flight_bytes: int


class MllpListener:
    """Accepts connections and hands what they send to one function; its answers go back in the order of the frames."""

    def __init__(self, handle: Handle, limits: ConnectionLimits) -> None:
        self._handle = handle
        self._limits = limits
        self._door = Door("mllp", limits.quotas)
        self._budget = Budget(limits.in_flight_bytes)
        self._budgets: dict[str, Budget] = {}
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Listen while inside; yields the port. At the end, frames that were read are answered."""
        server = await asyncio.start_server(self._accept, host, port, limit=_CHUNK, ssl=tls, backlog=128)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = self._door.enter(_peer_of(writer), writer.transport.abort)
        if place is None:
            log.warning("connection refused: %d are open", len(self._door))
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer, place)
        finally:
            self._connections.discard(task)
            place.leave()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: Place) -> None:
        answers: asyncio.Queue[asyncio.Task[list[bytes]] | None] = asyncio.Queue(self._limits.pipelined)
        answering = asyncio.create_task(self._answer(answers, writer))
        try:
            async for received in self._receive(reader, place):
                await self._begin(received, answers, place)
        except asyncio.CancelledError:
            # Shutting down: what was read is still answered below.
            pass
        except OSError as error:
            log.info("connection lost: %s", type(error).__name__)
        finally:
            await asyncio.shield(self._finish(answers, answering, writer))

    async def _begin(
        self, received: Received, answers: "asyncio.Queue[asyncio.Task[list[bytes]] | None]", place: Place
    ) -> None:
        weight = _OVERHEAD + len(received.payload if isinstance(received, Frame) else received.kept)
        await self._take(weight, place.peer)
        await answers.put(asyncio.create_task(self._work(received, weight, place)))

    async def _take(self, weight: int, peer: str) -> None:
        """A peer that has used up its own share waits alone."""
        share = self._budgets.setdefault(peer, Budget(self._limits.peer_in_flight_bytes))
        await share.take(weight)
        try:
            await self._budget.take(weight)
        except asyncio.CancelledError:
            share.give_back(weight)
            raise

    def _give_back(self, weight: int, peer: str) -> None:
        self._budget.give_back(weight)
        self._budgets[peer].give_back(weight)
        if self._budgets[peer].is_free:
            del self._budgets[peer]

    async def _work(self, received: Received, weight: int, place: Place) -> list[bytes]:
        began = asyncio.get_running_loop().time()
        metrics.IN_FLIGHT.inc()
        try:
            with place.working():
                return await self._handle(received, datetime.now(UTC))
        finally:
            self._give_back(weight, place.peer)
            metrics.IN_FLIGHT.dec()
            metrics.ACKNOWLEDGE_SECONDS.observe(asyncio.get_running_loop().time() - began)

    async def _receive(self, reader: asyncio.StreamReader, place: Place) -> AsyncIterator[Received]:
        framer = Framer(self._limits.frame_bytes)
        clock = asyncio.get_running_loop().time
        began = clock()
        while not framer.exhausted:
            if not framer.inside:
                began = clock()
            try:
                async with asyncio.timeout_at(self._deadline(clock(), began, inside=framer.inside)):
                    data = await reader.read(_CHUNK)
            except TimeoutError:
                break
            if not data:
                break
            whole = framer.feed(data)
            place.hear(framer.held)
            for received in whole:
                yield received
        for received in framer.close():
            yield received

    def _deadline(self, now: float, began: float, *, inside: bool) -> float:
        if not inside:
            return now + self._limits.idle
        return min(now + self._limits.gap, began + self._limits.frame)

    async def _answer(
        self, answers: "asyncio.Queue[asyncio.Task[list[bytes]] | None]", writer: asyncio.StreamWriter
    ) -> None:
        """Answers in the order of the frames. A sender that is gone or does not read gets none; its frames are kept."""
        reachable = True
        while (task := await answers.get()) is not None:
            frames = await task
            if not reachable:
                continue
            try:
                writer.write(b"".join(frames))
                await self._delivered(writer)
            except (OSError, TimeoutError) as error:
                log.info("answer not delivered: %s", type(error).__name__)
                reachable = False
                writer.transport.abort()

    async def _delivered(self, writer: asyncio.StreamWriter) -> None:
        """Wait for room where a sender has not taken what was written; nearly all have."""
        if writer.transport.is_closing() or writer.transport.get_write_buffer_size():
            async with asyncio.timeout(self._limits.answer):
                await writer.drain()

    async def _finish(
        self,
        answers: "asyncio.Queue[asyncio.Task[list[bytes]] | None]",
        answering: "asyncio.Task[None]",
        writer: asyncio.StreamWriter,
    ) -> None:
        await answers.put(None)
        await answering
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._limits.answer):
                await writer.wait_closed()


def _peer_of(writer: asyncio.StreamWriter) -> str:
    """The subject of the peer's certificate where it has shown one, else its address."""
    certificate = writer.get_extra_info("peercert")
    if certificate:
        return str(certificate.get("subject", ""))
    address = writer.get_extra_info("peername")
    return str(address[0]) if address else ""
