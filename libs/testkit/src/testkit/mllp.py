"""A plain MLLP client: sends any bytes, frames or not, and reads what comes back.

It interprets nothing, so that a test can say exactly what crosses the wire.
"""

import asyncio
from typing import Self

START = b"\x0b"
END = b"\x1c\r"


def frame(message: bytes) -> bytes:
    """The message between start block and end block."""
    return START + message + END


class MllpClient:
    """One connection. `async with MllpClient("127.0.0.1:2575") as client: ack = await client.send(message)`."""

    def __init__(self, endpoint: str, *, timeout_s: float = 20.0) -> None:
        """`timeout_s` bounds each reading; TimeoutError after it."""
        host, _, port = endpoint.rpartition(":")
        self._address = (host, int(port))
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(*self._address, limit=2**26)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close, waiting for nothing."""
        self._writer.transport.abort()

    async def send(self, message: bytes) -> bytes:
        """Send one message in a frame and return the acknowledgement without its frame."""
        await self.write(frame(message))
        return await self.read()

    async def write(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(raw)
        await self._writer.drain()

    async def read(self) -> bytes:
        """The next framed message from the other side; IncompleteReadError when it closes before its end."""
        async with asyncio.timeout(self._timeout_s):
            framed = await self._reader.readuntil(END)
        return framed.removeprefix(START).removesuffix(END)

    async def closed_by_peer(self) -> bool:
        """Whether the other side closes without saying anything more."""
        async with asyncio.timeout(self._timeout_s):
            return await self._reader.read(1) == b""
