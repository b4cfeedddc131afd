"""Asks witnesses to cosign a checkpoint (C2SP tlog-witness, `add-checkpoint`).

What they answer is passed on as it is: who verifies has their keys. One that is away costs a bounded time, and the
checkpoint comes out without it.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from collections.abc import Awaitable, Callable, Sequence

import aiohttp

from auditing.adapters.postgres import SignedCheckpoint

log = logging.getLogger("auditing")

SECONDS = 3.0
_MAX_ANSWER = 4096
_LINES = re.compile(r"(?:\u2014 [^\s+]{1,200} [A-Za-z0-9+/]{1,400}={0,2}\n){1,4}")

# The hashes that show how the tree of one size grew into that of another.
Proof = Callable[[int, int], Awaitable[Sequence[bytes]]]


class Witnesses:
    """Those of one log. What each cosigned last it says itself."""

    def __init__(self, urls: Sequence[str], proof: Proof) -> None:
        """`urls` are submission prefixes."""
        self._urls, self._proof = urls, proof
        self._last = dict.fromkeys(urls, 0)

    def __bool__(self) -> bool:
        return bool(self._urls)

    async def cosign(self, checkpoint: SignedCheckpoint) -> str:
        """The lines of those that cosigned; empty where none did."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
            answers = await asyncio.gather(*(self._asked(session, url, checkpoint) for url in self._urls))
        return "".join(answers)

    async def _asked(self, session: aiohttp.ClientSession, url: str, checkpoint: SignedCheckpoint) -> str:
        try:
            status, text = await self._add(session, url, checkpoint)
            if status == 409 and text.strip().isdecimal() and int(text) <= checkpoint.size:
                self._last[url] = int(text)
                status, text = await self._add(session, url, checkpoint)
        except (aiohttp.ClientError, OSError, TimeoutError, UnicodeDecodeError) as error:
            log.warning("a witness cannot be reached (%s)", type(error).__name__)
            return ""
        if status != 200 or not _LINES.fullmatch(text):
            log.warning("a witness does not cosign the checkpoint of %d leaves: status %d", checkpoint.size, status)
            return ""
        self._last[url] = checkpoint.size
        return text

    async def _add(self, session: aiohttp.ClientSession, url: str, checkpoint: SignedCheckpoint) -> tuple[int, str]:
        old = min(self._last[url], checkpoint.size)
        hashes = await self._proof(old, checkpoint.size)
        lines = [f"old {old}", *(base64.b64encode(each).decode() for each in hashes), "", checkpoint.signed]
        async with session.post(f"{url.rstrip('/')}/add-checkpoint", data="\n".join(lines).encode()) as answer:
            return answer.status, (await answer.content.read(_MAX_ANSWER)).decode()
