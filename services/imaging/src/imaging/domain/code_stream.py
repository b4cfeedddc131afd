"""What a compressed picture says of its own size: JPEG (ISO 10918-1) and JPEG 2000 (ISO 15444-1), without decoding it.

A decoder believes the code stream, whatever the tags of the file around it say.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_JPEG, _JPEG_2000, _BOXED = b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP"
# Start of frame of every coding process; between them lie DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_START_OF_SCAN = 0xDA
_LONGEST_BOXES = 64 * 1024


class Size(NamedTuple):
    """In pixels, and how many values a pixel has."""

    rows: int
    columns: int
    samples: int


def size_of(stream: bytes) -> Size | None:
    """None for what is neither of the two, or ends before it says so."""
    if stream.startswith(_BOXED):
        place = stream.find(_JPEG_2000, 0, _LONGEST_BOXES)
        stream = stream[place:] if place >= 0 else b""
    try:
        if stream.startswith(_JPEG_2000):
            return _of_jpeg_2000(stream)
        return _of_jpeg(stream) if stream.startswith(_JPEG) else None
    except struct.error:
        return None


def _of_jpeg_2000(stream: bytes) -> Size:
    """SIZ (A.5.1): the reference grid without the offset of the image in it."""
    right, bottom, left, top = struct.unpack_from(">4I", stream, 8)
    (samples,) = struct.unpack_from(">H", stream, 40)
    return Size(bottom - top, right - left, samples)


def _of_jpeg(stream: bytes) -> Size | None:
    place = 2
    while True:
        mark, kind = struct.unpack_from(">BB", stream, place)
        if mark != 0xFF or kind == _START_OF_SCAN:
            return None
        if kind in _FRAMES:
            rows, columns, samples = struct.unpack_from(">HHB", stream, place + 5)
            return Size(rows, columns, samples)
        if kind == 0xFF:
            place += 1
        elif kind in _ALONE:
            place += 2
        else:
            place += 2 + struct.unpack_from(">H", stream, place + 2)[0]
