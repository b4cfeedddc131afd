"""Events as the services publish them: each signed by its topic's owner, with the owner's own certificate."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from contracts.signatures import Signer
from contracts.tls import Tls
from eventbus import Outgoing
from eventbus.producer import Producer
from native_stack import authority

Publish = Callable[[Outgoing], Awaitable[None]]


def identity_of(name: str) -> dict[str, str]:
    """The variables of a process's certificate, from the authority that the tests trust; made where there is none."""
    folder = Path(os.environ["LONGITUDE_TLS_AUTHORITY"]).parent
    authority.issue(folder, [name])
    return authority.settings(folder, name)


def signer_of(name: str) -> Signer | None:
    """Signs as that process; None where plain text is spoken."""
    return Signer.of(identity_of(name)) if Tls.of(os.environ) else None


@asynccontextmanager
async def publishing(bootstrap: str) -> AsyncIterator[Publish]:
    """Publishes events of any topic while inside; returns when they are on every in-sync replica."""
    async with AsyncExitStack() as stack:
        producers: dict[str, Producer] = {}

        async def publish(outgoing: Outgoing) -> None:
            owner = outgoing.topic.owner
            if owner not in producers:
                producer = Producer(f"test-{owner}", bootstrap, signer_of(owner))
                await stack.enter_async_context(producer.running())
                producers[owner] = producer
            await producers[owner].publish(outgoing)

        yield publish
