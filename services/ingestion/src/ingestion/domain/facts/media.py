"""Encapsulated data (ED): base64 or hexadecimal to bytes, what kind of file they are, and whether they are whole."""

import base64
import binascii
import re

from ingestion.domain.hl7 import Segment
from ingestion.domain.refusal import Condition, RefusedError, Verdict

_TEXT = "text/plain; charset=utf-8"
# First bytes, media type, and the bytes that must stand near the end of a whole file.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png", b"IEND"),
    (b"\xff\xd8\xff", "image/jpeg", b"\xff\xd9"),
    (b"%PDF-", "application/pdf", b"%%EOF"),
    (b"GIF8", "image/gif", b"\x3b"),
    (b"II*\0", "image/tiff", b""),
    (b"MM\0*", "image/tiff", b""),
    (b"{\\rtf", "application/rtf", b"}"),
    (b"<?xml", "application/xml", b">"),
)
_END_WINDOW = 4096
_DECLARED = {
    "PDF": "application/pdf",
    "JPEG": "image/jpeg",
    "JPG": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "GIF": "image/gif",
    "HTML": "text/html",
    "XML": "application/xml",
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
    subtype = value.get(3).upper()
    return content, _media_type(obx, content, subtype)


def _decoded(obx: Segment, data: str, encoding: str) -> bytes:
    if encoding == "A":
        return data.encode()
    compact = re.sub(r"\s", "", data)
    try:
        if encoding == "HEX":
            return bytes.fromhex(compact)
        return base64.b64decode(compact, validate=True)
    except (ValueError, binascii.Error):
        text = f"OBX-5.5 is not whole {'hexadecimal' if encoding == 'HEX' else 'base64'} data"
        raise RefusedError(Condition.DATA_TYPE, text, obx.at(5, 5), Verdict.ERROR) from None


def _media_type(obx: Segment, content: bytes, subtype: str) -> str:
    for start, media_type, end in _SIGNATURES:
        if content.startswith(start):
            if end not in content[-_END_WINDOW:]:
                text = "the file in OBX-5.5 has no end: it was cut off"
                raise RefusedError(Condition.DATA_TYPE, text, obx.at(5, 5), Verdict.ERROR)
            return media_type
    declared = _DECLARED.get(subtype, "application/octet-stream")
    return _TEXT if not declared.startswith("text/") and _is_text(content) else declared


def _is_text(content: bytes) -> bool:
    """Whether bytes are printable UTF-8: what is declared as an image then is none."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\r\n\t\f" for c in text)
