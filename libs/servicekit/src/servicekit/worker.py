"""The process that works on strangers' bytes: it forks for each piece of work, and only the fork sees the bytes.

Started as a script by `servicekit.bounded`, so that it loads the modules it is told to and nothing else of the service.
It has one thread, no secrets in its environment, and ends with the process that started it.

A piece of work is `MODULE:FUNCTION`, called with bytes and answering bytes. Its answer is `+` and the bytes, or `-` and
the type of the error that it raised; what was killed gives none.
"""

import gc
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

HEAD = struct.Struct(">Q")
DONE, FAILED = b"+", b"-"
_CONTROL = 0
_CHUNK = 1024 * 1024


def main(modules: Sequence[str], memory_bytes: int, cpu_seconds: int, wall_seconds: int) -> None:
    """Load what the work needs, say so, then fork for each socket that comes."""
    for name in modules:
        import_module(name)
    # What is loaded is shared with every fork and never looked at by its collector.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, lambda *_: _reap(os.WNOHANG))
    # Who stops the service stops this process by closing its socket, when the work under way is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=_CONTROL)
    control.sendall(b"r")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return _reap(0)
        if os.fork() == 0:
            _child(descriptors[0], memory_bytes, cpu_seconds, wall_seconds)
        os.close(descriptors[0])


def _reap(options: int) -> None:
    """Wait for forks that have ended, so that what they took counts as taken by this process."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _child(descriptor: int, memory_bytes: int, cpu_seconds: int, wall_seconds: int) -> None:
    try:
        os.close(_CONTROL)
        # What native code complains of quotes what it read.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        _bind(memory_bytes, cpu_seconds, wall_seconds)
        with socket.socket(fileno=descriptor) as job:
            for part in _answer(_received(job)):
                job.sendall(part)
    except (OSError, MemoryError):
        os._exit(1)
    os._exit(0)


def _bind(memory_bytes: int, cpu_seconds: int, wall_seconds: int) -> None:
    """The memory is what the work takes beside what is loaded. Files cannot be written."""
    bounds = {
        resource.RLIMIT_AS: _mapped() + memory_bytes,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
    }
    # Where the container as a whole is short of memory, this goes first and not the service.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (bound, bound))
    signal.alarm(wall_seconds)


def _mapped() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def _received(job: socket.socket) -> list[bytes]:
    """The name of the work and its arguments, each behind its length."""
    data = bytearray()
    while chunk := job.recv(_CHUNK):
        data += chunk
    parts, place = [], 0
    while place < len(data):
        (length,) = HEAD.unpack_from(data, place)
        place += HEAD.size
        parts.append(bytes(memoryview(data)[place : place + length]))
        place += length
    return parts


def _answer(parts: list[bytes]) -> tuple[bytes, bytes]:
    module, _, name = parts.pop(0).decode().partition(":")
    try:
        kind, answer = DONE, getattr(import_module(module), name)(*parts)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - its type is told, its text may quote the bytes
        kind, answer = FAILED, type(error).__name__.encode()
    return kind + HEAD.pack(len(answer)), answer


if __name__ == "__main__":
    main(sys.argv[4:], *map(int, sys.argv[1:4]))
