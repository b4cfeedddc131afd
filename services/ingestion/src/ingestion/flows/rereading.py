"""Reads again everything that was received, for another edition of the record.

What is to be done is itself events: a rereading that is started and not finished goes on at the next start of any
replica, where its consumer group stopped. Replicas share its partitions. Guarantee: each record of message-received
that stood there at the start is published as message-reread under one id, before rereading-finished is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import NamedTuple, NoReturn
from uuid import uuid4

from aiokafka import ConsumerRecord
from contracts.errors import ConflictError, PermanentError
from contracts.identifiers import event_id
from contracts.topics import MESSAGE_RECEIVED, MESSAGE_REREAD, REREADING_FINISHED, REREADING_STARTED
from eventbus import Event, Outgoing
from eventbus.retry import until_available, until_set
from longitude.ingestion.v1.events_pb2 import MessageReceived, MessageReread, RereadingFinished, RereadingStarted

from ingestion import metrics
from ingestion.adapters import kafka
from ingestion.adapters.kafka import Again
from ingestion.adapters.objects import RawStore
from ingestion.domain.reading import Feed
from ingestion.domain.rereading import messages_of, reread, reread_event_id

# How often to look for a rereading that another replica was asked for, in seconds.
IDLE = 60.0
# The partition key of what says that rereadings start and finish: one after the other.
KEY = b"rereadings"


class State(NamedTuple):
    """The last rereading, and when it was started."""

    started: RereadingStarted
    at: datetime
    finished: bool


class Rereading:
    """One per process."""

    def __init__(
        self, bootstrap: str, publish: Callable[[Outgoing], Awaitable[None]], store: RawStore, feed: Feed
    ) -> None:
        self._bootstrap = bootstrap
        self._publish = publish
        self._store = store
        self._feed = feed
        self._asked = asyncio.Event()

    async def start(self, by: str, reason: str) -> str:
        """Begin one; its id. ConflictError while another goes on."""
        if await self._open():
            raise ConflictError("a rereading goes on; wait until it is finished")
        started = RereadingStarted(
            rereading_id=str(uuid4()),
            started_by=by,
            reason=reason,
            reader=version("longitude-ingestion"),
            spans=await kafka.spans(self._bootstrap, MESSAGE_RECEIVED),
        )
        identifier = event_id("rereading-started", started.rereading_id)
        await self._publish(Outgoing(REREADING_STARTED, identifier, KEY, started, datetime.now(UTC)))
        self._asked.set()
        return started.rereading_id

    async def last(self) -> State | None:
        """The one that was started last."""
        states = await self._states()
        return states[-1] if states else None

    async def run(self) -> NoReturn:
        """For the life of the process: go on with what is not finished, the oldest first."""
        while True:
            if not await until_available(self.step):
                await until_set(self._asked, IDLE)
                self._asked.clear()

    async def step(self) -> bool:
        """Bring the oldest that is not finished to its end; False when there is none."""
        open_ = await self._open()
        if open_:
            await self._reread(open_[0].started)
        return bool(open_)

    async def _reread(self, started: RereadingStarted) -> None:
        ends = {span.partition: span.end for span in started.spans}
        async with Again.joined(self._bootstrap, MESSAGE_RECEIVED, f"ingestion.reread.{started.rereading_id}") as again:
            while not await again.done(started.spans):
                for place, records in (await again.records()).items():
                    wanted = [record for record in records if record.offset < ends.get(place.partition, 0)]
                    if wanted:
                        await self._reread_all(started, wanted)
                        await again.commit({place: wanted[-1].offset + 1})
        finished = RereadingFinished(rereading_id=started.rereading_id, messages=messages_of(list(started.spans)))
        identifier = event_id("rereading-finished", started.rereading_id)
        await self._publish(Outgoing(REREADING_FINISHED, identifier, KEY, finished, datetime.now(UTC)))

    async def _reread_all(self, started: RereadingStarted, records: "Sequence[ConsumerRecord[bytes, bytes]]") -> None:
        decoded = [kafka.event_of(MESSAGE_RECEIVED, record) for record in records]
        events = [event for event in decoded if event is not None]
        nothing = [record for record, event in zip(records, decoded, strict=True) if event is None]
        payloads = await asyncio.gather(*(self._payload(event.payload) for event in events))
        # Reading is work of the CPU, and senders are answered meanwhile.
        made = await asyncio.to_thread(self._read, events, payloads)
        for event, message in zip(events, made, strict=True):
            message.rereading_id, message.event_id = started.rereading_id, event.id
            metrics.REREAD.labels("taken" if message.HasField("message") else "refused").inc()
        outgoing = [_outgoing(*each) for each in zip(events, made, strict=True)]
        outgoing += [_of_no_event(record, started.rereading_id) for record in nothing]
        await asyncio.gather(*map(self._publish, outgoing))

    def _read(self, events: Sequence[Event[MessageReceived]], payloads: Sequence[bytes | None]) -> list[MessageReread]:
        return [reread(event.payload, raw, self._feed) for event, raw in zip(events, payloads, strict=True)]

    async def _payload(self, message: MessageReceived) -> bytes | None:
        if message.raw.WhichOneof("where") is None:
            return None
        try:
            return await self._store.message(message.raw)
        except PermanentError:
            return None

    async def _open(self) -> list[State]:
        return [state for state in await self._states() if not state.finished]

    async def _states(self) -> list[State]:
        finished = {event.payload.rereading_id for event in await kafka.whole(self._bootstrap, REREADING_FINISHED)}
        started = await kafka.whole(self._bootstrap, REREADING_STARTED)
        return [State(one.payload, one.time, one.payload.rereading_id in finished) for one in started]


def _of_no_event(record: "ConsumerRecord[bytes, bytes]", rereading_id: str) -> Outgoing:
    identifier = reread_event_id(rereading_id, record.partition, record.offset)
    # It has no id of its own, and whoever records the reading needs one.
    message = MessageReread(rereading_id=rereading_id, event_id=identifier, refusal="no event of this topic")
    moment = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return Outgoing(MESSAGE_REREAD, identifier, record.key or b"", message, moment)


def _outgoing(event: Event[MessageReceived], message: MessageReread) -> Outgoing:
    identifier = reread_event_id(message.rereading_id, event.partition, event.offset)
    return Outgoing.caused_by(event, MESSAGE_REREAD, message, id=identifier)
