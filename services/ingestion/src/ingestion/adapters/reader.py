"""Reads messages: short ones here, long ones in a process of its own, with bounds of memory and time.

A long message can be made to take hours or gigabytes (escape sequences that become a thousand lines each), and whatever
it takes, other senders are answered meanwhile. What kills the process is a message that is refused.
"""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestion.domain.reading import Feed, Reading, read
from ingestion.domain.refusal import Condition, RefusedError, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    # The process itself loads the reader and nothing else of the service.
    from servicekit.bounded import Bounds, Workers

TOO_MUCH = "reading the message takes more memory or time than this listener gives"


@dataclass(frozen=True, slots=True)
class Reader:
    """RefusedError for a message that is not taken."""

    feed: Feed
    _workers: Workers
    _here: int
    """Bytes of the longest message that is read in this process."""

    @classmethod
    @asynccontextmanager
    async def running(cls, feed: Feed, bounds: Bounds, most: int, here: int) -> AsyncIterator[Reader]:
        """`most`: long messages that are read at the same time."""
        from servicekit.bounded import Workers  # noqa: PLC0415 - see above

        async with Workers.running([__name__], bounds, most) as workers:
            yield cls(feed, workers, here)

    async def read(self, payload: bytes, received_at: datetime) -> Reading:
        """UnavailableError when there is no process to read a long message."""
        if len(payload) <= self._here:
            return read(payload, received_at, self.feed)
        from servicekit.bounded import WorkKilledError  # noqa: PLC0415 - see above

        try:
            answer = await self._workers.run(f"{__name__}:work", pickle.dumps((received_at, self.feed)), payload)
        except WorkKilledError:
            raise RefusedError(Condition.APPLICATION_ERROR, TOO_MUCH, None, Verdict.ERROR) from None
        # Written by `work`: no native code has seen the message there, only this service's reader.
        result = pickle.loads(answer)  # noqa: S301
        if isinstance(result, Reading):
            return result
        raise RefusedError(*result)


def work(context: bytes, payload: bytes) -> bytes:
    """The work: a reading, or what a refusal is made from."""
    received_at, feed = pickle.loads(context)  # noqa: S301 - written by `Reader`
    try:
        return pickle.dumps(read(payload, received_at, feed))
    except RefusedError as error:
        return pickle.dumps((error.condition, error.text, error.location, error.verdict))
