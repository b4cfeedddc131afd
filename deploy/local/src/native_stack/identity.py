"""A process named so that it cannot be mistaken for another one: its id and its start time.

Process ids are used again by the kernel; the pair is not. Nothing here ever signals a process found by name.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_START_TIME = 19  # field 22 of proc_pid_stat(5), counted after the command's closing parenthesis
_STATE = 0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """`started` is in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        """The identity of a live process; ProcessLookupError if there is none."""
        return cls(pid, int(_stat(pid)[_START_TIME]))

    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        try:
            fields = _stat(self.pid)
        except ProcessLookupError:
            return False
        return int(fields[_START_TIME]) == self.started and fields[_STATE] != "Z"

    def send(self, number: signal.Signals) -> None:
        """Signal this very process; nothing happens if it is gone."""
        if self.alive():
            os.kill(self.pid, number)

    def end(self, grace_s: float) -> None:
        """SIGTERM, and after `grace_s` seconds SIGKILL; returns when the process is gone."""
        self.send(signal.SIGTERM)
        if not self.wait(grace_s):
            self.send(signal.SIGKILL)
            self.wait(10)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False when it outlives the time given."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        raise ProcessLookupError(f"no process {pid}") from None
    return text.rpartition(")")[2].split()
