"""A fault proxy for servers in other processes: it runs beside the tests, in a thread of its own.

A test that blocks, or whose event loop ends, does not stop what flows.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Self

from testkit.proxy import FaultProxy


class Line:
    """`with Line(server) as line:` and let clients connect to `line.endpoint`."""

    def __init__(self, upstream: str) -> None:
        """`upstream` is the server's `host:port`."""
        self._proxy = FaultProxy(upstream)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)

    def __enter__(self) -> Self:
        """Open it."""
        self._thread.start()
        self._run(self._proxy.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        """Reset every connection and end the thread."""
        self._run(self._proxy.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def endpoint(self) -> str:
        """Where clients connect, `host:port`."""
        return self._proxy.endpoint

    def cut(self) -> None:
        """Reset every connection and each new one until `mend`, as the end of the server's process does."""
        self._run(self._proxy.refuse())

    def mend(self) -> None:
        """Let clients connect again."""
        self._loop.call_soon_threadsafe(self._proxy.forward)

    def _run(self, step: Coroutine[object, object, object]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(30)
