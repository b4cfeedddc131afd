"""Looks at records before anybody asks: what changed in one makes its concerns open, change and resolve.

Guarantees: a record that is wanted is looked at, whoever is killed when; a state has its event in the transaction that
keeps it. What is kept is of the newest reading. A record that cannot be looked at holds up no other.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

from consult import Record
from consult.dangers import dangers
from consult.surveillance import Change, Changed, compare, is_open
from contracts.errors import InvalidInputError, NotFoundError, UnavailableError
from contracts.identifiers import event_id, format_patient
from eventbus import Outbox, stage
from eventbus.delivery import place_of
from eventbus.retry import until_available
from knowledge import Knowledge
from longitude.record.v1.context_pb2 import Context

from reasoning import metrics
from reasoning.adapters import postgres_concerns as rows
from reasoning.adapters import postgres_outward
from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import Store
from reasoning.adapters.postgres_concerns import Claimed, Connection
from reasoning.flows.announcements import changed_events

log = logging.getLogger("reasoning.watching")

# How often to look whether another replica took up a wish, and how long reading and looking at one record may take.
IDLE = 1.0
RECORD_SECONDS = 45.0


@dataclass(slots=True)
class Watch:
    """`most`: causes that interrupt on account of one patient and day. `tells`: another system is told."""

    store: Store
    memory: Memory
    knowledge: Knowledge
    outbox: Outbox
    most: int
    tells: bool = False
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """A record is wanted."""
        self._asked.set()

    async def run(self) -> NoReturn:
        """For the life of the process: the oldest wish first; where there is none, what was not read today."""
        while True:
            if await until_available(self.step):
                continue
            if await until_available(self.step_of_the_day):
                continue
            await self._wait()

    async def step(self) -> bool:
        """Look at a record that is wanted; False when none is."""
        return await self._step(old=False)

    async def step_of_the_day(self) -> bool:
        """Look at one that was last read on another day: what is due is due without any news. As long a pause again."""
        began = asyncio.get_running_loop().time()
        looked = await self._step(old=True)
        if looked:
            await asyncio.sleep(asyncio.get_running_loop().time() - began)
        return looked

    async def _step(self, *, old: bool) -> bool:
        claimed: Claimed | None = None
        changed: list[Changed] = []
        async with self.store.connection() as conn:
            try:
                async with conn.transaction():
                    claimed = await rows.claim(conn, old=old)
                    if claimed is None:
                        return False
                    async with asyncio.timeout(RECORD_SECONDS):
                        changed = await self._look(conn, claimed)
            except Exception as error:
                if claimed is None:
                    raise
                await self._postpone(conn, claimed, error)
        metrics.observe_concerns(each.change.value for each in changed)
        if any(each.change is not Change.REFRESHED for each in changed):
            self.outbox.flush()
        return True

    async def _look(self, conn: Connection, claimed: Claimed) -> list[Changed]:
        timeline = await self.memory.timeline(claimed.patient)
        before = await rows.known(conn, timeline.identifiers)
        passed = frozenset(each.text for each in before if is_open(each))
        record = Record(timeline, Context(), (), datetime.now(UTC), knowledge=self.knowledge)
        # A long record takes a while of computing: other requests go on meanwhile.
        seen = await asyncio.to_thread(dangers, record, passed)
        known = await rows.lock(conn, timeline.identifiers, claimed.read_at)
        if known is None:
            return []
        home, at = min(timeline.identifiers, key=format_patient), datetime.now(UTC)
        changed = compare(known, seen, home, at, self.most)
        await rows.keep(conn, [each.concern for each in changed])
        events = changed_events(changed, at)
        if events:
            await stage(conn, event_id("concerns", events[0].id), events)
            if self.tells:
                await postgres_outward.queue(conn, events)
        return changed

    async def _postpone(self, conn: Connection, claimed: Claimed, error: Exception) -> None:
        """What passes by itself is raised again, so that the worker waits, and another record comes first then. What
        does not is named without anything of the patient: memory does not know them, or a bug.
        """
        if isinstance(error, UnavailableError):
            await rows.postpone(conn, claimed)
            raise error
        log.error("a record was not looked at: %s at %s", type(error).__name__, place_of(error))
        metrics.CONCERN_FAILURES.inc()
        is_final = isinstance(error, NotFoundError | InvalidInputError)
        await rows.postpone(conn, claimed, grows=True, served=is_final)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE):
                await self._asked.wait()
        except TimeoutError:
            return
        finally:
            self._asked.clear()
