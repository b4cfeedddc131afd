"""What the supervisor knows about one server: what to run, when it is ready, what it needs first."""

import asyncio
import json
import os
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from manifests import Services

from native_stack.layout import Layout
from native_stack.logs import tail
from native_stack.ports import HOST

# What a caller may say of a stack by its environment: how much it logs, and how many calls of one person it answers.
_KEPT = {"LONGITUDE_LOG_LEVEL", "LONGITUDE_CALLS_PER_SECOND"}


class PartError(Exception):
    """A part cannot be started; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program as the kernel needs it. `environment` is complete: nothing is added."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path


@dataclass(frozen=True, slots=True)
class Part:
    """One server of the stack."""

    name: str
    prepare: Callable[[], Coroutine[object, object, Command]]
    until_ready: Callable[[], Coroutine[object, object, None]]
    needs: tuple[str, ...] = ()
    grace_s: float = 10.0
    ready_within_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Site:
    """What every part of one stack is built from."""

    layout: Layout
    ports: Mapping[str, int]
    credentials: Mapping[str, str]
    services: Services
    models: tuple[str, ...] = ()
    parts: frozenset[str] = field(default_factory=frozenset)
    # `host:port` of sockets that another stack runs.
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    # Where the certificates are; empty for a part that is only described.
    certificates: Path = Path()
    # Users of Kafka who may do everything, beside what the manifests grant.
    trusted: tuple[str, ...] = ()

    def address(self, port: str) -> str:
        """`host:port` of a named socket."""
        return self.elsewhere.get(port) or f"{HOST}:{self.ports[port]}"


def inherited_environment() -> dict[str, str]:
    """The caller's environment without any setting of Longitude but two, so that a stack depends on its own only."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LONGITUDE_") or name in _KEPT}


def load_credentials(layout: Layout, names: tuple[str, ...]) -> dict[str, str]:
    """The passwords of this stack, made at its first start and kept as long as its data."""
    known: dict[str, str] = json.loads(layout.credentials.read_text()) if layout.credentials.exists() else {}
    complete = {name: known.get(name) or secrets.token_hex(16) for name in names}
    if complete != known:
        write_private(layout.credentials, json.dumps(complete, indent=2))
    return complete


def private_word(file: Path) -> str:
    """A secret of its own file, made where there is none."""
    if not file.exists():
        write_private(file, secrets.token_hex(32))
    return file.read_text()


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    fresh = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


async def run_logged(command: Command, log: Path) -> None:
    """Run a preparing command to its end, its output in the part's log; PartError when it fails."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command.argv, cwd=command.directory, env=command.environment, stdout=output, stderr=output
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            raise
    if code != 0:
        program = Path(command.argv[0]).name
        raise PartError(f"{program} ended with exit code {code}; the end of its log:\n{tail(log)}")


async def until_http_ok(url: str, tls: ssl.SSLContext | None = None) -> None:
    """Return once `url` answers 200. Each try waits 5 s, as the chart's probes do: a check may take 3 s."""
    while not await asyncio.to_thread(_answers, url, tls):  # noqa: ASYNC110 - a server gives no event
        await asyncio.sleep(0.1)


def _answers(url: str, tls: ssl.SSLContext | None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5, context=tls) as response:  # noqa: S310 - a loopback address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
