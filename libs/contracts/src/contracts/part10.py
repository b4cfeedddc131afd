"""A DICOM file (PS3.10) whose data set is deflated (PS3.5 A.5), inflated within a bound.

What decodes DICOM inflates everything before it looks at anything: a stranger's megabyte becomes gigabytes.
"""

import struct
import zlib

_META_LENGTH = b"\x02\0\0\0UL\x04\0"
_META = 144
_DEFLATED = b"1.2.840.10008.1.2.1.99"
# The same syntax without deflation, filled up to the same length.
_EXPLICIT = b"1.2.840.10008.1.2.1\0\0\0"
_CHUNK = 1024 * 1024


class TooLargeError(ValueError):
    """The data set is larger than the bound once it is inflated."""


def inflated(data: bytes, most: int, kept: int | None = None) -> bytes:
    """The same file, not deflated; other files as they are. Of the data set its first `kept` bytes, else all.

    TooLargeError for more than `most` bytes; ValueError for what cannot be inflated.
    """
    end = _end_of_meta(data)
    if end is None or _DEFLATED not in data[:end]:
        return data
    return data[:end].replace(_DEFLATED, _EXPLICIT) + _inflated(data[end:], most, most if kept is None else kept)


def _end_of_meta(data: bytes) -> int | None:
    if data[128:132] != b"DICM" or data[132:140] != _META_LENGTH:
        return None
    (length,) = struct.unpack_from("<I", data, _META - 4) if len(data) >= _META else (0,)
    return min(_META + int(length), len(data))


def _inflated(data: bytes, most: int, kept: int) -> bytes:
    """Goes on behind what is kept, piece by piece, so that the size is known and nothing else remains of it."""
    unpacker, result, size = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), 0
    try:
        while data and not unpacker.eof:
            piece = unpacker.decompress(data, _CHUNK)
            size += len(piece)
            result += piece[: max(kept - len(result), 0)]
            data = unpacker.unconsumed_tail
            if size > most:
                raise TooLargeError("too large once it is inflated")
    except zlib.error:
        raise ValueError("cannot be inflated") from None
    return bytes(result)
