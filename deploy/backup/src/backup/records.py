"""Kafka records as bytes, one after the other: what a consumer sees of each, to the byte; its offset is its place.

Numbers are big-endian: timestamp (64 bits, ms), key, value, how many headers, and of each its name and value. A text
of bytes stands after its length (32 bits; -1 where there is none).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from backup.errors import BackupError

_TIME, _LENGTH = struct.Struct(">q"), struct.Struct(">i")
# A broker takes 4 MiB (native_stack.topics); a length beyond is no length.
_LONGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """`timestamp` in milliseconds since 1970."""

    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def encode(record: Record) -> bytes:
    """The bytes of one record."""
    parts = [_TIME.pack(record.timestamp), _sized(record.key), _sized(record.value), _LENGTH.pack(len(record.headers))]
    for name, value in record.headers:
        parts += [_sized(name.encode()), _sized(value)]
    return b"".join(parts)


def decode(file: BinaryIO) -> Iterator[Record]:
    """Every record to the end; BackupError where it ends within one."""
    while head := file.read(_TIME.size):
        (timestamp,) = _TIME.unpack(_whole(head, _TIME.size))
        key, value = _taken(file), _taken(file)
        headers = [((_taken(file) or b"").decode(), _taken(file) or b"") for _ in range(_number(file))]
        yield Record(timestamp, key, value, headers)


def _sized(data: bytes | None) -> bytes:
    return _LENGTH.pack(-1) if data is None else _LENGTH.pack(len(data)) + data


def _number(file: BinaryIO) -> int:
    (number,) = _LENGTH.unpack(_whole(file.read(_LENGTH.size), _LENGTH.size))
    if not -1 <= number <= _LONGEST:
        raise BackupError("a record of Kafka is damaged")
    return int(number)


def _taken(file: BinaryIO) -> bytes | None:
    length = _number(file)
    return None if length < 0 else _whole(file.read(length), length)


def _whole(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise BackupError("a record of Kafka is cut off")
    return data
