"""What events do to the record: one function per topic, for a batch of one partition."""

from collections.abc import Callable, Sequence
from typing import Any

from consult import times
from contracts.errors import PermanentError
from contracts.identifiers import event_id
from contracts.topics import RECORD_UPDATED
from eventbus import Event, Outgoing, once_each
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import MessageReceived, MessageReread, RereadingFinished
from longitude.memory.v1.events_pb2 import RecordUpdated

from memory.adapters.postgres import Recorded, Store
from memory.domain import updates
from memory.domain.updates import Update
from memory.flows import rebuild

Caused = Sequence[Sequence[Outgoing]]


async def on_messages_received(events: Sequence[Event[MessageReceived]], *, store: Store) -> Caused:
    """Facts and links of HL7 messages."""
    return await _record(events, store, lambda event: updates.of_message(event.payload, event.time))


async def on_studies_analysed(events: Sequence[Event[StudyAnalysed]], *, store: Store) -> Caused:
    """Findings computed from images."""
    return await _record(events, store, lambda event: updates.of_study(event.payload, event.time))


async def on_documents_read(events: Sequence[Event[DocumentRead]], *, store: Store) -> Caused:
    """Facts read from documents; their texts go to the note index."""
    return await _record(events, store, lambda event: updates.of_document(event.payload, event.time, event.id))


async def on_messages_reread(events: Sequence[Event[MessageReread]], *, store: Store) -> Caused:
    """Messages of another reading go into the edition that it makes; nobody sees them before that is current."""
    try:
        readings = {event.id: _reading(event) for event in events}
    except ValueError as error:
        raise PermanentError("unreadable-facts") from error
    async with store.connection() as conn:

        async def effect(new: Sequence[Event[Any]]) -> Caused:
            for rereading_id in dict.fromkeys(event.payload.rereading_id for event in new):
                here = [event for event in new if event.payload.rereading_id == rereading_id]
                updates_ = {event.payload.event_id: readings[event.id] for event in here}
                refused = sum(not event.payload.HasField("message") for event in here)
                await rebuild.reread(store, conn, rereading_id, updates_, len(here), refused)
            return [[] for _ in new]

        return await once_each(conn, events, effect)


async def on_rereadings_finished(events: Sequence[Event[RereadingFinished]], *, store: Store) -> Caused:
    """How many messages make an edition whole."""
    async with store.connection() as conn:

        async def effect(new: Sequence[Event[Any]]) -> Caused:
            for event in new:
                await rebuild.expect(conn, event.payload.rereading_id, event.payload.messages)
            return [[] for _ in new]

        return await once_each(conn, events, effect)


def _reading(event: Event[MessageReread]) -> Update | None:
    reread = event.payload
    return updates.of_message(reread.message, event.time) if reread.HasField("message") else None


async def _record(events: Sequence[Event[Any]], store: Store, read: Callable[[Event[Any]], Update | None]) -> Caused:
    try:
        known = {event.id: update for event in events if (update := read(event)) is not None}
    except ValueError as error:
        raise PermanentError("unreadable-facts") from error
    about_patients = [event for event in events if event.id in known]
    caused: dict[str, Sequence[Outgoing]] = {}
    if about_patients:
        async with store.connection() as conn:

            async def effect(new: Sequence[Event[Any]]) -> Caused:
                recorded = await store.record(conn, {event.id: known[event.id] for event in new})
                return [_record_updated(event, known[event.id], recorded[event.id]) for event in new]

            published = await once_each(conn, about_patients, effect)
        caused = {event.id: each for event, each in zip(about_patients, published, strict=True)}
    return [caused.get(event.id, []) for event in events]


def _record_updated(event: Event[Any], update: Update, recorded: Recorded) -> list[Outgoing]:
    if not recorded:
        return []
    payload = RecordUpdated(
        patient=update.patient.key(),
        fact_ids=recorded.fact_ids,
        links_added=recorded.links,
        contradiction_ids=recorded.opened,
        recorded_at=times.stamp(recorded.recorded_at),
        kinds=sorted({fact.kind for fact in update.facts}),
    )
    return [Outgoing.caused_by(event, RECORD_UPDATED, payload, id=event_id("record-updated", event.id))]
