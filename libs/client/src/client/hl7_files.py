"""HL7 v2 messages out of files as people have them: one or many to a file, batches, any line ends.

Guarantee: a message's bytes are not touched but for its segment ends, which become the carriage returns of the
standard, and a byte order mark before it, which is taken off. Whether they are good HL7 is for the listener to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

START_BLOCK, END_BLOCK = b"\x0b", b"\x1c"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# File and batch envelopes (chapter 2.10.3) hold messages and are none themselves.
_ENVELOPES = (b"FHS", b"BHS", b"BTS", b"FTS")
_SEGMENT_END = re.compile(rb"\r\n|\r|\n")


def messages_in(data: bytes) -> Iterator[bytes]:
    """The messages of a file, each ending with a carriage return.

    A file without any MSH is one message as it stands: the listener answers what is wrong with it.
    """
    segments = _segments(data)
    if not any(segment.startswith(b"MSH") for segment in segments):
        if segments:
            yield _joined(segments)
        return
    message: list[bytes] = []
    for segment in segments:
        if segment.startswith(_ENVELOPES):
            continue
        if segment.startswith(b"MSH") and message:
            yield _joined(message)
            message = []
        message.append(segment)
    if message:
        yield _joined(message)


def _segments(data: bytes) -> list[bytes]:
    text = data.removeprefix(BYTE_ORDER_MARK).replace(START_BLOCK, b"").replace(END_BLOCK, b"\r")
    lines = (line.removeprefix(BYTE_ORDER_MARK).strip(b" \t") for line in _SEGMENT_END.split(text))
    return [line for line in lines if line]


def _joined(segments: list[bytes]) -> bytes:
    return b"\r".join(segments) + b"\r"
