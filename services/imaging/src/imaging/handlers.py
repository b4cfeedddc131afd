"""What imaging does with its two inputs: a film to analyse, a document to read.

A network may answer differently another time, so an answer is stored under the event's id before it is published, and
a redelivered event publishes the stored one. What cannot be read is answered with its problem; only an object that is
gone or altered is a dead letter.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.topics import DOCUMENT_READ, STUDY_ANALYSED, Topic
from eventbus import Event, Outgoing, once
from google.protobuf.message import Message
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import DocumentReceived, StudyReceived
from longitude.record.v1.object_pb2 import ObjectRef
from servicekit.objects import ObjectStore

from imaging.adapters.postgres import Kind, Store, add
from imaging.adapters.triton import Networks
from imaging.domain import document, heat_map, quality, study
from imaging.domain.document import Reader
from imaging.domain.film import RADIOGRAPHY, Film, UnreadableFilmError, read_film
from imaging.domain.pipeline import prepare
from imaging.domain.plain_text import TEXT_TYPES, read_plain_text
from imaging.domain.reading import FilmReading
from imaging.domain.scan import IMAGE_TYPES, UnreadableDocumentError, read_scan

TOO_LARGE = "too large to be read"
UNSUPPORTED = "unsupported kind of document: only plain text, PNG, JPEG and TIFF are read"


@dataclass(frozen=True, slots=True)
class Outside:
    """What both handlers need: where answers are kept, where bytes lie, the networks, and the largest object read."""

    store: Store
    objects: ObjectStore
    networks: Networks
    largest: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An event to be stored and published, and what it is an answer about."""

    topic: Topic[Any]
    id: str
    payload: Message
    kind: Kind
    subject: str


async def on_study_received(event: Event[StudyReceived], *, outside: Outside) -> Sequence[Outgoing]:
    """Fetch, analyse, store, publish."""
    answer = None
    if not await outside.store.has(event.id):
        identifier, analysis = await _analyse(event, outside)
        answer = Answer(STUDY_ANALYSED, identifier, analysis, Kind.STUDY, event.payload.sop_instance_uid)
    return await _answer_once(outside.store, event, answer)


async def on_document_received(
    event: Event[DocumentReceived], *, outside: Outside, reader: Reader
) -> Sequence[Outgoing]:
    """Fetch, read, store, publish."""
    answer = None
    if not await outside.store.has(event.id):
        reading = await _read(event, outside, reader)
        identifier = document.reading_id(event.id, reading.model)
        answer = Answer(DOCUMENT_READ, identifier, reading, Kind.DOCUMENT, event.payload.document_id)
    return await _answer_once(outside.store, event, answer)


async def _answer_once(store: Store, event: Event[Any], answer: Answer | None) -> Sequence[Outgoing]:
    """Store and mark as done in one transaction. Without an answer the event was answered before, and is so again."""

    async def effect() -> Sequence[Outgoing]:
        assert answer is not None, "an answer is stored in the transaction that marks its event as done"
        await add(conn, event.id, answer.id, answer.kind, answer.subject, answer.payload)
        return [Outgoing.caused_by(event, answer.topic, answer.payload, id=answer.id)]

    async with store.pool.connection() as conn:
        return await once(conn, event, effect)


async def _analyse(event: Event[StudyReceived], outside: Outside) -> tuple[str, StudyAnalysed]:
    """The id and the answer for one instance. Problems with the instance are part of the answer."""
    received = event.payload
    try:
        film = await _film(received, outside)
    except UnreadableFilmError as error:
        return study.analysis_id(event.id, None), study.unreadable(received, [str(error)])
    reading = await outside.networks.read_film(await asyncio.to_thread(prepare, film.pixels))
    identifier = study.analysis_id(event.id, reading.model)
    problems = _problems(film, reading)
    heat_maps = {} if problems else await _draw(identifier, film, reading, outside.objects)
    return identifier, study.analysed(event.id, received, reading, problems, film.view, heat_maps)


async def _film(received: StudyReceived, outside: Outside) -> Film:
    if received.modality and received.modality not in RADIOGRAPHY:
        raise UnreadableFilmError("not a chest film: the modality is not CR or DX")
    if received.instance.size > outside.largest:
        raise UnreadableFilmError(TOO_LARGE)
    return await asyncio.to_thread(read_film, await outside.objects.get(received.instance))


def _problems(film: Film, reading: FilmReading) -> list[str]:
    problems = quality.pixel_problems(film.pixels)
    best = int(reading.presentation.argmax())
    presentation, probability = reading.model.presentations[best], float(reading.presentation[best])
    problems += quality.presentation_problems(presentation, probability)
    return [*problems, quality.LATERAL] if film.view == "LL" else problems


async def _draw(identifier: str, film: Film, reading: FilmReading, objects: ObjectStore) -> dict[str, ObjectRef]:
    """A heat map for each output of the network, stated or not: what it looked at is part of what it says."""
    drawn = {}
    for index, rule in enumerate(reading.model.findings):
        png = await asyncio.to_thread(heat_map.overlay_png, film.pixels, reading.maps[index])
        drawn[rule.name] = await objects.put(f"heat-maps/{identifier}/{rule.name}.png", png, "image/png")
    return drawn


async def _read(event: Event[DocumentReceived], outside: Outside, reader: Reader) -> DocumentRead:
    """The answer for one document. Problems with the document are part of the answer."""
    received = event.payload
    media_type = received.content.media_type.partition(";")[0].strip().lower()
    if media_type not in TEXT_TYPES | IMAGE_TYPES:
        return document.unread(received, UNSUPPORTED)
    if received.content.size > outside.largest:
        return document.unread(received, TOO_LARGE)
    data = await outside.objects.get(received.content)
    try:
        if media_type in TEXT_TYPES:
            return document.read_text(event.id, received, read_plain_text(data, received.content.media_type))
        return await _read_pages(event, data, outside.networks, reader)
    except UnreadableDocumentError as error:
        return document.unread(received, str(error))


async def _read_pages(event: Event[DocumentReceived], data: bytes, networks: Networks, reader: Reader) -> DocumentRead:
    scans = enumerate(await asyncio.to_thread(read_scan, data), start=1)
    printed = [(number, scan) for number, scan in scans if not scan.blank]
    if not printed:
        return document.unread(event.payload, document.BLANK)
    read = [await networks.read_page(number, scan) for number, scan in printed]
    pages, model = [page for page, _ in read], read[0][1]
    return document.read_pages(event.id, event.payload, pages, model, reader)
