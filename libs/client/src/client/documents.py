"""What `longitude check` is given: the format of a file, by its content, and the text that a reader sees of it.

Guarantee: a text and Markdown stay as they are, to the character; of every other format only what a reader sees becomes
text (as Markdown); what is none of these, damaged or beyond the bounds is a ClientError in one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message

from markup import UnreadableMarkupError, Wrapped, as_markdown, read_html, read_xml

from client.errors import ClientError
from client.fhir import Attachment, composition, is_fhir, resource

MOST_CHARACTERS = 100_000
MOST_BYTES = 8 * 1024 * 1024
TEXT = "text"
_CHECKED = "plain text, Markdown, HTML, C-CDA, and FHIR JSON of a Composition or DocumentReference are checked"
# How files begin that are no text.
_OTHERS = (
    (b"%PDF-", "a PDF"),
    (b"{\\rtf", "RTF"),
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"II*\0", "an image"),
    (b"MM\0*", "an image"),
    (b"MSH|", "an HL7 v2 message"),
)
_BEFORE = b"\xef\xbb\xbf \t\r\n"
_HTML = re.compile(rb"(?:<!--.*?-->\s*)*(?:<!doctype\s+html\b|<html\b)", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"<\?xml\b|<!--|<!DOCTYPE\b|<[A-Za-z][\w.:-]*(?:\s[^<>]*)?/?>|(?:\xff\xfe<\0|\xfe\xff\0<)")


@dataclass(frozen=True, slots=True)
class Document:
    """`text`: what is checked. `format`: text, html, c-cda, fhir-composition, fhir-document-reference."""

    format: str
    text: str


def read_document(data: bytes) -> Document:
    """The text of a file; ClientError when it has none that can be checked."""
    if len(data) > MOST_BYTES:
        raise ClientError(f"the file has more than {MOST_BYTES // 1024**2} MiB")
    try:
        document = _of(data)
    except UnreadableMarkupError as error:
        raise ClientError(str(error)) from None
    if len(document.text) > MOST_CHARACTERS:
        raise ClientError(f"the text has more than {MOST_CHARACTERS:,} characters; check it in parts")
    if not document.text.strip():
        raise ClientError("the text is empty")
    if any("\ud800" <= character <= "\udfff" for character in document.text):
        raise ClientError("the text has half a character")
    return document


def is_text(beginning: bytes) -> bool:
    """Whether what begins so is plain text or Markdown."""
    head = beginning.lstrip(_BEFORE)
    other = any(head.startswith(mark) for mark, _ in _OTHERS) or is_fhir(head)
    return not (other or _HTML.match(head) or _XML.match(head))


def _of(data: bytes) -> Document:
    head = data.lstrip(_BEFORE)
    for mark, name in _OTHERS:
        if head.startswith(mark):
            raise ClientError(f"this is {name}; {_CHECKED}")
    if is_fhir(head):
        return _of_fhir(data)
    if _HTML.match(head):
        return Document("html", as_markdown(read_html(data)))
    if _XML.match(head):
        return _of_xml(data)
    return Document(TEXT, _decoded(data, "utf-8"))


def _of_fhir(data: bytes) -> Document:
    read = resource(_decoded(data, "utf-8-sig"))
    kind = read.get("resourceType")
    if kind in ("Bundle", "Composition"):
        return Document("fhir-composition", as_markdown(composition(read)))
    if kind == "DocumentReference":
        return Document("fhir-document-reference", _attached(Attachment.all_of(read)))
    raise ClientError(f"this is a FHIR {kind}; {_CHECKED}" if kind else f"this is JSON and no FHIR; {_CHECKED}")


def _of_xml(data: bytes) -> Document:
    content = read_xml(data)
    if isinstance(content, Wrapped):
        return Document("c-cda", _typed(content.content, content.media_type, _unnested))
    # In UTF-16 each other byte is empty.
    is_cda = b"ClinicalDocument" in data.replace(b"\0", b"")
    return Document("c-cda" if is_cda else "html", as_markdown(content))


def _attached(attachments: list[Attachment]) -> str:
    """The first rendition of the document that can be read; they all say the same."""
    readable = [each for each in attachments if each.data and _reader(each.media_type)]
    if not readable:
        types = ", ".join(sorted({each.media_type or "no type" for each in attachments})) or "nothing"
        raise ClientError(f"the DocumentReference holds no text itself ({types}); {_CHECKED}")
    return _typed(readable[0].data, readable[0].media_type, _of_xml)


def _typed(data: bytes, media_type: str, of_xml: Callable[[bytes], Document]) -> str:
    """The text of content of a declared type."""
    match _reader(media_type):
        case "text":
            return _decoded(data, _parsed(media_type).get_content_charset() or "utf-8")
        case "html":
            return as_markdown(read_html(data, _parsed(media_type).get_content_charset()))
        case "xml":
            return of_xml(data).text
    raise ClientError(f"the document holds {_parsed(media_type).get_content_type()}; {_CHECKED}")


def _unnested(_: bytes) -> Document:
    raise ClientError("the C-CDA holds another document of XML")


_READERS = {
    **dict.fromkeys(("text/plain", "text/markdown"), "text"),
    "text/html": "html",
    **dict.fromkeys(
        (
            *("application/xml", "text/xml", "application/xhtml+xml", "application/hl7-cda+xml"),
            *("application/cda+xml", "application/hl7-v3+xml"),
        ),
        "xml",
    ),
}


def _reader(media_type: str) -> str | None:
    return _READERS.get(_parsed(media_type).get_content_type()) if media_type else None


def _parsed(media_type: str) -> Message:
    header = Message()
    header["Content-Type"] = media_type
    return header


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except UnicodeDecodeError as error:
        raise ClientError(f"not a text in {charset.upper().removesuffix('-SIG')} (byte {error.start})") from None
    except LookupError:
        raise ClientError("the text is in a character set that is not known") from None
