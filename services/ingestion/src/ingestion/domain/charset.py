"""From bytes to text: MSH-18, HL7 table 0211, ISO 2022, byte order marks, and what to do when nothing is said."""

import codecs
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache

from longitude.ingestion.v1.events_pb2 import Remark

from ingestion.domain.protocol import Row, table
from ingestion.domain.refusal import Condition, Location, RefusedError, Verdict

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF16_HEADERS = ((b"M\0S\0H\0", "utf-16-le"), (b"\0M\0S\0H", "utf-16-be"))
_MSH_18 = Location("MSH", 1, 18)
_ESC = b"\x1b"
_HIGH = 0x80
# Bytes of these are never of ISO 2022: an ESC in them is a character.
_UNICODE = frozenset({"utf-8", "utf-16"})
_RUNS = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")


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
    names, escape = _declared(payload)
    declared = [codec_of(name) for name in names if name]
    if not declared:
        return _undeclared(payload, escape)
    if len(names) > 1 or declared[0] not in _UNICODE:
        payload = _with_escapes(payload, escape)
        return Decoded(_strict(payload, declared[0], decode_bytes), declared[0])
    return Decoded(_strict(payload, declared[0]), declared[0])


@lru_cache(maxsize=256)
def codec_of(declared: str) -> str:
    """The Python codec of an MSH-18 value; RefusedError for one that nobody knows."""
    codec = table("charsets").get(_plain(declared))
    if codec is None:
        text = "MSH-18 names a character set that is not in HL7 table 0211"
        raise RefusedError(Condition.TABLE_VALUE_NOT_FOUND, text, _MSH_18)
    return codec["codec"]


def decode_bytes(data: bytes, codec: str) -> str:
    """Text of bytes in which ISO 2022 may designate other sets; UnicodeDecodeError when they are in none.

    A line begins with the set of the message (v2.5.1 section 2.15.9.18): ASCII where that is one of ISO 2022.
    """
    if _ESC not in data:
        return data.decode(codec)
    codec = "ascii" if codec.startswith("iso2022") else codec
    halves: dict[str, Row] = {}
    text: list[str] = []
    for piece in _designations().split(data):
        row = table("designations").get(piece[1:].decode("latin-1")) if piece.startswith(_ESC) else None
        if row is not None:
            halves[row["half"]] = row
        elif piece in {b"\r", b"\n"}:
            halves.clear()
            text.append(piece.decode())
        elif not halves:
            text.append(piece.decode(codec))
        else:
            text.extend(_of_half(run, halves, codec) for run in _RUNS.findall(piece))
    return "".join(text)


def _of_half(run: bytes, halves: dict[str, Row], codec: str) -> str:
    row = halves.get("G1" if run[0] >= _HIGH else "G0")
    if row is None or row["codec"] == "ascii":
        return run.decode(codec)
    width, prefix = int(row["width"]), bytes.fromhex(row["prefix"])
    high = bytes(byte | _HIGH for byte in run)
    return b"".join(prefix + high[at : at + width] for at in range(0, len(high), width)).decode(row["codec"])


@cache
def _designations() -> re.Pattern[bytes]:
    known = b"|".join(re.escape(sequence.encode()) for sequence in table("designations"))
    return re.compile(rb"(\x1b(?:" + known + rb")|[\r\n])")


def _with_escapes(payload: bytes, escape: bytes) -> bytes:
    r"""The escape sequences `\C..\` and `\M..\` as the designations that they are (v2.5.1 section 2.7.2)."""
    if not escape or (escape + b"C" not in payload and escape + b"M" not in payload):
        return payload
    mark = re.escape(escape)
    return re.sub(mark + rb"[CM]([0-9A-Fa-f]{4}|[0-9A-Fa-f]{6})" + mark, _designation, payload)


def _designation(match: re.Match[bytes]) -> bytes:
    sequence = bytes.fromhex(match[1].decode())
    return _ESC + sequence if sequence.decode("latin-1") in table("designations") else match[0]


def _plain(name: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", name.upper())


def _declared(payload: bytes) -> tuple[list[str], bytes]:
    """The repetitions of MSH-18, and the escape character, read as ASCII: they are, in every charset of the table."""
    header = re.split(rb"[\r\n]", payload[:4096], maxsplit=1)[0].decode("latin-1")
    fields = header.split(header[3]) if header.startswith("MSH") and len(header) > 8 else []  # MSH|^~\&|
    if len(fields) < 2 or not fields[1]:
        return [], b""
    component, repetition, escape = fields[1][:1], fields[1][1:2] or "~", fields[1][2:3].encode("latin-1")
    names = fields[17].split(repetition) if len(fields) > 17 else []  # MSH-1 is the separator itself
    return [name.split(component)[0].strip().strip('"') for name in names], escape


def _undeclared(payload: bytes, escape: bytes) -> Decoded:
    with suppress(UnicodeDecodeError):
        return Decoded(decode_bytes(_with_escapes(payload, escape), "utf-8"), "utf-8")
    with suppress(UnicodeDecodeError):
        return Decoded(payload.decode("utf-8"), "utf-8")
    remark = Remark(segment="MSH[1]", field="MSH-18", reason="absent and the bytes are not UTF-8; read as windows-1252")
    return Decoded(_strict(payload, "cp1252"), "cp1252", remark)


def _strict(payload: bytes, codec: str, reading: Callable[[bytes, str], str] = bytes.decode) -> str:
    try:
        return reading(payload, codec)
    except UnicodeDecodeError as error:
        place = f"the byte at offset {error.start}" if error.object == payload else "a byte"
        text = f"{place} is not valid in the character set of the message ({codec})"
        raise RefusedError(Condition.DATA_TYPE, text, _MSH_18, Verdict.ERROR) from None
