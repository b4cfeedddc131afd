"""Tells another system of concerns, state by state in their order.

Guarantees: a state that is kept is told, whoever is killed when, and where that happens between sending and noting it,
again under the same id. What the receiver refuses is kept as a dead letter, and the next one is sent; so is what it
answers again and again without taking it. Where no answer comes, everything waits. What became of concerns while
nobody was told is told afterwards: of each the state in which it is, once, unless that was told or refused.
"""

import asyncio
import logging
import uuid
from dataclasses import dataclass
from datetime import UTC
from typing import NoReturn

from consult.surveillance import is_open
from contracts.errors import PermanentError, UnavailableError
from eventbus.delivery import place_of
from eventbus.retry import until_available
from longitude.reasoning.v1.concern_pb2 import Concern

from reasoning import metrics
from reasoning.adapters import postgres_outward as rows
from reasoning.adapters.postgres import Store
from reasoning.adapters.postgres_outward import State, Waiting
from reasoning.adapters.receiver import NotTakenError, Receiver
from reasoning.domain.outward import Addressee, control_id, leaves, message, untold
from reasoning.flows.announcements import state_id

log = logging.getLogger("reasoning.outward")

# How often to look whether something waits.
IDLE = 0.5
# How often one state may be answered and not taken: about a minute, in which the others wait.
MOST_ATTEMPTS = 20
# Concerns that are compared with what was told at a time, and how often all are: another process may not tell.
TOGETHER, COMPARED_SECONDS = 200, 3600.0
_START = str(uuid.UUID(int=0))


@dataclass(slots=True)
class Teller:
    """One receiver."""

    store: Store
    receiver: Receiver
    to: Addressee
    # Behind which concern to go on comparing; None: all were compared, and are again from a time on.
    _after: str | None = _START
    _compared_until: float = 0.0

    async def run(self) -> NoReturn:
        """For the life of the process; while the receiver is away, with growing pauses."""
        while True:
            if not (await until_available(self.step) or await until_available(self.compare)):
                await asyncio.sleep(IDLE)

    async def step(self) -> bool:
        """Tell the state that waits the longest; False where none does. UnavailableError: it is to be told again."""
        passes: NotTakenError | None = None
        async with self.store.connection() as conn, conn.transaction():
            waiting = await rows.first(conn) if await rows.turn(conn) else None
            metrics.CONCERN_WAITS_SINCE.set(waiting.at.timestamp() if waiting else 0)
            if waiting is None:
                return False
            sent = await rows.last(conn, waiting.concern.concern_id)
            is_due = leaves(waiting.concern, sent, self.to)
            refused = ""
            try:
                refused = await self._refusal(waiting, again=sent > 0) if is_due else ""
            except NotTakenError as error:
                passes = error
            if passes:
                await rows.not_taken(conn, waiting)
            elif refused:
                await rows.refuse(conn, waiting, refused)
            else:
                await rows.done(conn, waiting, taken=is_due)
        if passes:
            raise passes
        if is_due:
            metrics.CONCERNS_TOLD.labels(refused or "taken").inc()
        return True

    async def compare(self) -> bool:
        """Let some more wait that were not told as they are, while nothing else waits; False where there is no need."""
        clock = asyncio.get_running_loop().time
        if self._after is None and clock() < self._compared_until:
            return False
        async with self.store.connection() as conn, conn.transaction():
            if not await rows.turn(conn) or await rows.first(conn) is not None:
                return False
            some, after = await rows.known(conn, self._after or _START, self.to.least, TOGETHER)
            behind = [untold(each.concern, each.acted, each.sent, self.to) for each in some]
            await rows.queue(conn, [_state(each) for each in behind if each is not None])
        self._after, self._compared_until = after, clock() + COMPARED_SECONDS
        return after is not None

    async def _refusal(self, waiting: Waiting, *, again: bool) -> str:
        """Why it was not taken and never will be; empty where it was."""
        try:
            text = message(waiting.concern, waiting.event_id, waiting.at, self.to, again=again)
            await self.receiver.send(text, control_id(waiting.event_id))
        except Exception as error:
            is_last = isinstance(error, NotTakenError) and waiting.attempts + 1 >= MOST_ATTEMPTS
            if isinstance(error, UnavailableError) and not is_last:
                raise
            # A bug is a dead letter too, and the next one is sent.
            reason = error.reason if isinstance(error, PermanentError | NotTakenError) else "bug"
            where = {"event_id": waiting.event_id}
            log.error("a concern was not told: %s (%s)", reason, place_of(error), extra=where)  # noqa: TRY400 - no text
            return reason
        return ""


def _state(concern: Concern) -> State:
    """Since when it is so."""
    since = concern.changed_at if is_open(concern) else concern.resolved_at
    return State(state_id(concern), concern, since.ToDatetime(tzinfo=UTC))
