"""The way of a document: fetch, decode its text or have its pages read, and take the facts from it.

Problems with the document are part of the answer.
"""

import asyncio
from collections.abc import Sequence

from contracts.topics import DOCUMENT_READ
from eventbus import Event
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.ingestion.v1.events_pb2 import DocumentReceived

from imaging.adapters.converter import KINDS, kind_of
from imaging.adapters.postgres import Kind
from imaging.adapters.triton import Networks
from imaging.domain import document
from imaging.domain.document import Reader
from imaging.domain.formats import FORMATS
from imaging.domain.page import Page, TextPage
from imaging.domain.scan import Scan, UnreadableDocumentError
from imaging.flows.outside import TOO_LARGE, Answer, Outside

UNSUPPORTED = "unsupported kind of document: only plain text, PDF, RTF, CDA, HTML, PNG, JPEG and TIFF are read"


async def read(event: Event[DocumentReceived], outside: Outside, reader: Reader) -> Answer:
    """The answer for one document."""
    reading = await _read(event, outside, reader)
    identifier = document.reading_id(event.id, reading.model)
    return Answer(DOCUMENT_READ, identifier, reading, Kind.DOCUMENT, event.payload.document_id)


async def _read(event: Event[DocumentReceived], outside: Outside, reader: Reader) -> DocumentRead:
    received = event.payload
    kind = kind_of(received.content.media_type)
    if kind not in KINDS:
        return document.unread(received, UNSUPPORTED)
    if received.content.size > (outside.converter.largest_file if kind in FORMATS else outside.largest):
        return document.unread(received, TOO_LARGE)
    data = await outside.objects.get(received.content)
    try:
        pages = await outside.converter.pages(data, received.content.media_type)
    except UnreadableDocumentError as error:
        return document.unread(received, str(error))
    return await _read_pages(event, pages, outside.networks, reader)


async def _read_pages(
    event: Event[DocumentReceived], pages: Sequence[TextPage | Scan], networks: Networks, reader: Reader
) -> DocumentRead:
    model, known = document.TEXT_READER, list[TextPage | Page]()
    for page in pages:
        if isinstance(page, TextPage):
            known.append(page)
        elif not page.blank:
            seen, model = await networks.read_page(page)
            known.append(seen)
    if not known:
        return document.unread(event.payload, document.BLANK)
    # The rules go over every sentence, and other events are handled meanwhile.
    return await asyncio.to_thread(document.read, event.id, event.payload, known, model, reader)
