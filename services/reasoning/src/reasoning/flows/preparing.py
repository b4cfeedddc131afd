"""Writes briefs and summaries before they are asked for, and opens one to whom it was written for.

Guarantees: what is opened is of the very state of the record that the caller would read, of this day, by this version
of rules and rows, and of a view that has exactly what is open to them; anything else is made anew. A record that is
wanted is looked at, whoever is killed when.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from consult import Identity, Record, SignedAssessment, Timeline, conclude, prepare_form
from consult.rules import CITED_PASSAGES
from consult.visits import passages, title
from contracts.errors import InvalidInputError, NotFoundError, UnavailableError
from eventbus.delivery import place_of
from eventbus.retry import until_available, until_set
from harness import NO_MODEL
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.reasoning_service_pb2 import AskRequest
from longitude.record.v1.context_pb2 import Context, Passage

from reasoning import metrics
from reasoning.adapters import postgres_prepared as rows
from reasoning.adapters.postgres_prepared import Claimed, Connection, Ready
from reasoning.domain.occasions import Agenda, Occasion, agenda
from reasoning.domain.open_to import View, views
from reasoning.flows.consultation import last_signed
from reasoning.flows.parts import Parts

log = logging.getLogger("reasoning.preparing")

# How often to look whether somebody is due, how long one look may take, and how long passages are good for many.
IDLE, LOOK_SECONDS, PASSAGE_SECONDS = 1.0, 45.0, 60.0


@dataclass(slots=True)
class Preparation:
    """`lead`: how long before a planned visit its brief is ready; `specialty`: whose summary a discharge is written as,
    empty for none.
    """

    parts: Parts
    lead: timedelta
    specialty: str
    _asked: asyncio.Event = field(default_factory=asyncio.Event)
    _passages: tuple[Passage, ...] = ()
    _passages_until: float = 0.0

    async def begin(self) -> None:
        """Rules and rows may be others than those of the process before: what others wrote is written again."""
        async with self.parts.store.connection() as conn:
            await rows.others_changed(conn, self.parts.version)

    def wake(self) -> None:
        """Somebody is due."""
        self._asked.set()

    async def run(self) -> NoReturn:
        """For the life of the process: whoever is due the longest first. As long a pause behind each look: concerns,
        and what somebody waits for, come first.
        """
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            if await until_available(self.step):
                await asyncio.sleep(clock() - began)
            else:
                await until_set(self._asked, IDLE)
                self._asked.clear()

    async def step(self) -> bool:
        """Look at one who is due; False when nobody is."""
        claimed: Claimed | None = None
        async with self.parts.store.connection() as conn:
            try:
                async with conn.transaction():
                    claimed = await rows.claim(conn)
                    if claimed is None:
                        return False
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._look(conn, claimed)
            except Exception as error:
                if claimed is None:
                    raise
                await self._postpone(conn, claimed, error)
        return True

    async def _look(self, conn: Connection, claimed: Claimed) -> None:
        timeline = await self.parts.memory.timeline(claimed.patient)
        known = agenda(timeline.facts, datetime.now(UTC), self.lead)
        ready = await self._written(timeline, known)
        changed_at = timeline.changed_at or claimed.read_at
        version = self.parts.version
        await rows.keep(conn, timeline.identifiers, ready, claimed.read_at, changed_at, known.next_at, version)
        for each in ready:
            metrics.PREPARED.labels(wire.Form.Name(each.assessment.form).removeprefix("FORM_").lower()).inc()

    async def _written(self, timeline: Timeline, known: Agenda) -> list[Ready]:
        """Each form of the agenda for each view of the record."""
        wanted = [one for one in known.occasions if one.form != wire.FORM_SUMMARY or self.specialty]
        if not wanted:
            return []
        cited, signed = await self._cited(), await last_signed(timeline.identifiers, self.parts)
        # A long record takes a while of computing: other requests go on meanwhile.
        return [
            await asyncio.to_thread(self._write, view, one, cited, signed) for view in views(timeline) for one in wanted
        ]

    def _write(
        self, view: View, occasion: Occasion, cited: tuple[Passage, ...], signed: SignedAssessment | None
    ) -> Ready:
        knowledge = self.parts.knowledge
        record = Record(view.timeline, Context(), cited, datetime.now(UTC), signed, knowledge=knowledge)
        specialty = self.specialty if occasion.form == wire.FORM_SUMMARY else ""
        prepared = prepare_form(occasion.form, specialty, record, Identity.of(""))
        run = prepared.begin(NO_MODEL, self.parts.tokenizer)
        run.start(at=datetime.now(UTC))
        home = rows.home_of(record.timeline.identifiers)
        made = conclude(prepared, run, home, NO_MODEL, datetime.now(UTC))
        return Ready(view.closed, occasion.kind, occasion.at, made.assessment, made.object)

    async def _cited(self) -> tuple[Passage, ...]:
        """The passages that rules quote: those of everybody."""
        now = asyncio.get_running_loop().time()
        if now >= self._passages_until:
            self._passages = await self.parts.memory.passages({**CITED_PASSAGES, **passages()})
            self._passages_until = now + PASSAGE_SECONDS
        return self._passages

    async def _postpone(self, conn: Connection, claimed: Claimed, error: Exception) -> None:
        """What passes by itself is raised again, so that the worker waits. What does not is named without anything of
        the patient.
        """
        if isinstance(error, NotFoundError | InvalidInputError):
            await rows.forget(conn, claimed)
            return
        await rows.postpone(conn, claimed)
        if isinstance(error, UnavailableError):
            raise error
        log.error("a record was not looked at for its visits: %s at %s", type(error).__name__, place_of(error))
        metrics.PREPARATION_FAILURES.inc()


async def opened(request: AskRequest, parts: Parts) -> tuple[wire.Assessment, bytes] | None:
    """What is ready for this request and this caller, with its episode; None where it is to be made anew."""
    view = await parts.memory.view(request.patient)
    async with parts.store.connection() as conn:
        ready = await rows.fresh(conn, view.identifiers, request.form, view.left_out, view.changed_at, parts.version)
    # What could not be given then may be there now.
    if ready is None or ready[0].degraded or ready[0].question != title(request.form, request.specialty):
        return None
    return ready
