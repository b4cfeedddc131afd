"""A text that is still being written, as it comes from a pipe.

Guarantee: what was written is handed on at once and whole, whatever piece a character was cut in; a text that is not
UTF-8, or a document of another format, is a ClientError.
"""

from __future__ import annotations

import asyncio
import codecs
import os
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from threading import Thread

from client.documents import MOST_BYTES, is_text
from client.errors import ClientError

_PIECE = 65_536
# Bytes from which on it is known what a text is that began so.
_KNOWN = 512


class Followed:
    """The pieces of a text, and all that came so far."""

    def __init__(self, came: AsyncIterable[str]) -> None:
        self._came = came
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return "".join(self._parts)

    async def __aiter__(self) -> AsyncIterator[str]:
        async for part in self._came:
            self._parts.append(part)
            yield part


async def texts(descriptor: int) -> AsyncIterator[str]:
    """What is written to a pipe or file, decoded, until its end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    beginning = b""
    async for data in _pieces(descriptor):
        if len(beginning) < _KNOWN:
            beginning += data
            if not is_text(beginning):
                raise ClientError("--follow takes plain text and Markdown; give another document as FILE")
        try:
            yield decoder.decode(data, final=not data)
        except UnicodeDecodeError:
            raise ClientError("standard input: not a text in UTF-8") from None


async def _pieces(descriptor: int) -> AsyncIterator[bytes]:
    """The pieces as they come; the last is empty. A thread reads, since any file can be standard input; it is no reason
    for the process to stay.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        data, left = b"-", MOST_BYTES
        # The loop closes where nobody waits for the rest.
        with suppress(RuntimeError):
            # What is longer was refused before.
            while data and left > 0:
                data = os.read(descriptor, _PIECE)
                left -= len(data)
                loop.call_soon_threadsafe(came.put_nowait, data)

    Thread(target=read, daemon=True).start()
    while True:
        data = await came.get()
        yield data
        if not data:
            return
