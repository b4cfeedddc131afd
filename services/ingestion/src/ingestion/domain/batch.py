"""Batch files (FHS, BHS, BTS, FTS) and plain concatenations, taken apart into the messages inside.

A batch is a way to carry messages, not a message: each one inside is sent and answered by itself.
Source: HL7 v2.5.1 section 2.10.3.
"""

import re

_ENVELOPE = re.compile(rb"(?:FHS|BHS|BTS|FTS)(?![A-Z0-9])[^\r\n]*[\r\n]*")
_MESSAGE = re.compile(rb"(?:\A|(?<=[\r\n\x0b]))MSH(?![A-Za-z0-9\r\n ])")
_BOM = b"\xef\xbb\xbf"
_FRAMING = b"\x0b\x1c"


def split_batch(data: bytes) -> list[bytes]:
    """The messages of a file in their order, byte for byte; empty when there is none."""
    data = data.removeprefix(_BOM)
    starts = [match.start() for match in _MESSAGE.finditer(data)]
    return [
        _without_envelope(data[start:end]) for start, end in zip(starts, [*starts[1:], len(data)], strict=bool(starts))
    ]


def _without_envelope(message: bytes) -> bytes:
    """A message without the batch segments and framing bytes that follow it."""
    end = next((m.start() for m in _ENVELOPE.finditer(message) if message[m.start() - 1] in b"\r\n"), len(message))
    return message[:end].rstrip(_FRAMING + b"\r\n\0 ") + b"\r"
