"""A stack in one folder, seen from outside: bring it up, ask after it, act on its parts, take it down.

Everything here works from any process: what it knows, it reads from the folder.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from manifests import read_services

from native_stack import catalogue, control, triton
from native_stack.control import StackError
from native_stack.identity import ProcessIdentity
from native_stack.layout import Layout
from native_stack.logs import tail
from native_stack.record import PartRecord, StackRecord
from native_stack.request import Request

Progress = Callable[[StackRecord], None]
_DOWN_WITHIN_S = 90


def _parts(asked: Collection[str] | None, elsewhere: Mapping[str, str]) -> tuple[str, ...]:
    """All, or those asked for; services ask the issuer who calls."""
    services = read_services()
    wanted = set(catalogue.parts(services) if asked is None else asked)
    if wanted & services.keys():
        wanted.add("issuer")
    return tuple(name for name in catalogue.parts(services) if name in wanted and name not in elsewhere)


class Stack:
    """The stack of one folder, running or not."""

    def __init__(self, directory: Path, certificates: Path | None = None) -> None:
        """`directory` is made at the first start; stacks that call one another share a folder of certificates."""
        self.layout = Layout(directory.resolve())
        self._certificates = certificates or self.layout.certificates

    def up(
        self,
        *,
        parts: Collection[str] | None = None,
        models: Collection[str] | None = None,
        free_ports: bool = False,
        owned: bool = False,
        elsewhere: Mapping[str, str] | None = None,
        trusted: Collection[str] = (),
        progress: Progress = lambda _: None,
    ) -> dict[str, str]:
        """Start `parts` and wait until each is ready; the endpoints. StackError names the part that failed.

        All parts and all models unless told otherwise. With `owned` the stack ends with the calling process.
        `elsewhere` names sockets of servers that another stack runs for this one, `{"triton": "host:port"}`.
        `trusted` are users of Kafka who may do everything there, for tests that act as any service.
        """
        if self._running() is not None:
            raise StackError(f"a stack runs in {self.layout.directory} already; `down` stops it")
        self.clean_up()
        self.layout.make()
        request = Request(
            directory=str(self.layout.directory),
            parts=_parts(parts, elsewhere or {}),
            models=tuple(triton.available_models() if models is None else models),
            free_ports=free_ports,
            owner=ProcessIdentity.of(os.getpid()) if owned else None,
            elsewhere=elsewhere or {},
            certificates=str(self._certificates),
            trusted=tuple(trusted),
        )
        self._wait_until_ready(self._spawn(request), progress)
        return self.endpoints()

    def down(self) -> bool:
        """Stop everything in order; False when nothing ran."""
        record = self._running()
        if record is None:
            return self.clean_up() > 0
        record.supervisor.end(grace_s=_DOWN_WITHIN_S)
        self.clean_up()
        return True

    def clean_up(self) -> int:
        """End what a supervisor that was itself killed left behind; how many processes that were.

        A process is ended only if its id and its start time are those recorded.
        """
        record = StackRecord.read(self.layout.state)
        if record is None or record.supervisor.alive():
            return 0
        left = self.left_behind()
        for process in left:
            process.end(grace_s=5)
        record.phase = "stopped"
        record.parts = {name: PartRecord(state="stopped") for name in record.parts}
        record.write(self.layout.state)
        self.layout.environment.unlink(missing_ok=True)
        return len(left)

    def left_behind(self) -> list[ProcessIdentity]:
        """Servers that run on although their supervisor is gone, the last started first."""
        record = StackRecord.read(self.layout.state)
        if record is None or record.supervisor.alive():
            return []
        processes = [part.process for part in record.parts.values()]
        return [process for process in reversed(processes) if process is not None and process.alive()]

    def record(self) -> StackRecord | None:
        """What the stack says of itself; None when none ever ran here."""
        return StackRecord.read(self.layout.state)

    def endpoints(self) -> dict[str, str]:
        """The lines of stack.env. StackError when the stack is not up."""
        if not self.layout.environment.exists():
            raise StackError(f"no stack is up in {self.layout.directory}")
        lines = self.layout.environment.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def start(self, part: str) -> None:
        """Start one part again and wait until it is ready."""
        self._ask("start", part)

    def stop(self, part: str) -> None:
        """Stop one part in order."""
        self._ask("stop", part)

    def kill(self, part: str) -> None:
        """End one part with SIGKILL."""
        self._ask("kill", part)

    def restart(self, part: str) -> None:
        """Stop one part in order and start it again."""
        self._ask("restart", part)

    def log(self, part: str) -> str:
        """Everything one part has written so far."""
        return self.layout.log(part).read_text(errors="replace")

    def _ask(self, verb: str, part: str) -> None:
        record = self._running()
        if record is None:
            raise StackError(f"no stack is up in {self.layout.directory}")
        control.ask(record.control, verb, part)

    def _running(self) -> StackRecord | None:
        record = StackRecord.read(self.layout.state)
        return record if record is not None and record.supervisor.alive() else None

    def _spawn(self, request: Request) -> "subprocess.Popen[bytes]":
        with self.layout.supervisor_log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "native_stack.daemon", request.to_json()],
                cwd=self.layout.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_ready(self, daemon: "subprocess.Popen[bytes]", progress: Progress) -> None:
        try:
            while daemon.poll() is None:
                record = StackRecord.read(self.layout.state)
                if record is not None and record.supervisor.pid == daemon.pid:
                    progress(record)
                    if record.phase == "ready":
                        return
                time.sleep(0.1)
        except BaseException:  # also Ctrl-C: nothing that was started here stays behind
            daemon.terminate()
            daemon.wait(_DOWN_WITHIN_S)
            raise
        raise StackError(self._why_it_failed(daemon.pid))

    def _why_it_failed(self, pid: int) -> str:
        record = StackRecord.read(self.layout.state)
        if record is not None and record.supervisor.pid == pid and record.failure:
            return record.failure
        return f"the supervisor ended; the end of its log:\n{tail(self.layout.supervisor_log)}"
