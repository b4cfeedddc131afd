"""Work of one key goes one after another in the order of asking; work of different keys goes side by side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """One queue for each key in use; nothing is kept for keys at rest."""

    def __init__(self) -> None:
        self._last: dict[bytes, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def turn(self, key: bytes) -> AsyncIterator[None]:
        """Wait for everyone who asked for this key before. The empty key waits for nobody."""
        if not key:
            yield
            return
        before = self._last.get(key)
        mine = asyncio.get_running_loop().create_future()
        self._last[key] = mine
        try:
            if before is not None:
                await asyncio.shield(before)
            yield
        finally:
            mine.set_result(None)
            if self._last.get(key) is mine:
                del self._last[key]
