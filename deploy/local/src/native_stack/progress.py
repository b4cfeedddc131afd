"""A stack's start, told while it happens: a line for each part that is ready, and below it who is awaited."""

import sys
import time

from native_stack.record import StackRecord


class Progress:
    """Called again and again with the newest record; writes only what is new."""

    def __init__(self) -> None:
        """Start the clock."""
        self._begun = time.monotonic()
        self._told: set[str] = set()

    def __call__(self, record: StackRecord) -> None:
        """Tell what changed."""
        for name, part in record.parts.items():
            if part.state == "ready" and name not in self._told:
                self._told.add(name)
                self._write(f"  {name:<10} ready in {part.start_seconds:5.1f} s\n")
        awaited = [name for name, part in record.parts.items() if part.state in ("preparing", "starting")]
        if record.phase == "ready":
            self._write(f"all {len(record.parts)} parts are up after {time.monotonic() - self._begun:.1f} s\n")
        elif sys.stdout.isatty():
            self._write(f"  {time.monotonic() - self._begun:5.1f} s, waiting for {', '.join(awaited)}")

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(f"\r\x1b[2K{text}" if sys.stdout.isatty() else text)
        sys.stdout.flush()


def table(record: StackRecord) -> str:
    """One line for each part: state, process id, start time, exit code."""
    rows = [f"{'part':<10}  {'state':<9}  {'pid':>7}  {'start':>7}"]
    for name, part in record.parts.items():
        pid = part.process.pid if part.process else "-"
        start = f"{part.start_seconds:.1f} s" if part.start_seconds is not None else "-"
        ended = f"  exit code {part.exit_code}" if part.exit_code is not None else ""
        rows.append(f"{name:<10}  {part.state:<9}  {pid:>7}  {start:>7}{ended}")
    return "\n".join(rows)
