"""The end of a server's log, for a report on why it died."""

from collections import deque
from pathlib import Path

_LINES = 15
_LONGEST = 400


def tail(log: Path) -> str:
    """The last lines of a log, indented; of each line at most its first 400 characters."""
    if not log.exists():
        return "    (there is no log)"
    with log.open(errors="replace") as lines:
        last = deque(lines, maxlen=_LINES)
    return "\n".join(f"    {line.rstrip()[:_LONGEST]}" for line in last) or "    (its log is empty)"
