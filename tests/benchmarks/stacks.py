"""Where a bench measures: a stack of its own that lives as long as the bench, or one that runs already."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from contracts.kafka import reaching
from manifests.grants import COMMAND
from native_stack import Stack
from native_stack.topics import TopicSettings, create_topics

# `stacks(parts, models)` gives the endpoints while it is open.
Stacks = Callable[[Sequence[str], Sequence[str]], AbstractContextManager[dict[str, str]]]
_PARTITIONS = 4
_IDENTITY = ("TLS_CERTIFICATE", "TLS_KEY", "TLS_AUTHORITY", "KAFKA_USER", "KAFKA_PASSWORD", "ISSUER", "TOKEN_FILE")
_SHOWN = {f"LONGITUDE_{name}" for name in _IDENTITY}


@contextmanager
def fresh(parts: Sequence[str], models: Sequence[str]) -> Iterator[dict[str, str]]:
    """A stack of these parts alone: nothing else takes the cores."""
    with tempfile.TemporaryDirectory(prefix="longitude-bench-") as folder:
        stack = Stack(Path(folder) / "stack")
        # One person asks for all; what is measured is not how long they are made to wait.
        os.environ["LONGITUDE_CALLS_PER_SECOND"] = "0"
        try:
            endpoints = stack.up(parts=parts, models=models, free_ports=True, owned=True, trusted=(COMMAND,))
            # What is measured is called from this process, which so needs something to show.
            os.environ |= {name: endpoints[name] for name in endpoints.keys() & _SHOWN}
            yield endpoints
        finally:
            stack.down()


@contextmanager
def replica(service: str, needs: Sequence[str], endpoints: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Another process of a service that runs already, at the servers of the first: its endpoints while inside."""
    with tempfile.TemporaryDirectory(prefix="longitude-replica-") as folder:
        stack = Stack(Path(folder) / "stack", Path(endpoints["LONGITUDE_TLS_CERTIFICATE"]).parent)
        try:
            elsewhere = {need: endpoints[f"LONGITUDE_{need.upper()}"] for need in needs}
            elsewhere["issuer"] = urlsplit(os.environ["LONGITUDE_ISSUER"]).netloc
            yield stack.up(
                parts=(service,), models=(), free_ports=True, owned=True, elsewhere=elsewhere, trusted=(COMMAND,)
            )
        finally:
            stack.down()


async def new_topic(bootstrap: str) -> str:
    """A topic like those of the system, which no service reads: what is measured beside disturbs nothing."""
    name = f"bench.{uuid.uuid4().hex[:8]}"
    await create_topics(reaching(bootstrap), (TopicSettings(name, _PARTITIONS, retention_ms=-1),))
    return name
