"""MLLP framing, sans I/O: bytes in, frames and broken frames out, in the order in which they began.

The result does not depend on how the bytes were split. Nothing is dropped silently: what is not a frame comes out as a
`BrokenFrame` with the bytes that were kept. Memory is bounded by the largest frame. Source: HL7 v2.5.1 appendix C.4.3.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from contracts.mllp import START

# Senders that end a block with LF, or start the next one without the final CR, are understood.
_END = re.compile(rb"\x1c(?:[\r\n]|(?=\x0b))")
# A start block followed by a header inside a frame: the frame before it never ended.
_RESTART = re.compile(rb"\x0b(?=MSH)")
_FILLERS = b"\0\t\n\r \x1c"
_KEPT = 64 * 1024


class Fault(StrEnum):
    """What is wrong with a broken frame."""

    OVERSIZED = "frame over the size limit"
    UNTERMINATED = "no end block"
    # Bytes outside any frame, followed by a frame: answering them would shift the answers of the frames.
    NOISE = "bytes outside a frame"
    # Bytes outside any frame, and the connection ended or fell silent.
    UNFRAMED = "no start block"


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes between a start and an end block, possibly none."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class BrokenFrame:
    """`kept`: the first bytes; `size`: how many there were in all."""

    fault: Fault
    kept: bytes
    size: int


Received = Frame | BrokenFrame


class _State(Enum):
    OUTSIDE = 0
    INSIDE = 1
    DRAINING = 2


class Framer:
    """Cuts one connection's bytes into frames.

    `limit`: largest payload in bytes; of a larger one up to `drain` bytes more are read to find its end.
    """

    def __init__(self, limit: int, drain: int | None = None) -> None:
        self._limit = limit
        self._drain = 4 * limit if drain is None else drain
        self._state = _State.OUTSIDE
        self._buffer = bytearray()
        # No end block starts before this position of the buffer.
        self._scanned = 0
        self._head = b""
        self._size = 0
        self._exhausted = False

    @property
    def inside(self) -> bool:
        """Whether a frame (or noise) has begun and not ended."""
        return self._state is not _State.OUTSIDE or self._size > 0

    @property
    def held(self) -> int:
        """Bytes that are kept until their frame is whole."""
        return len(self._buffer)

    @property
    def exhausted(self) -> bool:
        """Whether a bound was passed and the connection has to be closed after the answers."""
        return self._exhausted

    def feed(self, data: bytes) -> list[Received]:
        """Take the next bytes of the connection."""
        received: list[Received] = []
        self._buffer += data
        steps = {_State.OUTSIDE: self._skip, _State.INSIDE: self._collect, _State.DRAINING: self._discard}
        while not self._exhausted and steps[self._state](received):
            pass
        return received

    def close(self) -> list[Received]:
        """The connection ended, or fell silent for too long: what had begun comes out as it is."""
        received: list[Received] = []
        if self._state is _State.INSIDE:
            # An end block whose CR never came is an end block.
            ended = self._buffer.endswith(b"\x1c")
            _emit(bytes(self._buffer[:-1] if ended else self._buffer), received, ended=ended)
        elif self._state is _State.DRAINING:
            received.append(BrokenFrame(Fault.OVERSIZED, self._head, self._size + len(self._buffer)))
        elif self._size:
            received.append(BrokenFrame(Fault.UNFRAMED, self._head, self._size))
        self._reset(_State.OUTSIDE)
        self._buffer.clear()
        return received

    def _reset(self, state: _State) -> None:
        self._state, self._head, self._size, self._scanned = state, b"", 0, 0

    def _skip(self, received: list[Received]) -> bool:
        start = self._buffer.find(START)
        self._add_noise(bytes(self._buffer[:start] if start >= 0 else self._buffer))
        if start < 0:
            self._buffer.clear()
            return False
        if self._size:
            received.append(BrokenFrame(Fault.NOISE, self._head, self._size))
        del self._buffer[: start + 1]
        self._reset(_State.INSIDE)
        return True

    def _add_noise(self, data: bytes) -> None:
        if not self._size:
            data = data.lstrip(_FILLERS)
        self._head = (self._head + data)[:_KEPT]
        self._size += len(data)
        self._exhausted = self._size > self._drain

    def _collect(self, received: list[Received]) -> bool:
        end = _END.search(self._buffer, self._scanned)
        if end is None:
            self._scanned = max(len(self._buffer) - 1, 0)
            return self._overflows() and self._start_draining()
        if end.start() > self._limit:
            return self._start_draining()
        payload = bytes(self._buffer[: end.start()])
        del self._buffer[: end.end()]
        self._reset(_State.OUTSIDE)
        _emit(payload, received, ended=True)
        return True

    def _overflows(self) -> bool:
        """Whether the payload is over the limit, whatever follows (a last 0x1C may begin the end block)."""
        return len(self._buffer) - self._buffer.endswith(b"\x1c") > self._limit

    def _start_draining(self) -> bool:
        self._state = _State.DRAINING
        self._head = bytes(self._buffer[: min(self._limit, _KEPT)])
        return True

    def _discard(self, received: list[Received]) -> bool:
        end = _END.search(self._buffer)
        keep = 1 if end is None and self._buffer.endswith(b"\x1c") else 0
        gone = end.start() if end else len(self._buffer) - keep
        self._size += gone
        del self._buffer[: end.end() if end else gone]
        self._exhausted = self._size > self._limit + self._drain
        if end is None and not self._exhausted:
            return False
        received.append(BrokenFrame(Fault.OVERSIZED, self._head, self._size))
        self._reset(_State.OUTSIDE)
        return True


def _emit(payload: bytes, received: list[Received], *, ended: bool) -> None:
    *lost, last = _RESTART.split(payload.lstrip(START))
    received.extend(BrokenFrame(Fault.UNTERMINATED, part, len(part)) for part in lost)
    received.append(Frame(last) if ended else BrokenFrame(Fault.UNTERMINATED, last, len(last)))
