"""Publishes what was stored and is not yet published: at once after a command, and by a sweep that a kill cannot stop.

Guarantee: an event that was stored is published, in the order of storing per command, as often as it takes; its id is
the same every time.
"""

import asyncio
import logging

from eventbus import EventBus, TransientError
from servicekit.errors import UnavailableError

from reasoning.adapters.postgres import Store

log = logging.getLogger("reasoning")

SWEEP_SECONDS = 2.0


class Outbox:
    """One per process; other replicas wait their turn in the database."""

    def __init__(self, store: Store, bus: EventBus) -> None:
        self._store = store
        self._bus = bus
        self._asked = asyncio.Event()

    def flush(self) -> None:
        """Publish soon: something was just stored."""
        self._asked.set()

    async def run(self) -> None:
        """For the life of the process: what an earlier life left behind comes first."""
        while True:
            try:
                await self._publish()
            except (TransientError, UnavailableError) as error:
                log.warning("events wait: %s", error)
                await asyncio.sleep(SWEEP_SECONDS)
                continue
            await self._wait()

    async def _publish(self) -> None:
        async with self._store.unpublished() as waiting:
            for outgoing in (each for events in waiting.values() for each in events):
                await self._bus.publish(outgoing)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(SWEEP_SECONDS):
                await self._asked.wait()
        except TimeoutError:
            return
        finally:
            self._asked.clear()
