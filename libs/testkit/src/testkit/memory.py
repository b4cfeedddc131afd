"""How much memory a piece of work takes at its peak, measured in a process of its own."""

import os
import resource
import traceback
from collections.abc import Callable
from pathlib import Path


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
        before = _high_water()
        try:
            work()
        except Exception:  # noqa: BLE001 - a refusal, shown in the test's output
            traceback.print_exc()
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        os.write(writer, str(max(_high_water() - before, children)).encode())
        status = 0
    finally:
        os._exit(status)


def _high_water() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
