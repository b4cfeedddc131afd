"""Files of documents that are no images: PDF, RTF, CDA and HTML become pages of text, or pictures where a PDF has none.

Runs in a process of its own (`imaging.adapters.converter`), since these files come from anywhere and the parser of PDF
is native code. Every refusal is a problem in words that hold nothing of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

import pypdfium2
import pypdfium2.raw as pdfium
from markup import UnreadableMarkupError, Wrapped, as_plain, read_html, read_xml

from imaging.domain.page import TextPage
from imaging.domain.plain_text import MOST_CHARACTERS, TOO_LONG, read_plain_text
from imaging.domain.rtf import read_rtf
from imaging.domain.scan import (
    LONGEST_SIDE,
    MOST_PAGES,
    MOST_PIXELS,
    TOO_MANY_PIXELS,
    Scan,
    UnreadableDocumentError,
    scan,
)

PDF = "application/pdf"
_RTF = frozenset({"application/rtf", "text/rtf"})
_HTML = frozenset({"text/html"})
_XML = frozenset({"application/xml", "text/xml", "application/xhtml+xml", "application/hl7-cda+xml"})
FORMATS = _RTF | _HTML | _XML | {PDF}
MOST_PDF_PAGES = 500
"""Pages of a PDF that has text; of pages without, at most MOST_PAGES are read."""
# A page with a picture and fewer words than these is a scan that was stamped.
_STAMP = 12
# Least share of the characters of a text layer that mean something; fonts without a map to Unicode give others.
_LEGIBLE = 0.9
_ILLEGIBLE = re.compile(r"[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]")
# PDFium marks a hyphen that parts a word at the end of a line.
_PARTED = re.compile("[\x02\ufffe]\r?\n?")


def read_file(data: bytes, media_type: str) -> list[TextPage | Scan]:
    """The pages of a file in order, a single one numbered 0 where the format has none."""
    try:
        return _read(data, media_type, nested=False)
    except UnreadableMarkupError as error:
        raise UnreadableDocumentError(str(error)) from None


def _read(data: bytes, media_type: str, *, nested: bool) -> list[TextPage | Scan]:
    header = Message()
    header["Content-Type"] = media_type
    kind = header.get_content_type()
    if kind == PDF:
        return _of_pdf(data)
    if kind in _XML:
        content = read_xml(data)
        if isinstance(content, Wrapped):
            return _nested(content, nested=nested)
        text = as_plain(content)
    elif kind in _RTF:
        text = read_rtf(data)
    elif kind in _HTML:
        text = as_plain(read_html(data, header.get_content_charset()))
    elif nested and kind == "text/plain":
        text = read_plain_text(data, media_type)
    else:
        raise UnreadableDocumentError("unsupported kind of document within a CDA")
    if len(text) > MOST_CHARACTERS:
        raise UnreadableDocumentError(TOO_LONG)
    return [TextPage(0, text)]


def _nested(file: Wrapped, *, nested: bool) -> list[TextPage | Scan]:
    if nested:
        raise UnreadableDocumentError("a CDA within a CDA")
    return _read(file.content, file.media_type, nested=True)


def _of_pdf(data: bytes) -> list[TextPage | Scan]:
    try:
        with pypdfium2.PdfDocument(data) as document:
            return list(_pages(document))
    except pypdfium2.PdfiumError as error:
        locked = error.err_code == pdfium.FPDF_ERR_PASSWORD
        raise UnreadableDocumentError("the PDF is encrypted" if locked else "damaged PDF") from None


def _pages(document: pypdfium2.PdfDocument) -> Iterator[TextPage | Scan]:
    if not len(document):
        raise UnreadableDocumentError("the PDF has no pages")
    if len(document) > MOST_PDF_PAGES:
        raise UnreadableDocumentError(f"more than {MOST_PDF_PAGES} pages")
    characters = scans = 0
    for number, page in enumerate(document, start=1):
        text = _layer(page)
        if text:
            characters += len(text)
            yield TextPage(number, text)
        else:
            scans += 1
            yield _picture(page, number)
        page.close()
        if characters > MOST_CHARACTERS:
            raise UnreadableDocumentError(TOO_LONG)
        if scans > MOST_PAGES:
            raise UnreadableDocumentError(f"more than {MOST_PAGES} pages without text")


def _layer(page: pypdfium2.PdfPage) -> str:
    """The text of a page; empty when it has none to speak of, or one that means nothing."""
    layer = page.get_textpage()
    text = _PARTED.sub("", layer.get_text_bounded())
    layer.close()
    legible = len(text) - len(_ILLEGIBLE.findall(text))
    stamped = (
        len(text.split()) < _STAMP and next(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]), None) is not None
    )
    if not text.strip() or legible < _LEGIBLE * len(text) or stamped:
        return ""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _picture(page: pypdfium2.PdfPage, number: int) -> Scan:
    # A picture that PDFium finds no memory for would be left out without a word.
    for picture in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        width, height = picture.get_px_size()
        if width * height > MOST_PIXELS:
            raise UnreadableDocumentError(TOO_MANY_PIXELS)
    longest = max(page.get_size())
    if longest <= 0:
        raise UnreadableDocumentError("damaged PDF")
    bitmap = page.render(scale=LONGEST_SIDE / longest, grayscale=True)
    return scan(bitmap.to_pil(), number)
