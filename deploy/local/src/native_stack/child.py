"""One server as a child process: its start, its log, its end."""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

from native_stack.identity import ProcessIdentity
from native_stack.part import Command


@dataclass(frozen=True, slots=True)
class Child:
    """A started process. It has its own session: a Ctrl-C in the terminal does not reach it."""

    process: asyncio.subprocess.Process
    identity: ProcessIdentity

    @classmethod
    async def start(cls, command: Command, log: Path) -> "Child":
        """Start `command` with its output appended to `log`."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                cwd=command.directory,
                env=command.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(process, identity_of(process.pid))

    async def end(self, grace_s: float) -> None:
        """SIGTERM, and SIGKILL when it is still there after `grace_s` seconds."""
        self.identity.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), grace_s)
        except TimeoutError:
            self.identity.send(signal.SIGKILL)
            await self.process.wait()


def identity_of(pid: int) -> ProcessIdentity:
    """Of a process that was just started. One that ended at once has a start time that no process has."""
    try:
        return ProcessIdentity.of(pid)
    except ProcessLookupError:
        return ProcessIdentity(pid, -1)
