"""Files become pictures and pages in a process of its own, which has no secrets, a bounded memory and little time.

What kills it (a file made to exhaust or to crash a parser) is a damaged file, and nothing more.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from imaging.domain.dicom import Picture
from imaging.domain.dicom import read as read_dicom
from imaging.domain.formats import FORMATS, read_file
from imaging.domain.modality import UnreadableImageError
from imaging.domain.page import TextPage
from imaging.domain.plain_text import TEXT_TYPES, read_plain_text
from imaging.domain.scan import IMAGE_TYPES, Scan, UnreadableDocumentError, read_scan

if TYPE_CHECKING:
    # The process itself loads the parsers and nothing else of the service.
    from servicekit.bounded import Bounds, Workers

DAMAGED = "the file cannot be read: damaged, or made to exhaust its reader"
KINDS = TEXT_TYPES | IMAGE_TYPES | FORMATS


@dataclass(frozen=True, slots=True)
class Converter:
    """Whatever a file does to a parser, the answer is its pages or pixels, or the reason why there are none."""

    _workers: Workers
    largest_file: int
    """Bytes of a PDF, RTF, CDA or HTML file that is read."""

    @classmethod
    @asynccontextmanager
    async def running(cls, bounds: Bounds, most: int, largest_file: int) -> AsyncIterator[Converter]:
        """`most`: files that are read at the same time."""
        from servicekit.bounded import Workers  # noqa: PLC0415 - see above

        async with Workers.running([__name__], bounds, most) as workers:
            yield cls(workers, largest_file)

    async def pages(self, data: bytes, media_type: str) -> Sequence[TextPage | Scan]:
        """The pages of a document; UnreadableDocumentError with the reason when it has none that can be read."""
        answer = await self._run("pages", media_type.encode(), data)
        if answer is None:
            raise UnreadableDocumentError(DAMAGED)
        return _from_json(json.loads(answer))

    async def picture(self, data: bytes) -> Picture:
        """What a DICOM file shows; UnreadableImageError with the reason when it is none."""
        answer = await self._run("picture", data)
        if answer is None:
            raise UnreadableImageError(DAMAGED)
        if answer.startswith(b"!"):
            raise UnreadableImageError(answer[1:].decode())
        return Picture.from_bytes(answer)

    async def _run(self, work: str, *arguments: bytes) -> bytearray | None:
        from servicekit.bounded import WorkFailedError, WorkKilledError  # noqa: PLC0415 - see above

        try:
            return await self._workers.run(f"{__name__}:{work}", *arguments)
        except (WorkKilledError, WorkFailedError):
            return None


def pages(media_type: bytes, data: bytes) -> bytes:
    """The work: pages or a problem, as JSON."""
    try:
        answer: dict[str, Any] = {"pages": [_to_json(page) for page in _read(data, media_type.decode())]}
    except UnreadableDocumentError as error:
        answer = {"problem": str(error)}
    return json.dumps(answer).encode()


def picture(data: bytes) -> bytes:
    """The work: a picture, or a problem behind a mark."""
    try:
        return read_dicom(data).to_bytes()
    except UnreadableImageError as error:
        return f"!{error}".encode()


def kind_of(media_type: str) -> str:
    """A media type without its parameters."""
    return media_type.partition(";")[0].strip().lower()


def _read(data: bytes, media_type: str) -> Sequence[TextPage | Scan]:
    kind = kind_of(media_type)
    if kind in TEXT_TYPES:
        return [TextPage(0, read_plain_text(data, media_type))]
    return read_scan(data) if kind in IMAGE_TYPES else read_file(data, media_type)


def _from_json(answer: dict[str, Any]) -> list[TextPage | Scan]:
    if "problem" in answer:
        raise UnreadableDocumentError(answer["problem"])
    return [
        TextPage(page["number"], page["content"])
        if "content" in page
        else Scan(**page | {"png": base64.b64decode(page["png"])})
        for page in answer["pages"]
    ]


def _to_json(page: TextPage | Scan) -> dict[str, Any]:
    if isinstance(page, TextPage):
        # NUL is no text, and the stores of other services take none.
        return {"number": page.number, "content": page.content.replace("\0", "")}
    return asdict(page) | {"png": base64.b64encode(page.png).decode()}
