"""The trainer as a child of this process: `python -m learning.train`, with the same environment, and nice.

It ends with this process, whatever ends this process: its standard input is a pipe that nobody writes to.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

# Left to whoever serves on the same machine.
NICENESS = 10
# To give back its job after SIGTERM, in seconds.
GRACE = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """A trainer that runs."""

    process: asyncio.subprocess.Process

    async def ended(self, within_s: float) -> bool:
        """Whether it has ended, or does so in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.process.wait()
        return self.process.returncode is not None

    async def end(self) -> None:
        """SIGTERM, then SIGKILL; returns when it is gone."""
        with suppress(ProcessLookupError):
            if self.process.returncode is None:
                self.process.terminate()
            if not await self.ended(GRACE):
                self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def child(name: str) -> AsyncIterator[Child]:
    """A trainer of this name while inside."""
    arguments = ("-m", "learning.train", "--name", name, "--nice", str(NICENESS), "--child")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=asyncio.subprocess.PIPE)
    started = Child(process)
    try:
        yield started
    finally:
        await asyncio.shield(started.end())
