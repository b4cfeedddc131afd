"""The issuer of the local stack in the process of a test, with its keys at hand."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from native_stack.people import SigningKeys, Tokens
from native_stack.provider import Provider

PASSWORD = "of this test"  # noqa: S105 - no secret


@dataclass(frozen=True, slots=True)
class Issuing:
    """An issuer that answers at `url`."""

    url: str
    keys: SigningKeys

    @property
    def tokens(self) -> Tokens:
        """What it would give."""
        return Tokens(self.keys, self.url)


@asynccontextmanager
async def issuing(folder: Path) -> AsyncIterator[Issuing]:
    """It answers while inside."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    issuer = Issuing(f"http://127.0.0.1:{port}", SigningKeys(folder / "keys.json"))
    runner = web.AppRunner(Provider(issuer.url, issuer.keys, PASSWORD).app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield issuer
    finally:
        await runner.cleanup()
