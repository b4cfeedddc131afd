"""The one process that starts, watches and stops the servers of a stack.

Parts start side by side, each as soon as what it needs is ready, and stop in the reverse order. A part that dies by
itself is reported by name with the end of its log; it is not started again, so that a fault stays visible.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from native_stack.child import Child
from native_stack.logs import tail
from native_stack.part import Part, PartError, Site
from native_stack.record import PartRecord, StackRecord


class Supervisor:
    """Runs the parts of one stack; every change is on disk before the next step."""

    def __init__(self, site: Site, record: StackRecord, parts: Iterable[Part]) -> None:
        """`record` is written at each change; it starts with every part waiting."""
        self._site = site
        self._record = record
        self._parts = {part.name: part for part in parts}
        self._children: dict[str, Child] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._changing = {name: asyncio.Lock() for name in self._parts}
        record.parts = {name: PartRecord() for name in self._parts}
        self.save()

    def save(self) -> None:
        """Write the record."""
        self._record.write(self._site.layout.state)

    async def start_all(self) -> None:
        """Start every part; returns when all are ready, raises PartError for the first that fails."""
        begun = time.monotonic()
        ready = {name: asyncio.Event() for name in self._parts}

        async def start_after_needs(part: Part) -> None:
            for need in part.needs:
                if need in ready:
                    await ready[need].wait()
            await self.start(part.name)
            ready[part.name].set()

        try:
            async with asyncio.TaskGroup() as group:
                for part in self._parts.values():
                    group.create_task(start_after_needs(part))
        except* PartError as errors:
            raise errors.exceptions[0] from None
        self._record.start_seconds = round(time.monotonic() - begun, 2)

    async def stop_all(self) -> None:
        """Stop every part, each after all parts that need it."""
        stopped = {name: asyncio.Event() for name in self._parts}

        async def stop_after_dependents(part: Part) -> None:
            for other in self._parts.values():
                if part.name in other.needs:
                    await stopped[other.name].wait()
            await self.stop(part.name)
            stopped[part.name].set()

        async with asyncio.TaskGroup() as group:
            for part in self._parts.values():
                group.create_task(stop_after_dependents(part))

    async def start(self, name: str) -> None:
        """Start one part and wait until it is ready; nothing happens if it runs already."""
        async with self._changing[name]:
            if name in self._children:
                return
            part, record = self._parts[name], self._record.parts[name]
            self._record.parts[name] = record = PartRecord(state="preparing")
            self.save()
            try:
                await self._launch(part, record)
            except (PartError, OSError) as error:
                await self._abandon(part, record)
                raise PartError(f"{name}: {error}") from error

    async def stop(self, name: str) -> None:
        """Stop one part in order."""
        async with self._changing[name]:
            await self._end(name, "stopped", self._parts[name].grace_s)

    async def kill(self, name: str) -> None:
        """End one part with SIGKILL, as a power cut would."""
        async with self._changing[name]:
            await self._end(name, "killed", grace_s=None)

    async def restart(self, name: str) -> None:
        """Stop one part in order and start it again."""
        await self.stop(name)
        await self.start(name)

    async def _launch(self, part: Part, record: PartRecord) -> None:
        begun = time.monotonic()
        command = await part.prepare()
        record.prepare_seconds = round(time.monotonic() - begun, 2)
        begun = time.monotonic()
        child = await Child.start(command, self._site.layout.log(part.name))
        self._children[part.name] = child
        record.state, record.process = "starting", child.identity
        self.save()
        await _ready_or_dead(part, child, self._site.layout.log(part.name))
        record.state, record.start_seconds = "ready", round(time.monotonic() - begun, 2)
        self._watchers[part.name] = asyncio.create_task(self._watch(part.name, child))
        self.save()
        self._say(f"{part.name} is ready after {record.start_seconds} s")

    async def _abandon(self, part: Part, record: PartRecord) -> None:
        child = self._children.pop(part.name, None)
        if child is not None:
            await child.end(part.grace_s)
            record.exit_code = child.process.returncode
        record.state, record.process = "died", None
        self.save()

    async def _watch(self, name: str, child: Child) -> None:
        code = await child.process.wait()
        record = self._record.parts[name]
        if record.state != "ready":
            return
        del self._children[name]
        record.state, record.exit_code, record.process = "died", code, None
        self.save()
        self._say(f"{name} died (exit code {code}); the end of its log:\n{tail(self._site.layout.log(name))}")

    async def _end(self, name: str, state: str, grace_s: float | None) -> None:
        child = self._children.pop(name, None)
        record = self._record.parts[name]
        if child is None:
            return
        record.state = "stopping"
        self.save()
        if grace_s is None:
            child.process.kill()
            await child.process.wait()
        else:
            await child.end(grace_s)
        record.state = "killed" if state == "killed" else "stopped"
        record.exit_code, record.process = child.process.returncode, None
        self.save()
        self._say(f"{name} {record.state}")

    @staticmethod
    def _say(text: str) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        sys.stderr.write(f"{moment} {text}\n")
        sys.stderr.flush()


async def _ready_or_dead(part: Part, child: Child, log: Path) -> None:
    """Return when the part is ready; PartError when its process ends first or it takes too long."""
    dead = asyncio.create_task(child.process.wait())
    ready = asyncio.create_task(part.until_ready())
    try:
        await asyncio.wait((dead, ready), timeout=part.ready_within_s, return_when=asyncio.FIRST_COMPLETED)
        if dead.done():
            raise PartError(f"it died while starting (exit code {dead.result()}); the end of its log:\n{tail(log)}")
        if not ready.done():
            late = f"it was not ready within {part.ready_within_s:.0f} s"
            raise PartError(f"{late}; the end of its log:\n{tail(log)}")
        ready.result()
    finally:
        dead.cancel()
        ready.cancel()
