"""The way of a document: fetch, decode its text or have its pages read, and take the facts from it.

Problems with the document are part of the answer.
"""

import asyncio

from contracts.topics import DOCUMENT_READ
from eventbus import Event
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.ingestion.v1.events_pb2 import DocumentReceived

from imaging.adapters.postgres import Kind
from imaging.adapters.triton import Networks
from imaging.domain import document
from imaging.domain.document import Reader
from imaging.domain.plain_text import TEXT_TYPES, read_plain_text
from imaging.domain.scan import IMAGE_TYPES, UnreadableDocumentError, read_scan
from imaging.flows.outside import TOO_LARGE, Answer, Outside

UNSUPPORTED = "unsupported kind of document: only plain text, PNG, JPEG and TIFF are read"


async def read(event: Event[DocumentReceived], outside: Outside, reader: Reader) -> Answer:
    """The answer for one document."""
    reading = await _read(event, outside, reader)
    identifier = document.reading_id(event.id, reading.model)
    return Answer(DOCUMENT_READ, identifier, reading, Kind.DOCUMENT, event.payload.document_id)


async def _read(event: Event[DocumentReceived], outside: Outside, reader: Reader) -> DocumentRead:
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
    answers = [await networks.read_page(number, scan) for number, scan in printed]
    pages, model = [page for page, _ in answers], answers[0][1]
    return document.read_pages(event.id, event.payload, pages, model, reader)
