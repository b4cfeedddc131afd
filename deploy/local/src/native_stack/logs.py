"""The end of a server's log, for a report on why it died. What a stranger sent and a server quotes does nothing."""

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
    return "\n".join(f"    {_shown(line.rstrip()[:_LONGEST])}" for line in last) or "    (its log is empty)"


def _shown(line: str) -> str:
    r"""What would act on a terminal (control characters, marks of direction) by its number, `\x1b` or `\u202e`."""
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line)
