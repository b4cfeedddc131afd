"""Looks at records before anybody asks: what changed in one makes its concerns open, change and resolve.

Guarantees: a record that is wanted is looked at, whoever is killed when; a state has its event in the transaction that
keeps it. What is kept is of the newest reading. A record that cannot be looked at holds up no other: those that wait
are read side by side and kept in one transaction, and where that fails each is looked at alone. Where more wait than
are looked at together, what may interrupt somebody comes first.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn

from consult import Record, Timeline
from consult.dangers import Danger, dangers, pressing
from consult.surveillance import Change, Changed, compare, is_open
from contracts.errors import InvalidInputError, NotFoundError, UnavailableError
from contracts.identifiers import event_id, format_patient
from eventbus import Outbox, stage
from eventbus.delivery import place_of
from eventbus.retry import until_available, until_set
from knowledge import Knowledge
from longitude.record.v1.context_pb2 import Context

from reasoning import metrics
from reasoning.adapters import postgres_concerns as rows
from reasoning.adapters import postgres_outward
from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import Store
from reasoning.adapters.postgres_concerns import Claimed, Connection, Reading, Why
from reasoning.flows.announcements import changed_events, state_of

log = logging.getLogger("reasoning.watching")

# How often to look whether another replica took up a wish, and how long reading and looking at one record may take.
IDLE = 1.0
RECORD_SECONDS = 45.0
# Records that are looked at together, and how long they may take.
TOGETHER, TOGETHER_SECONDS = 16, 5.0

# Dangers (`Danger.name`).
Names = Collection[tuple[str, str]]
# Who was not looked at, and why.
Failed = tuple[Claimed, Exception]


class _TogetherError(Exception):
    """Several could not be looked at together. `first`: how they were looked at, as each alone is."""

    def __init__(self, cause: Exception, *, first: bool) -> None:
        self.cause, self.first = cause, first


def _together(error: Exception, *, first: bool) -> Exception:
    """What passes by itself as it is."""
    return error if isinstance(error, UnavailableError) else _TogetherError(error, first=first)


@dataclass(frozen=True, slots=True)
class _Read:
    claimed: Claimed
    reading: Reading
    timeline: Timeline

    @property
    def person(self) -> str:
        return self.reading.person


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
        """For the life of the process: wishes first, the oldest first; where there is none, what waits behind them, and
        then what was not read today.
        """
        while True:
            if await until_available(self.step):
                continue
            if await until_available(partial(self.step, Why.WAITS)):
                continue
            if await until_available(self.step_of_the_day):
                continue
            await until_set(self._asked, IDLE)
            self._asked.clear()

    async def step_of_the_day(self) -> bool:
        """Look at some that were last read on another day: what is due needs no news. As long a pause again."""
        began = asyncio.get_running_loop().time()
        looked = await self.step(Why.OLD)
        if looked:
            await asyncio.sleep(asyncio.get_running_loop().time() - began)
        return looked

    async def step(self, why: Why = Why.WANTED) -> bool:
        """Look at several together; where that fails, at each of them alone. False where none is to be looked at."""
        try:
            return await self._some(TOGETHER, why) > 0
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one record's
            cause, first = (error.cause, error.first) if isinstance(error, _TogetherError) else (error, False)
            log.warning("records are looked at one by one: %s at %s", type(cause).__name__, place_of(cause))
        for _ in range(TOGETHER):
            await self._some(1, why, first=first)
        return True

    async def _some(self, most: int, why: Why, *, first: bool = False) -> int:
        """How many were wanted. What passes by itself is raised behind the others, so that the worker waits. `first`:
        of what is new, only what presses; so it is where many wait.
        """
        claimed: list[Claimed] = []
        changed: list[Changed] = []
        failed: list[Failed] = []
        async with self.store.connection() as conn:
            try:
                async with conn.transaction():
                    claimed = await rows.claim(conn, most, why)
                    if not claimed:
                        return 0
                    first = first or (why is Why.WANTED and len(claimed) == TOGETHER)
                    async with asyncio.timeout(RECORD_SECONDS if len(claimed) == 1 else TOGETHER_SECONDS):
                        changed, failed = await self._look(conn, claimed, first=first)
            except Exception as error:  # noqa: BLE001 - of one it is kept, of several raised
                if len(claimed) != 1:
                    raise _together(error, first=first) from None
                changed, failed = [], [(claimed[0], error)]
            for each, raised in failed:
                await self._postpone(conn, each, raised)
        metrics.observe_concerns(each.change.value for each in changed)
        if any(each.change is not Change.REFRESHED for each in changed):
            self.outbox.flush()
        for _, raised in failed:
            if isinstance(raised, UnavailableError):
                raise raised
        return len(claimed)

    async def _look(
        self, conn: Connection, claimed: Sequence[Claimed], *, first: bool
    ) -> tuple[list[Changed], list[Failed]]:
        """What became of their concerns, and who was not looked at. `first`: of what is new, only what presses."""
        failed: list[Failed] = []
        read = await self._read(claimed, failed)
        before = await rows.known(conn, [each.reading for each in read])
        seen: dict[str, tuple[Reading, list[Danger], Names]] = {}
        for each in read:
            standing = [one for one in before[each.person] if is_open(one)]
            passed = frozenset(one.text for one in standing)
            opened = frozenset((one.row, one.subject) for one in standing)
            record = Record(each.timeline, Context(), (), datetime.now(UTC), knowledge=self.knowledge)
            try:
                # A long record takes a while of computing: other requests go on meanwhile.
                listed, waits = await asyncio.to_thread(_dangers, record, passed, opened, first=first)
            except Exception as error:  # noqa: BLE001 - whatever it is, it holds up no other
                failed.append((each.claimed, error))
            else:
                seen[each.person] = replace(each.reading, waits=bool(waits)), listed, waits
        known = await rows.lock(conn, [reading for reading, _, _ in seen.values()])
        at = datetime.now(UTC)
        changed: list[Changed] = []
        for person, own in known.items():
            reading, listed, waits = seen[person]
            home = min(reading.identifiers, key=format_patient)
            changed += compare(own, listed, home, at, self.most, waits)
        await rows.keep(conn, [each.concern for each in changed])
        events = changed_events(sorted(changed, key=lambda each: each.concern.urgency), at)
        if events:
            await stage(conn, event_id("concerns", events[0].id), events)
            if self.tells:
                await postgres_outward.queue(conn, map(state_of, events))
        return changed, failed

    async def _read(self, claimed: Sequence[Claimed], failed: list[Failed]) -> list[_Read]:
        """Their records, each person's once: who has another number among these is served with it."""
        answers = await asyncio.gather(
            *(self.memory.timeline(each.patient) for each in claimed), return_exceptions=True
        )
        read: list[_Read] = []
        taken: set[tuple[str, str]] = set()
        for each, answer in zip(claimed, answers, strict=True):
            if isinstance(answer, Exception):
                failed.append((each, answer))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                names = {(one.id, one.authority) for one in answer.identifiers}
                if taken.isdisjoint(names):
                    read.append(_Read(each, Reading(answer.identifiers, each.read_at), answer))
                taken |= names
        return read

    async def _postpone(self, conn: Connection, claimed: Claimed, error: Exception) -> None:
        """What passes by itself is tried again soon, behind others. What does not is named without anything of the
        patient: memory does not know them, or a bug.
        """
        if isinstance(error, UnavailableError):
            await rows.postpone(conn, claimed)
            return
        log.error("a record was not looked at: %s at %s", type(error).__name__, place_of(error))
        metrics.CONCERN_FAILURES.inc()
        is_final = isinstance(error, NotFoundError | InvalidInputError)
        await rows.postpone(conn, claimed, grows=True, served=is_final)


def _dangers(record: Record, passed: Collection[str], opened: Names, *, first: bool) -> tuple[list[Danger], Names]:
    """What is dangerous, and what of it is judged later."""
    return pressing(record, passed, opened) if first else (dangers(record, passed), ())
