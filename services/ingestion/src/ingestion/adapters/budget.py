"""A bound on the bytes in flight over all connections: who comes when it is used up waits, and TCP slows the sender."""

import asyncio
from collections import deque


class Budget:
    """First come, first served. One piece larger than the whole budget goes through alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, amount: int) -> None:
        """Wait until the amount fits."""
        if not self._waiting and self._fits(amount):
            self._used += amount
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(amount)
            raise

    def give_back(self, amount: int) -> None:
        """What was taken is free again."""
        self._used -= amount
        while self._waiting and self._fits(self._waiting[0][0]):
            waiting, turn = self._waiting.popleft()
            if not turn.done():
                self._used += waiting
                turn.set_result(None)

    @property
    def is_free(self) -> bool:
        """Whether nothing is taken and nobody waits."""
        return self._used == 0 and not self._waiting

    def _fits(self, amount: int) -> bool:
        return self._used == 0 or self._used + amount <= self._size
