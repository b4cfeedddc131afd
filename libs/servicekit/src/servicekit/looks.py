"""Looks: every call of an RPC that shows a patient is written down before its answer leaves, refusals too.

`[looks]` of a service's `access.toml` names those RPCs, and where question or answer name the patient:

    GetTimeline = ["patient"]
    GetAssessment = ["assessment_id", "answer.assessment.patient"]
    ListConcerns = ["patient", "answer.concerns.patient"]

Where question and answer name several patients, each is looked at.

Who looks at whom, why and through what is written while the answer is made (table `look`), and committed before it
leaves; how it ended and how much was shown goes out with the event. Guarantee: a look survives a kill at any moment. Of
one whose process was killed, the next life publishes what was written: as shown, without how much. A look that cannot
be written, or finds MOST_WAITING unpublished, is answered UNAVAILABLE, and nothing is shown.
"""

import asyncio
import logging
import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NoReturn, Protocol

from contracts.errors import DeniedError, LongitudeError, PermanentError, UnauthenticatedError, UnavailableError
from contracts.identifiers import SALT_BYTES, patient_partition_key
from contracts.topics import Topic
from eventbus import Outgoing
from eventbus.retry import until_available, until_set
from google.protobuf.message import Message
from longitude.record.v1.fact_pb2 import FactKind, PatientKey
from longitude.record.v1.look_pb2 import (
    LOOK_OUTCOME_FAILED,
    LOOK_OUTCOME_REFUSED,
    LOOK_OUTCOME_SHOWN,
    Look,
    LookOutcome,
)
from psycopg import AsyncConnection

from servicekit.limits import Breadth
from servicekit.principal import Principal, within

log = logging.getLogger("servicekit")

# Looks that wait for the broker: some 40 MB, and hours of a busy ward.
MOST_WAITING = 100_000
# Looks published together, and how long they gather, in seconds.
BATCH = 500
GATHER = 0.2
SWEEP_SECONDS = 2.0
# What was begun and has not ended by then was left by a caller who went, or by a process that was killed.
ABANDONED = timedelta(seconds=15)
# A longer identifier is a stranger's; it is left out of the look.
LONGEST_ID = 255
LONGEST_REASON = 500
MOST_ROLES = 64

# Written again after a connection was lost, it is the same row.
_WRITE = """INSERT INTO look (event_id, key, payload, looked_at)
    SELECT * FROM unnest(%b::uuid[], %b::bytea[], %b::bytea[], %b::timestamptz[]) ON CONFLICT DO NOTHING"""
_COUNT = "SELECT count(*) FROM (SELECT FROM look LIMIT %s) AS waiting"
_ABANDONED = """SELECT event_id::text, key, payload, looked_at FROM look
    WHERE looked_at < clock_timestamp() - %s AND event_id <> ALL(%b::uuid[]) ORDER BY looked_at LIMIT %s"""
_DELETE = "DELETE FROM look WHERE event_id = ANY(%b::uuid[])"

Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]


@dataclass(slots=True)
class Written:
    """A look on its way: its event, what Kafka sorts it by, and when its row is committed."""

    event_id: str
    key: bytes
    look: Look
    committed: asyncio.Future[None]


class Recorder(Protocol):
    """Where looks are written down."""

    def begin(self, look: Look) -> Written:
        """Write it down; UnavailableError when too many wait."""

    async def end(self, written: Written) -> None:
        """Return when it is committed; its event has what the look says now. UnavailableError when it cannot be."""


class Looks:
    """The looks of one service: table `look` of its schema, and the topic whose payload has a field `look`.

    Run `write` and `publish` for the life of the process.
    """

    def __init__(
        self,
        connect: Connect,
        publish: Callable[[Sequence[Outgoing]], Awaitable[None]],
        topic: Topic[Any],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._connect, self._publish, self._topic = connect, publish, topic
        self._most_waiting = most_waiting
        self._begun: list[Written] = []
        self._asked, self._ended = asyncio.Event(), asyncio.Event()
        # Those that ended and wait for the broker, by their events.
        self._ready: dict[str, Written] = {}
        self._waiting = 0

    def begin(self, look: Look) -> Written:
        """Write it down; UnavailableError when too many wait."""
        if self._waiting >= self._most_waiting:
            raise UnavailableError("looks cannot be published (Kafka), and too many wait: nothing is shown; ask again")
        look.looked_at.FromDatetime(datetime.now(UTC))
        committed = asyncio.get_running_loop().create_future()
        written = Written(str(uuid.uuid4()), patient_partition_key(look.patient), look, committed)
        self._begun.append(written)
        self._waiting += 1
        self._asked.set()
        return written

    async def end(self, written: Written) -> None:
        """Return when it is committed; its event has what the look says now. UnavailableError when it cannot be."""
        await written.committed
        self._ready[written.event_id] = written
        self._ended.set()

    async def write(self) -> NoReturn:
        """Commit looks as they come; those that came during a commit share the next one."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            batch, self._begun = self._begun, []
            error = await self._commit(batch)
            for written in batch:
                if written.committed.done():
                    continue
                if error is None:
                    written.committed.set_result(None)
                else:
                    self._waiting -= 1
                    written.committed.set_exception(error)
                    # A caller that went away does not ask.
                    written.committed.exception()

    async def publish(self) -> NoReturn:
        """What an earlier life left behind is found by its age."""
        while True:
            while await until_available(self.sweep) == BATCH:
                pass
            await until_set(self._ended, SWEEP_SECONDS)
            await asyncio.sleep(GATHER)
            self._ended.clear()

    async def sweep(self) -> int:
        """Publish a batch; how many looks it had. UnavailableError when the broker did not take all of it."""
        async with self._connect() as conn:
            batch = [self._event(one) for one in islice(self._ready.values(), BATCH)] or await self._abandoned(conn)
            try:
                if batch:
                    await self._publish(batch)
                    gone = [event.id for event in batch]
                    await conn.execute(_DELETE, (gone,))
                    for event_id in gone:
                        self._ready.pop(event_id, None)
            finally:
                row = await (await conn.execute(_COUNT, (self._most_waiting,))).fetchone()
                self._waiting = int(row[0]) if row else 0
        return len(batch)

    async def _abandoned(self, conn: AsyncConnection[Any]) -> list[Outgoing]:
        asked = (ABANDONED, list(self._ready), BATCH)
        rows = await (await conn.execute(_ABANDONED, asked)).fetchall()
        return [
            Outgoing(self._topic, event_id, bytes(key), self._topic.payload.FromString(payload), moment)
            for event_id, key, payload, moment in rows
        ]

    def _event(self, written: Written) -> Outgoing:
        moment = written.look.looked_at.ToDatetime(tzinfo=UTC)
        return Outgoing(self._topic, written.event_id, written.key, self._topic.payload(look=written.look), moment)

    async def _commit(self, batch: Sequence[Written]) -> LongitudeError | None:
        """Why it was not, after a second try."""
        events = [self._event(one) for one in batch]
        rows = [(event.id, event.key, event.value(), event.time) for event in events]
        columns = tuple(map(list, zip(*rows, strict=True)))
        error: LongitudeError | None = None
        for _ in range(2):
            try:
                async with self._connect() as conn:
                    await conn.execute(_WRITE, columns)
            except UnavailableError as failed:
                error = failed
            except Exception as failed:  # noqa: BLE001 - whatever it is, nothing may be shown, and the next is tried
                log.error("looks not written: %s", type(failed).__name__)  # noqa: TRY400 - its text may hold values
                return PermanentError("look-not-written")
            else:
                return None
        return error


class Looking:
    """One call under way. `paths`: where question and answer name whom it shows."""

    def __init__(self, rpc: str, paths: Sequence[str], recorder: Recorder, breadth: Breadth) -> None:
        self.look = Look(rpc=rpc, salt=secrets.token_bytes(SALT_BYTES))
        self._breadth, self._principal = breadth, Principal("")
        self._kinds: set[int] = set()
        self._question = [path for path in paths if not path.startswith("answer.")]
        self._answer = [path.removeprefix("answer.") for path in paths if path.startswith("answer.")]
        self._recorder = recorder
        self._written: Written | None = None
        self._is_named = self._is_counted = self._ended = False
        # Whom question and answer name, and how often the answer does.
        self._patients: dict[tuple[str, str], int] = {}

    def by(self, principal: Principal) -> None:
        """Who calls."""
        self._principal = principal
        self.look.process = principal.process[:LONGEST_ID]
        if principal.person is not None:
            self.look.issuer = principal.person.issuer[:LONGEST_ID]
            self.look.subject = principal.person.subject[:LONGEST_ID]
            roles = sorted(role[:LONGEST_ID] for role in principal.person.roles)
            self.look.roles[:] = roles[:MOST_ROLES]

    def asked(self, question: Message) -> None:
        """The question, or the first of a stream."""
        self._name(question, self._question)

    def admit(self) -> None:
        """Who asks and for whom is known. DeniedError: it is one patient too many, and a setting refuses that."""
        if self._count():
            self._breadth.refuse()

    def begin(self) -> None:
        """It is written down meanwhile, unless only the answer says for whom."""
        if self._is_named and not self._answer:
            self._shown_unless_told()

    def note(self, kinds: Iterable[int], shown: int, left_out: int) -> None:
        """What the answer shows."""
        self._kinds.update(kinds)
        self.look.shown += shown
        self.look.left_out += left_out

    def because(self, purpose: str, reason: str, categories: Iterable[str]) -> None:
        """For what it is shown, and which sensitive categories were open for that."""
        self.look.purpose, self.look.reason = purpose, reason[:LONGEST_REASON]
        del self.look.categories[:]
        self.look.categories.extend(categories)

    async def shown(self, answer: Message | None) -> None:
        """Write it down before the answer, or the first of a stream, leaves; where nobody is named, nobody is shown."""
        if self._ended:
            return
        if answer is not None:
            self._name(answer, self._answer)
        if not self._is_named:
            self._ended = True
            return
        self._count()
        self.look.kinds.extend(FactKind.ValueType(kind) for kind in sorted(self._kinds))
        await self._end(LOOK_OUTCOME_SHOWN)

    async def failed(self, error: Exception) -> None:
        """Write down that nothing was shown."""
        if self._ended:
            return
        refused = isinstance(error, DeniedError | UnauthenticatedError)
        self.look.status = error.status if isinstance(error, LongitudeError) else "INTERNAL"
        self.look.shown = self.look.left_out = 0
        await self._end(LOOK_OUTCOME_REFUSED if refused else LOOK_OUTCOME_FAILED)

    def _count(self) -> bool:
        """Whether the one patient who is named is one too many; of a worklist of several the caller chose none."""
        if self._is_counted or len(self._patients) != 1:
            return False
        self._is_counted = True
        if not self._breadth.is_beyond(self._principal, self.look.patient):
            return False
        self.look.beyond_patients, self.look.within_s = self._breadth.most, self._breadth.window_s
        return True

    def _shown_unless_told(self) -> Written:
        self.look.outcome = LOOK_OUTCOME_SHOWN
        self._written = self._recorder.begin(self.look)
        if self.look.beyond_patients:
            beyond = (self._written.event_id, self.look.beyond_patients, self.look.within_s)
            log.warning("look %s goes beyond %d patients of one person within %d s", *beyond)
        return self._written

    async def _end(self, outcome: LookOutcome.ValueType) -> None:
        self._ended = True
        written = self._written or self._shown_unless_told()
        self.look.outcome = outcome
        others = [self._recorder.begin(look) for look in self._of_others()]
        for one in (written, *others):
            await self._recorder.end(one)

    def _of_others(self) -> Iterator[Look]:
        """The looks at those who are named beside the first; of each, how often they were shown."""
        first, *others = [*self._patients] or [("", "")]
        for key in others:
            look = Look()
            look.CopyFrom(self.look)
            look.salt = secrets.token_bytes(SALT_BYTES)
            look.patient.id, look.patient.authority = key
            look.shown, look.left_out = self._patients[key], 0
            yield look
        if others:
            self.look.shown = self._patients[first]

    def _name(self, message: Message, paths: Iterable[str]) -> None:
        for path in paths:
            for value in _at(message, path.split(".")):
                self._is_named = self._is_named or bool(value if isinstance(value, str) else value.ByteSize())
                if isinstance(value, str):
                    self.look.object_id = value if len(value) <= LONGEST_ID else ""
                elif isinstance(value, PatientKey) and value.ByteSize():
                    self._name_patient(value, in_answer=paths is self._answer)

    def _name_patient(self, patient: PatientKey, *, in_answer: bool) -> None:
        if max(len(patient.id), len(patient.authority)) <= LONGEST_ID:
            key = (patient.id, patient.authority)
            self._patients[key] = self._patients.get(key, 0) + in_answer
            self.look.patient.id, self.look.patient.authority = next(iter(self._patients))


def _at(value: Any, names: Sequence[str]) -> Iterator[Any]:
    """What stands at a path; of a repeated field, in each of its values."""
    if not names:
        yield value
        return
    inner = getattr(value, names[0])
    for each in [inner] if isinstance(inner, str | Message) else inner:
        yield from _at(each, names[1:])


_LOOKING: ContextVar[Looking | None] = ContextVar("looking", default=None)


def note(kinds: Iterable[int] = (), shown: int = 0, left_out: int = 0) -> None:
    """Say of the call that is being answered what it shows: kinds of facts, how many, and how many not."""
    looking = _LOOKING.get()
    if looking is not None:
        looking.note(kinds, shown, left_out)


def because(purpose: str, reason: str = "", categories: Iterable[str] = ()) -> None:
    """Say of the call that is being answered for what it is, and which sensitive categories were open for that."""
    looking = _LOOKING.get()
    if looking is not None:
        looking.because(purpose, reason, categories)


@contextmanager
def under(looking: Looking | None) -> Iterator[None]:
    """What runs inside answers this call."""
    with within(_LOOKING, looking):
        yield
