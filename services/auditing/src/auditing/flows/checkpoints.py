"""Brings out a checkpoint when one is due, for the life of the process; what cannot be reached is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from eventbus.retry import until_available


async def publish_checkpoints(publish: Callable[[], Awaitable[None]], due: asyncio.Event, seconds: float) -> NoReturn:
    """Publish when `due` is set, and after so many seconds at the latest."""
    while True:
        due.clear()
        await until_available(publish)
        try:
            async with asyncio.timeout(seconds):
                await due.wait()
        except TimeoutError:
            continue
