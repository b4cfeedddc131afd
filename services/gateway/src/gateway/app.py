"""The map of the gateway: HTTP in, memory and reasoning asked for whoever comes in. No events; it keeps nothing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from servicekit import Process, grpc
from servicekit.tokens import Verifier

from gateway.adapters.memory import Memory
from gateway.adapters.reasoning import Reasoning
from gateway.adapters.web import serving
from gateway.doors import cds_hooks, fhir
from gateway.settings import Settings


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when it yields."""
    async with AsyncExitStack() as stack:
        memory = Memory(await stack.enter_async_context(grpc.channel(settings.memory)))
        reasoning = Reasoning(await stack.enter_async_context(grpc.channel(settings.reasoning)))
        verifier = Verifier.of(settings)
        doors = (fhir.Door(memory, reasoning, verifier, settings), cds_hooks.Door(reasoning, verifier, settings))
        # Health alone: nobody asks this service over gRPC.
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, []))
        await stack.enter_async_context(
            serving([each for door in doors for each in door.routes()], settings, settings.shutdown_grace)
        )
        process.ready_when("memory", memory.ping)
        process.works_without("reasoning", reasoning.ping)
        yield
