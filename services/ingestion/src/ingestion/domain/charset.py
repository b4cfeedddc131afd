"""From bytes to text: MSH-18, HL7 table 0211, byte order marks, and what to do when nothing is said."""

import codecs
import re
from dataclasses import dataclass

from longitude.ingestion.v1.events_pb2 import Remark

from ingestion.domain.protocol import table
from ingestion.domain.refusal import Condition, Location, RefusedError, Verdict

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF16_HEADERS = ((b"M\0S\0H\0", "utf-16-le"), (b"\0M\0S\0H", "utf-16-be"))
_MSH_18 = Location("MSH", 1, 18)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a message, the Python codec that gave it, and a remark for the record, if any."""

    text: str
    codec: str
    remark: Remark | None = None


def decode(payload: bytes) -> Decoded:
    """RefusedError when MSH-18 names no known charset, or when the bytes are not in the one it names."""
    if not payload.startswith(b"\0M"):
        payload = payload.lstrip(b"\0\r\n\t ")
    for bom, codec in _BOMS:
        if payload.startswith(bom):
            return Decoded(_strict(payload[len(bom) :], codec), codec)
    for start, codec in _UTF16_HEADERS:
        if payload.startswith(start):
            return Decoded(_strict(payload, codec), codec)
    declared = _declared(payload)
    if not declared:
        return _undeclared(payload)
    return Decoded(_strict(payload, codec_of(declared)), codec_of(declared))


def codec_of(declared: str) -> str:
    """The Python codec of an MSH-18 value; RefusedError for one that nobody knows."""
    codec = table("charsets").get(_plain(declared))
    if codec is None:
        text = "MSH-18 names a character set that is not in HL7 table 0211"
        raise RefusedError(Condition.TABLE_VALUE_NOT_FOUND, text, _MSH_18)
    return codec["codec"]


def _plain(name: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", name.upper())


def _declared(payload: bytes) -> str:
    """MSH-18.1, first repetition, read as ASCII: delimiters and charset names are, in every charset of the table."""
    header = re.split(rb"[\r\n]", payload[:4096], maxsplit=1)[0].decode("latin-1")
    fields = header.split(header[3]) if header.startswith("MSH") and len(header) > 8 else []  # MSH|^~\&|
    if len(fields) < 18 or not fields[1]:  # field 18 is at index 17, since MSH-1 is the separator itself
        return ""
    component, repetition = fields[1][:1], fields[1][1:2] or "~"
    return fields[17].split(repetition)[0].split(component)[0].strip().strip('"')


def _undeclared(payload: bytes) -> Decoded:
    try:
        return Decoded(payload.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        remark = Remark(
            segment="MSH[1]", field="MSH-18", reason="absent and the bytes are not UTF-8; read as windows-1252"
        )
        return Decoded(_strict(payload, "cp1252"), "cp1252", remark)


def _strict(payload: bytes, codec: str) -> str:
    try:
        return payload.decode(codec)
    except UnicodeDecodeError as error:
        text = f"the byte at offset {error.start} is not valid in the character set of the message ({codec})"
        raise RefusedError(Condition.DATA_TYPE, text, _MSH_18, Verdict.ERROR) from None
