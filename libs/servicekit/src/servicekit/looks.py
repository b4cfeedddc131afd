"""Looks: every call of an RPC that shows a patient is written down before its answer leaves, refusals too.

`[looks]` of a service's `access.toml` names those RPCs, and where question or answer name the patient:

    GetTimeline = ["patient"]
    GetAssessment = ["assessment_id", "answer.assessment.patient"]

Guarantee: an answer leaves after the row of its look (table `look`) is committed, and a row is deleted after the broker
has its event: a look survives a kill at any moment. A look that cannot be written, or finds MOST_WAITING rows still
unpublished, is answered UNAVAILABLE, and nothing is shown.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol

from contracts.errors import DeniedError, LongitudeError, PermanentError, UnauthenticatedError, UnavailableError
from contracts.identifiers import patient_partition_key
from contracts.topics import Topic
from eventbus import Outgoing
from eventbus.retry import until_available
from google.protobuf.message import Message
from longitude.record.v1.fact_pb2 import FactKind, PatientKey
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_FAILED, LOOK_OUTCOME_REFUSED, LOOK_OUTCOME_SHOWN, Look
from psycopg import AsyncConnection

from servicekit.principal import Principal

log = logging.getLogger("servicekit")

# Rows that wait for the broker: some 40 MB, and hours of a busy ward.
MOST_WAITING = 100_000
# Rows published together, and how long they gather, in seconds.
BATCH = 500
GATHER = 0.1
SWEEP_SECONDS = 2.0
# A longer identifier is a stranger's; it is left out of the look.
LONGEST_ID = 255

_WRITE = """INSERT INTO look (event_id, key, payload, looked_at)
    SELECT * FROM unnest(%b::uuid[], %b::bytea[], %b::bytea[], %b::timestamptz[])"""
_COUNT = "SELECT count(*) FROM (SELECT FROM look LIMIT %s) AS waiting"
_READ = "SELECT position, event_id::text, key, payload, looked_at FROM look ORDER BY position LIMIT %s"
_DELETE = "DELETE FROM look WHERE position = ANY(%b::bigint[])"
# Of this schema, and the session's: one replica publishes at a time.
_LOCK = "SELECT pg_try_advisory_lock(hashtext('look:' || current_schema()))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext('look:' || current_schema()))"

Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]
Row = tuple[str, bytes, bytes, datetime]


class Recorder(Protocol):
    """Where looks are written down."""

    async def record(self, look: Look) -> None:
        """Return when the look is durable; UnavailableError when it cannot be."""


class Looks:
    """The looks of one service: table `look` of its schema, and the topic whose payload has a field `look`.

    Run `write` and `publish` for the life of the process.
    """

    def __init__(
        self,
        connect: Connect,
        publish: Callable[[Outgoing], Awaitable[None]],
        topic: Topic[Any],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._connect, self._publish, self._topic = connect, publish, topic
        self._most_waiting = most_waiting
        self._rows: list[tuple[Row, asyncio.Future[None]]] = []
        self._asked, self._written = asyncio.Event(), asyncio.Event()
        self._waiting = 0

    async def record(self, look: Look) -> None:
        """Return when the look is committed; UnavailableError when it cannot be."""
        if self._waiting >= self._most_waiting:
            raise UnavailableError("looks cannot be published (Kafka), and too many wait: nothing is shown; ask again")
        moment = datetime.now(UTC)
        look.looked_at.FromDatetime(moment)
        payload = self._topic.payload(look=look).SerializeToString(deterministic=True)
        row = (str(uuid.uuid4()), patient_partition_key(look.patient), payload, moment)
        done = asyncio.get_running_loop().create_future()
        self._rows.append((row, done))
        self._asked.set()
        await done

    async def write(self) -> NoReturn:
        """Commit looks as they come; those that came during a commit share the next one."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            batch, self._rows = self._rows, []
            error = await self._commit([row for row, _ in batch])
            for _, done in batch:
                if not done.done():
                    done.set_result(None) if error is None else done.set_exception(error)
            self._written.set()

    async def publish(self) -> NoReturn:
        """What an earlier life left behind comes first."""
        while True:
            while await until_available(self.sweep) == BATCH:
                pass
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._written.wait()
                    await asyncio.sleep(GATHER)
            except TimeoutError:
                pass
            self._written.clear()

    async def sweep(self) -> int:
        """Publish a batch; how many rows it had."""
        async with self._connect() as conn:
            self._waiting = await _one(conn, _COUNT, (self._most_waiting,))
            if not self._waiting or not await _one(conn, _LOCK, ()):
                return 0
            try:
                rows = await (await conn.execute(_READ, (BATCH,))).fetchall()
                taken = await asyncio.gather(*(self._publish_one(row) for row in rows), return_exceptions=True)
                gone = [row[0] for row, error in zip(rows, taken, strict=True) if error is None]
                await conn.execute(_DELETE, (gone,))
                self._waiting = max(0, self._waiting - len(gone))
            finally:
                if not conn.closed:
                    await conn.execute(_UNLOCK)
        for error in taken:
            if error is not None:
                raise error
        return len(rows)

    async def _publish_one(self, row: tuple[Any, ...]) -> None:
        _, event_id, key, payload, moment = row
        event = Outgoing(self._topic, event_id, bytes(key), self._topic.payload.FromString(payload), moment)
        await self._publish(event)

    async def _commit(self, rows: Sequence[Row]) -> LongitudeError | None:
        """Why it was not: what is wrong here is no less a look that was not written."""
        try:
            async with self._connect() as conn:
                await conn.execute(_WRITE, tuple(map(list, zip(*rows, strict=True))))
        except UnavailableError as error:
            return error
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be shown, and the next look is tried
            log.error("looks not written: %s", type(error).__name__)  # noqa: TRY400 - its text may hold values
            return PermanentError("look-not-written")
        self._waiting += len(rows)
        return None


async def _one(conn: AsyncConnection[Any], query: str, values: Sequence[Any]) -> int:
    row = await (await conn.execute(query.encode(), values)).fetchone()
    assert row is not None
    return int(row[0])


class Looking:
    """One call under way. `paths`: where question and answer name whom it shows."""

    def __init__(self, rpc: str, paths: Sequence[str], recorder: Recorder) -> None:
        self.look = Look(rpc=rpc)
        self._kinds: set[int] = set()
        self._question = [path for path in paths if not path.startswith("answer.")]
        self._answer = [path.removeprefix("answer.") for path in paths if path.startswith("answer.")]
        self._recorder = recorder
        self._is_named = self._ended = False

    def by(self, principal: Principal) -> None:
        """Who calls."""
        self.look.process = principal.process[:LONGEST_ID]
        if principal.person is not None:
            self.look.issuer = principal.person.issuer[:LONGEST_ID]
            self.look.subject = principal.person.subject[:LONGEST_ID]
            self.look.roles.extend(sorted(principal.person.roles))

    def asked(self, question: Message) -> None:
        """The question, or the first of a stream."""
        self._name(question, self._question)

    def note(self, kinds: Iterable[int], shown: int, left_out: int) -> None:
        """What the answer shows."""
        self._kinds.update(kinds)
        self.look.shown += shown
        self.look.left_out += left_out

    async def shown(self, answer: Message | None) -> None:
        """Write it down before the answer, or the first of a stream, leaves; where nobody is named, nobody is shown."""
        if self._ended:
            return
        if answer is not None:
            self._name(answer, self._answer)
        if not self._is_named:
            self._ended = True
            return
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

    async def _end(self, outcome: "Any") -> None:
        self._ended = True
        self.look.outcome = outcome
        await self._recorder.record(self.look)

    def _name(self, message: Message, paths: Iterable[str]) -> None:
        for path in paths:
            value: Any = message
            for name in path.split("."):
                value = getattr(value, name)
            self._is_named = self._is_named or bool(value if isinstance(value, str) else value.ByteSize())
            if isinstance(value, str):
                self.look.object_id = value if len(value) <= LONGEST_ID else ""
            elif isinstance(value, PatientKey) and max(len(value.id), len(value.authority)) <= LONGEST_ID:
                self.look.patient.CopyFrom(value)


_LOOKING: ContextVar[Looking | None] = ContextVar("looking", default=None)


def note(kinds: Iterable[int] = (), shown: int = 0, left_out: int = 0) -> None:
    """Say of the call that is being answered what it shows: kinds of facts, how many, and how many not."""
    looking = _LOOKING.get()
    if looking is not None:
        looking.note(kinds, shown, left_out)


@contextmanager
def under(looking: Looking | None) -> Iterator[None]:
    """What runs inside answers this call."""
    _LOOKING.set(looking)
    yield
