"""Another system that is told of concerns, over MLLP: one message at a time, each with its acknowledgement."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

from contracts.errors import PermanentError, UnavailableError
from contracts.mllp import ACCEPTED, MAX_ANSWER_BYTES, Answer, acknowledgement, frame, read_frame

# Of connecting, and of an answer.
SECONDS = 10.0
# ERR-3 (HL7 table 0357): records that are locked, and errors of the application itself, pass.
_PASSING = frozenset({"206", "207"})


class NotTakenError(UnavailableError):
    """It answered, and took nothing: with a condition that passes, or it is not known what it speaks of."""

    def __init__(self, reason: str) -> None:
        super().__init__("the receiver of concerns did not take a message; it is sent again")
        self.reason = reason


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Receiver:
    """One connection, opened when it is needed and kept. `authority`: verifies it, for MLLP over TLS."""

    def __init__(self, endpoint: str, authority: Path | None) -> None:
        host, _, port = endpoint.rpartition(":")
        self._address = (host, int(port))
        self._tls = ssl.create_default_context(cafile=authority) if authority else None
        self._streams: Streams | None = None
        self._turn = asyncio.Lock()

    async def send(self, message: bytes, control_id: str) -> None:
        """Return when it was taken (AA, CA). UnavailableError where it cannot be reached or says nothing in ten
        seconds; NotTakenError where what it says may pass; PermanentError (`refused-AE` ...) where it refuses the
        message.
        """
        async with self._turn:
            answer = await self._exchange(message)
        if answer.code in ACCEPTED and answer.control_id == control_id:
            return
        reason = f"refused-{answer.code if answer.code in {'AE', 'AR', 'CE', 'CR'} else 'unreadable'}"
        # An answer to another message, or none that can be read: what became of this one is not known.
        if answer.control_id != control_id or answer.condition in _PASSING:
            await self.close()
            raise NotTakenError(reason)
        raise PermanentError(reason)

    async def close(self) -> None:
        """The next message opens another connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError):
                await streams[1].wait_closed()

    async def _exchange(self, message: bytes) -> Answer:
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await self._connection()
                writer.write(frame(message))
                await writer.drain()
                return acknowledgement(await read_frame(reader))
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise UnavailableError("the receiver of concerns cannot be reached, or says nothing") from error

    async def _connection(self) -> Streams:
        if self._streams is None or self._streams[1].is_closing() or self._streams[0].at_eof():
            await self.close()
            host, port = self._address
            self._streams = await asyncio.open_connection(host, port, limit=MAX_ANSWER_BYTES, ssl=self._tls)
        return self._streams
