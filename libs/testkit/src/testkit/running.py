"""The whole system running for tests: its endpoints, and faults on purpose."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from native_stack import Stack
from native_stack.catalogue import BACKENDS

from testkit.kafka import forget_members


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack with every server and service up."""

    stack: Stack
    endpoints: dict[str, str]

    @property
    def directory(self) -> Path:
        """Its folder: logs/, traces/, data/, stack.env."""
        return self.stack.layout.directory

    def kill(self, name: str) -> None:
        """SIGKILL one server or service; returns when it is gone, out of its consumer group too."""
        self.stack.kill(name)
        if name not in BACKENDS:
            asyncio.run(forget_members(self.endpoints["LONGITUDE_KAFKA"], name))

    def start(self, name: str) -> None:
        """Start it again on the same ports and data; returns when it is ready."""
        self.stack.start(name)

    def restart(self, name: str) -> None:
        """Stop it in order and start it again."""
        self.stack.restart(name)

    def logs(self, name: str) -> str:
        """What it has written so far, over all its starts."""
        return self.stack.log(name)

    def state(self, name: str) -> str:
        """`ready`, `killed`, `died` ..."""
        record = self.stack.record()
        return record.parts[name].state if record is not None else "stopped"

    def mend(self) -> None:
        """Start whatever is down."""
        record = self.stack.record()
        for name in record.parts if record is not None else ():
            self.start(name)
