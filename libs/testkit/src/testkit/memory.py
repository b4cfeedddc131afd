"""How much memory a piece of work takes at its peak, measured in a process of its own."""

import os
import resource
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Seconds between two looks at the processes that the work started, and MiB that a copy of a process takes beside it.
_PAUSE, _SLACK = 0.002, 16
# Seconds that the last look may take.
_END = 5.0


def peak_of(work: Callable[[], object]) -> int:
    """MiB by which doing the work raised the peak of a forked process or of the largest of its children.

    The work's own errors count as done: a refusal is what most tests want. A process that dies is an AssertionError.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _measure(work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        figures = answer.read()
    _, status = os.waitpid(child, 0)
    assert not status, f"the process that did the work died: {status}"
    return int(figures)


def _measure(work: Callable[[], object], writer: int) -> None:
    status = 1
    try:
        # The high-water mark begins anew: what the parent took is not counted.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = _high_water("self")
        with _watched() as children:
            try:
                work()
            except Exception:  # noqa: BLE001 - a refusal, shown in the test's output
                traceback.print_exc()
        ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        # A process begins as a copy of this one, and its usage counts that too: only what is above it says anything.
        children.append(ended if ended > before + _SLACK else 0)
        os.write(writer, str(max(_high_water("self") - before, *children)).encode())
        status = 0
    finally:
        os._exit(status)


@contextmanager
def _watched() -> Iterator[list[int]]:
    """The peaks of the processes that are started inside, by looking again and again; never lower than before."""
    peaks, over = [0], threading.Event()

    def watch() -> None:
        own = Path("/proc/self/cmdline").read_bytes()
        while not over.wait(_PAUSE):
            for child in _descendants("self"):
                with suppress(OSError, StopIteration):
                    # Until it runs its own program it is a copy of this process.
                    if Path(f"/proc/{child}/cmdline").read_bytes() != own:
                        peaks[0] = max(peaks[0], _high_water(child))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        # A thread of a forked process may never end where a library that the process was begun with cannot be forked.
        watcher.join(_END)


def _descendants(process: str) -> Iterator[str]:
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                yield child
                yield from _descendants(child)


def _high_water(process: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
