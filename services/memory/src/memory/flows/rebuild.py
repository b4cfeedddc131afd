"""Makes another edition of the record from messages that were read again, and makes it the current one.

Guarantees: what was read again is recorded once, whatever comes twice. Everything else that the current edition knows
(what was read from documents and films, and messages that came since) is carried over as it was stated. The new
edition answers from one moment on; what was known before that moment is answered by the edition before, as ever. A
kill at any point changes none of this: a step that was not committed is done again.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn

from consult import times
from contracts.identifiers import event_id
from contracts.topics import RECORD_REBUILT
from eventbus import Outbox, Outgoing, stage
from eventbus.retry import until_available
from longitude.memory.v1.events_pb2 import RecordRebuilt

from memory.adapters.postgres import Connection, Store, editions, views
from memory.adapters.postgres.editions import Exchanged
from memory.domain.updates import Update

log = logging.getLogger("memory.flows.rebuild")

# How often to look whether an edition is whole, in seconds.
IDLE = 1.0
# Events that one transaction carries over.
BATCH = 100
# The partition key of announcements: one after the other.
KEY = b"editions"


async def reread(
    store: Store, conn: Connection, rereading_id: str, updates: Mapping[str, Update | None], messages: int, refused: int
) -> None:
    """Record messages that were read again, by the ids of their first reading; None: nothing of it enters the record.

    `messages`: of how many records that is the reading, `refused` of them refused. Inside the caller's transaction.
    """
    number = await editions.making(conn, rereading_id)
    if number is None:
        return
    said = {id_: update for id_, update in updates.items() if update is not None}
    async with editions.entered(conn, number):
        await _record(store, conn, said)
        await editions.mark(conn, updates, carried=False)
    await editions.count(conn, number, messages, refused)


async def expect(conn: Connection, rereading_id: str, messages: int) -> None:
    """Every message was read again: so many are to be recorded."""
    number = await editions.making(conn, rereading_id)
    if number is not None:
        await editions.expect(conn, number, messages)


class Rebuild:
    """Brings editions that are whole into use, one after the other."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    async def run(self) -> NoReturn:
        """For the life of the process."""
        while True:
            if not await until_available(self.step):
                await asyncio.sleep(IDLE)

    async def step(self) -> bool:
        """Bring an edition into use; False when none is whole."""
        async with self._store.connection() as conn:
            number = await editions.whole(conn)
        if number is None:
            return False
        while await self._carry(number) > BATCH:
            pass
        await self._exchange(number)
        self._outbox.flush()
        return True

    async def _carry(self, number: int) -> int:
        """Carry over what is left, beside those who write; how many events."""
        carried = 0
        batch: dict[str, Update] = {}
        async with self._store.connection() as reader, reader.transaction(), views.working(reader, "rebuild"):
            async for id_, update in editions.left(reader, number):
                batch[id_] = update
                if len(batch) == BATCH:
                    carried += await self._carry_batch(number, batch)
                    batch = {}
        return carried + await self._carry_batch(number, batch)

    async def _carry_batch(self, number: int, batch: Mapping[str, Update]) -> int:
        async with self._store.connection() as conn, conn.transaction():
            await _carry_into(self._store, conn, number, batch)
        return len(batch)

    async def _exchange(self, number: int) -> None:
        async with self._store.connection() as conn, conn.transaction():
            edition = await editions.locked(conn, number)
            if edition.current_from is not None:
                return
            await editions.claim(conn, number)
            await editions.stop_all(conn)
            async with views.working(conn, "rebuild"):
                last = {id_: update async for id_, update in editions.left(conn, number)}
                await _carry_into(self._store, conn, number, last)
                exchanged = await editions.exchange(conn, number)
            await stage(conn, event_id("record-rebuilt", edition.rereading_id), [_rebuilt(edition, exchanged)])
        log.info("another edition is current", extra={"edition": number})


async def _carry_into(store: Store, conn: Connection, number: int, batch: Mapping[str, Update]) -> None:
    async with editions.entered(conn, number):
        await _record(store, conn, batch)
        await editions.mark(conn, batch, carried=True)


async def _record(store: Store, conn: Connection, updates: Mapping[str, Update]) -> None:
    if updates:
        await store.record(conn, updates)


def _rebuilt(edition: editions.Edition, exchanged: Exchanged) -> Outgoing:
    payload = RecordRebuilt(
        edition=edition.number,
        rereading_id=edition.rereading_id,
        current_from=times.stamp(exchanged.current_from),
        facts_before=exchanged.facts_before,
        facts_after=exchanged.facts_after,
        messages=edition.messages,
        refused=edition.refused,
    )
    identifier = event_id("record-rebuilt", edition.rereading_id)
    return Outgoing(RECORD_REBUILT, identifier, KEY, payload, datetime.now(UTC))
