"""What imaging does with its two inputs: an image to analyse, a document to read.

A network may answer differently another time, so an answer is stored under the event's id before it is published, and
a redelivered event publishes the stored one. What cannot be read is answered with its problem; only an object that is
gone or altered is a dead letter.
"""

from collections.abc import Sequence
from typing import Any

from eventbus import Event, Outgoing, once
from longitude.ingestion.v1.events_pb2 import DocumentReceived, StudyReceived

from imaging.adapters.postgres import Store, add
from imaging.domain.document import Reader
from imaging.domain.modality import Modality
from imaging.flows import documents, studies
from imaging.flows.outside import Answer, Outside


async def on_study_received(
    event: Event[StudyReceived], *, outside: Outside, modalities: Sequence[Modality[Any]]
) -> Sequence[Outgoing]:
    """Analyse, store, publish. An instance that is unfiled is nobody's: it waits for the event that files it."""
    if not event.payload.patient.id:
        return []
    answered = await outside.store.has(event.id)
    answer = None if answered else await studies.analyse(event, outside, modalities)
    return await _answer_once(outside.store, event, answer)


async def on_document_received(
    event: Event[DocumentReceived], *, outside: Outside, reader: Reader
) -> Sequence[Outgoing]:
    """Read, store, publish."""
    answered = await outside.store.has(event.id)
    answer = None if answered else await documents.read(event, outside, reader)
    return await _answer_once(outside.store, event, answer)


async def _answer_once(store: Store, event: Event[Any], answer: Answer | None) -> Sequence[Outgoing]:
    """Store and mark as done in one transaction. Without an answer the event was answered before, and is so again."""

    async def effect() -> Sequence[Outgoing]:
        assert answer is not None, "an answer is stored in the transaction that marks its event as done"
        await add(conn, event.id, answer.id, answer.kind, answer.subject, answer.payload)
        return [Outgoing.caused_by(event, answer.topic, answer.payload, id=answer.id)]

    async with store.pool.connection() as conn:
        return await once(conn, event, effect)
