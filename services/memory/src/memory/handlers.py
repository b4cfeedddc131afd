"""What an event does to the record: one function per topic."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from consult import times
from contracts.errors import PermanentError
from contracts.identifiers import event_id
from contracts.topics import RECORD_UPDATED
from eventbus import Event, Outgoing, once
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.memory.v1.events_pb2 import RecordUpdated

from memory.adapters.postgres import Recorded, Store
from memory.domain import updates
from memory.domain.updates import Update


async def on_message_received(event: Event[MessageReceived], *, store: Store) -> Sequence[Outgoing]:
    """Facts and links of an HL7 message."""
    return await _record(event, store, lambda: updates.of_message(event.payload, event.time))


async def on_study_analysed(event: Event[StudyAnalysed], *, store: Store) -> Sequence[Outgoing]:
    """Findings computed from an image."""
    return await _record(event, store, lambda: updates.of_study(event.payload, event.time))


async def on_document_read(event: Event[DocumentRead], *, store: Store) -> Sequence[Outgoing]:
    """Facts read from a document; its text goes to the note index."""
    return await _record(event, store, lambda: updates.of_document(event.payload, event.time, event.id))


async def _record(event: Event[Any], store: Store, read: Callable[[], Update | None]) -> Sequence[Outgoing]:
    try:
        update = read()
    except ValueError as error:
        raise PermanentError("unreadable-facts") from error
    if update is None:
        return []
    async with store.connection() as conn:
        return await once(conn, event, _effect(event, store, conn, update))


def _effect(event: Event[Any], store: Store, conn: Any, update: Update) -> Callable[[], Awaitable[Sequence[Outgoing]]]:
    async def effect() -> Sequence[Outgoing]:
        recorded = await store.record(conn, update, event.id)
        return [_record_updated(event, update, recorded)] if recorded else []

    return effect


def _record_updated(event: Event[Any], update: Update, recorded: Recorded) -> Outgoing:
    payload = RecordUpdated(
        patient=update.patient.key(),
        fact_ids=recorded.fact_ids,
        links_added=recorded.links,
        contradiction_ids=recorded.opened,
        recorded_at=times.stamp(recorded.recorded_at),
    )
    return Outgoing.caused_by(event, RECORD_UPDATED, payload, id=event_id("record-updated", event.id))
