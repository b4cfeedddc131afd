"""Sending HL7 messages over MLLP: framing, a bound on what is unanswered, and the code of each answer.

Nothing is retried: an answer that does not come is counted as such, and the sender decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from contracts.mllp import ACCEPTED, MAX_ANSWER_BYTES, Answer, acknowledgement, frame, read_frame

from client.errors import UnreachableError

__all__ = ["ACCEPTED", "UNANSWERED", "Answer", "Sender", "connect"]

UNANSWERED = "unanswered"


class Sender:
    """One connection. Messages leave in order, at most `window` of them unanswered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, window: int, seconds: float) -> None:
        self._reader = reader
        self._writer = writer
        self._window = asyncio.Semaphore(window)
        self._seconds = seconds

    async def send(self, messages: Iterable[bytes], *, rate: float = 0.0) -> AsyncIterator[Answer]:
        """Answers in the order of the messages; `rate` bounds messages per second (0: no bound).

        When the connection breaks, every message without an answer is answered `unanswered`.
        """
        waiting = list(messages)
        writing = asyncio.create_task(self._write(waiting, rate))
        answered = 0
        try:
            while answered < len(waiting):
                answer = await self._read()
                self._window.release()
                answered += 1
                yield acknowledgement(answer)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            for _ in range(answered, len(waiting)):
                yield Answer(UNANSWERED, "", "")
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await writing

    async def _write(self, messages: list[bytes], rate: float) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        for number, message in enumerate(messages):
            await self._window.acquire()
            if rate:
                await asyncio.sleep(max(0.0, started + number / rate - clock()))
            self._writer.write(frame(message))
            await self._writer.drain()

    async def _read(self) -> bytes:
        async with asyncio.timeout(self._seconds):
            return await read_frame(self._reader)


@asynccontextmanager
async def connect(endpoint: str, *, window: int = 1, seconds: float = 30.0) -> AsyncIterator[Sender]:
    """A sender; `seconds` is the longest wait for an answer. UnreachableError when nothing listens."""
    host, _, port = endpoint.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port), limit=MAX_ANSWER_BYTES)
    except (OSError, ValueError) as error:
        raise UnreachableError(f"nothing listens for MLLP at {endpoint}; is the stack up? (`make status`)") from error
    try:
        yield Sender(reader, writer, window, seconds)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
