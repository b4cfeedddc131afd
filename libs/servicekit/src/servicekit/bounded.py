"""Work on bytes that strangers sent, in processes that have bounds of memory, time and answer and may be killed.

Guarantee: whatever the bytes do to a decoder, the service goes on and the caller gets a `WorkKilledError`. A process is
forked for each piece of work from one that has loaded the decoders (`servicekit.worker`): a fork costs milliseconds,
and nothing of one stranger's bytes is there when the next one's are read.
"""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import UnavailableError
from prometheus_client import Counter

from servicekit import worker

KILLED = Counter("servicekit_work_killed_total", "Pieces of work that a bound ended or a decoder crashed in", ["work"])

# For the decoders to be loaded, in seconds.
_PATIENCE = 60.0
_CHUNK = 1024 * 1024
# Numeric libraries would start threads, and a process with threads cannot be forked from.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one piece of work; the memory is counted beside what the decoders themselves take."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: int
    answer_bytes: int


class WorkKilledError(Exception):
    """The work took more than it may, or its process crashed."""


class WorkFailedError(Exception):
    """The work raised an error; the text is its type."""


class Workers:
    """At most `most` pieces of work at a time; further ones wait."""

    def __init__(self, modules: Sequence[str], bounds: Bounds, most: int) -> None:
        self._modules = modules
        self._bounds = bounds
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="bounded")
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @classmethod
    @asynccontextmanager
    async def running(cls, modules: Sequence[str], bounds: Bounds, most: int) -> AsyncIterator["Workers"]:
        """Workers while inside. The decoders are loaded meanwhile; who comes earlier waits."""
        workers = cls(modules, bounds, most)
        workers._threads.submit(workers._server)
        try:
            yield workers
        finally:
            await asyncio.to_thread(workers.close)

    async def run(self, work: str, *arguments: bytes) -> bytearray:
        """The answer of `MODULE:FUNCTION`; WorkKilledError, WorkFailedError, or UnavailableError without processes."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._done, [work.encode(), *arguments])
        except WorkKilledError:
            KILLED.labels(work.rpartition(":")[2]).inc()
            raise

    def close(self) -> None:
        """Wait for the work under way, then end the process."""
        self._threads.shutdown()
        self._end()

    def _done(self, request: Sequence[bytes]) -> bytearray:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                for end in (ours, theirs):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _CHUNK)
                self._hand_over(theirs)
            # Its own alarm ends the work earlier; this ends the waiting where that was turned off.
            ours.settimeout(self._bounds.wall_seconds + _PATIENCE)
            with suppress(BrokenPipeError, ConnectionResetError):
                for part in request:
                    ours.sendall(worker.HEAD.pack(len(part)))
                    ours.sendall(part)
                ours.shutdown(socket.SHUT_WR)
            return self._answer(ours)

    def _answer(self, ours: socket.socket) -> bytearray:
        try:
            head = _exactly(ours, 1 + worker.HEAD.size)
            (length,) = worker.HEAD.unpack(head[1:])
            if length > self._bounds.answer_bytes:
                raise WorkKilledError("the answer is too long")
            answer = _exactly(ours, length)
        except (EOFError, OSError) as error:
            raise WorkKilledError("no answer") from error
        if head[:1] == worker.FAILED:
            raise WorkFailedError(answer.decode("ascii", "replace"))
        return answer

    def _hand_over(self, theirs: socket.socket) -> None:
        """Once more where the process has died since: it may have been what a container was short of."""
        for control in (self._server(), None):
            try:
                socket.send_fds(control or self._server(), [b"j"], [theirs.fileno()])
            except OSError:
                continue
            return
        raise UnavailableError("worker: no process can be started")

    def _server(self) -> socket.socket:
        with self._starting:
            if self._process is None or self._control is None or self._process.poll() is not None:
                self._end()
                self._process, self._control = self._start()
            return self._control

    def _start(self) -> tuple["subprocess.Popen[bytes]", socket.socket]:
        bounds = (self._bounds.memory_bytes, self._bounds.cpu_seconds, self._bounds.wall_seconds)
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - this interpreter and a script of this package
                [sys.executable, "-I", str(Path(worker.__file__)), *map(str, bounds), *self._modules],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )
        ours.settimeout(_PATIENCE)
        try:
            _exactly(ours, 1)
        except (EOFError, OSError) as error:
            ours.close()
            process.kill()
            process.wait()
            raise UnavailableError("worker: its process does not start") from error
        return process, ours

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _exactly(of: socket.socket, many: int) -> bytearray:
    """So many bytes; EOFError when the other side ends before."""
    data = bytearray(many)
    view, place = memoryview(data), 0
    while place < many:
        received = of.recv_into(view[place:], min(many - place, _CHUNK))
        if not received:
            raise EOFError
        place += received
    return data
