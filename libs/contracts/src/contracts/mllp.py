"""MLLP (HL7 v2.5.1, appendix C): the frame of a message, and what its acknowledgement says."""

import asyncio
from dataclasses import dataclass

START, END = b"\x0b", b"\x1c\r"
# Acknowledgement codes of HL7 table 0008 that say that the message was taken.
ACCEPTED = frozenset({"AA", "CA"})
MAX_ANSWER_BYTES = 1024 * 1024


def frame(payload: bytes) -> bytes:
    """A payload in its start and end blocks."""
    return START + payload + END


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """The next payload; EOFError where the stream ends before it does, LimitOverrunError where it is too long."""
    framed = await reader.readuntil(END)
    return framed.removesuffix(END).rpartition(START)[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a message: the code of MSA-1, and of those refused ERR-like text and the code of ERR-3."""

    code: str
    control_id: str
    text: str
    condition: str = ""


def acknowledgement(answer: bytes) -> Answer:
    """MSA-1, MSA-2 and what says why: ERR-8 or MSA-3, and ERR-3. The answer's own separators are used."""
    segments = [segment for segment in answer.split(b"\r") if segment]
    if not segments or not segments[0].startswith(b"MSH") or len(segments[0]) < 5:
        return Answer("unreadable", "", "")
    separator, component = segments[0][3:4], segments[0][4:5]
    fields = {segment[:3]: segment.split(separator) for segment in segments}
    msa, err = fields.get(b"MSA", []), fields.get(b"ERR", [])
    text = _field(err, 8) or _field(err, 7) or _field(msa, 3)
    condition = _field(err, 3).partition(component.decode("latin-1"))[0]
    return Answer(_field(msa, 1) or "unreadable", _field(msa, 2), text, condition)


def _field(fields: list[bytes], number: int) -> str:
    return fields[number].decode("utf-8", "replace") if len(fields) > number else ""
