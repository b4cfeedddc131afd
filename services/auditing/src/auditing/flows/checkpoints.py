"""Brings out a checkpoint when one is due, for the life of the process; what cannot be reached is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from eventbus.retry import until_available, until_set


async def publish_checkpoints(
    fill: Callable[[], Awaitable[None]], publish: Callable[[], Awaitable[None]], due: asyncio.Event, seconds: float
) -> NoReturn:
    """Fill what the bucket lacks; then publish when `due` is set, and after so many seconds at the latest."""
    await until_available(fill)
    while True:
        due.clear()
        await until_available(publish)
        await until_set(due, seconds)
