"""The demo's clock: what runs now, live, and how long each stage took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status

Say = Callable[[str], None]


@dataclass
class Stages:
    """Runs stages one after another on a console; `seconds` keeps their times by name."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Say]:
        """A stage with a spinner; what it yields is called with whatever is worth showing now."""
        began = time.monotonic()
        last = [""]
        with self.console.status(name) as status:
            yield lambda text: self._say(status, name, text, last)
        self.seconds[name] = time.monotonic() - began
        detail = f"  [dim]{last[0]}[/dim]" if last[0] else ""
        self.console.print(f"[green]✓[/green] {name:<28}{self.seconds[name]:>7.1f} s{detail}", highlight=False)

    @staticmethod
    def _say(status: Status, name: str, text: str, last: list[str]) -> None:
        last[0] = text
        status.update(f"{name}: {text}")
