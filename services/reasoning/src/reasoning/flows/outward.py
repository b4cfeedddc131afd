"""Tells another system of concerns, state by state in their order.

Guarantees: a state that is kept is told, whoever is killed when, and where that happens between sending and noting it,
again under the same id. What the receiver refuses is kept as a dead letter, and the next one is sent; so is what it
answers again and again without taking it. Where no answer comes, everything waits.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import NoReturn

from contracts.errors import PermanentError, UnavailableError
from eventbus.delivery import place_of
from eventbus.retry import until_available

from reasoning import metrics
from reasoning.adapters import postgres_outward as rows
from reasoning.adapters.postgres import Store
from reasoning.adapters.postgres_outward import Waiting
from reasoning.adapters.receiver import NotTakenError, Receiver
from reasoning.domain.outward import Addressee, control_id, leaves, message

log = logging.getLogger("reasoning.outward")

# How often to look whether something waits.
IDLE = 0.5
# How often one state may be answered and not taken: about a minute, in which the others wait.
MOST_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Teller:
    """One receiver."""

    store: Store
    receiver: Receiver
    to: Addressee

    async def run(self) -> NoReturn:
        """For the life of the process; while the receiver is away, with growing pauses."""
        while True:
            if not await until_available(self.step):
                await asyncio.sleep(IDLE)

    async def step(self) -> bool:
        """Tell the state that waits the longest; False where none does. UnavailableError: it is to be told again."""
        passes: NotTakenError | None = None
        async with self.store.connection() as conn, conn.transaction():
            waiting = await rows.first(conn)
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
