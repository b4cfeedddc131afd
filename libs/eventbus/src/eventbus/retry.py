"""Waiting for what is away: the one retry of the platform, with a bounded, growing and jittered pause."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.errors import UnavailableError

log = logging.getLogger("eventbus")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between attempts, in seconds."""

    first: float = 0.1
    longest: float = 5.0

    def delay(self, attempt: int) -> float:
        """After so many failed attempts: exponential, with full jitter on its upper half."""
        ceiling = min(self.longest, self.first * 2.0 ** min(attempt - 1, 16))
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


BACKOFF = Backoff()


async def until_available(
    action: Callable[[], Awaitable[T]],
    backoff: Backoff = BACKOFF,
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    where: Mapping[str, Any] | None = None,
) -> T:
    """The action's result; it is tried again, for ever, while it ends in an UnavailableError.

    `pause` waits between attempts and may raise to give up. `where` goes to the log with each failed attempt.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await action()
        except UnavailableError as error:
            log.warning("waiting: %s", error, extra={**(where or {}), "attempt": attempt})
        await pause(backoff.delay(attempt))


async def until_set(event: asyncio.Event, seconds: float) -> bool:
    """Return when it is set, after so many seconds at the latest; whether it is. It stays as it is."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
