"""Encapsulated data (ED): base64 or hexadecimal to bytes, what kind of file they are, and whether they are whole."""

import base64
import binascii
import codecs
import re

from ingestion.domain.hl7 import Segment
from ingestion.domain.refusal import Condition, RefusedError, Verdict

_TEXT, _XML = "text/plain; charset=utf-8", "application/xml"
# First bytes, media type, and the bytes that must stand near the end of a whole file.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png", b"IEND"),
    (b"\xff\xd8\xff", "image/jpeg", b"\xff\xd9"),
    (b"%PDF-", "application/pdf", b"%%EOF"),
    (b"GIF8", "image/gif", b"\x3b"),
    (b"II*\0", "image/tiff", b""),
    (b"MM\0*", "image/tiff", b""),
    (b"{\\rtf", "application/rtf", b"}"),
    (b"<?xml", _XML, b">"),
    (b"<ClinicalDocument", _XML, b">"),
    (b"<!DOCTYPE html", "text/html", b""),
    (b"<html", "text/html", b""),
)
_START_WINDOW = 1024
_END_WINDOW = 4096
_DECLARED = {
    "PDF": "application/pdf",
    "JPEG": "image/jpeg",
    "JPG": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "GIF": "image/gif",
    "HTML": "text/html",
    "XML": _XML,
    # Table 0291: a document of the Clinical Document Architecture.
    "X-HL7-CDA-LEVEL-ONE": _XML,
    "HL7-CDA+XML": _XML,
    "CDA": _XML,
    "RTF": "application/rtf",
    "PLAIN": _TEXT,
    "TEXT": _TEXT,
}


def encapsulated(obx: Segment) -> tuple[bytes, str] | None:
    """Bytes and media type of OBX-5 (ED); None when there is no data in it.

    RefusedError when the data are not in the encoding that ED.4 names, or when a file of a known kind has no end.
    """
    value = obx.value(5)
    data = value.get(5)
    if not data:
        return None
    encoding = value.get(4).upper()
    content = _decoded(obx, data, encoding)
    # Some senders name the kind of file where its main type stands.
    declared = next((kind for n in (3, 2) if (kind := value.get(n).upper()) in _DECLARED), "")
    return content, _media_type(obx, content, declared)


def text_media_type(text: str) -> str:
    """What a text that came in OBX-5 is: some senders put the source of a formatted file there."""
    known = _signature(text[:_START_WINDOW].encode())
    return known[0] if known else _TEXT


def _decoded(obx: Segment, data: str, encoding: str) -> bytes:
    if encoding == "A":
        return data.encode()
    compact = re.sub(r"\s", "", data)
    try:
        if encoding == "HEX":
            return bytes.fromhex(compact)
        # What is left out at the end to fill up four characters is no data (RFC 4648 section 3.2).
        return base64.b64decode(compact if "=" in compact else compact + "=" * (-len(compact) % 4), validate=True)
    except (ValueError, binascii.Error):
        text = f"OBX-5.5 is not whole {'hexadecimal' if encoding == 'HEX' else 'base64'} data"
        raise RefusedError(Condition.DATA_TYPE, text, obx.at(5, 5), Verdict.ERROR) from None


def _media_type(obx: Segment, content: bytes, declared: str) -> str:
    known = _signature(content[:_START_WINDOW])
    if known is not None:
        media_type, end = known
        if end not in content[-_END_WINDOW:]:
            text = "the file in OBX-5.5 has no end: it was cut off"
            raise RefusedError(Condition.DATA_TYPE, text, obx.at(5, 5), Verdict.ERROR)
        return media_type
    media_type = _DECLARED.get(declared, "application/octet-stream")
    marked_up = media_type == _XML and content.lstrip().startswith(b"<")
    return _TEXT if not (media_type.startswith("text/") or marked_up) and _is_text(content) else media_type


def _signature(start: bytes) -> tuple[str, bytes] | None:
    """Media type and end of the kind of file that begins so, whatever its case and a byte order mark before it."""
    begun = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    return next(((kind, end) for first, kind, end in _SIGNATURES if begun.startswith(first.lower())), None)


def _is_text(content: bytes) -> bool:
    """Whether bytes are printable UTF-8: what is declared as an image then is none."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\r\n\t\f" for c in text)
