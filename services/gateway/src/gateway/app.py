"""The map of the gateway: HTTP in, memory asked for whoever comes in. It has no events and keeps nothing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from servicekit import Process, grpc
from servicekit.tokens import Verifier

from gateway.adapters.memory import Memory
from gateway.adapters.web import serving
from gateway.doors.fhir import Door
from gateway.settings import Settings


@asynccontextmanager
async def app(settings: Settings, process: Process) -> AsyncIterator[None]:
    """Everything is up when it yields."""
    async with AsyncExitStack() as stack:
        memory = Memory(await stack.enter_async_context(grpc.channel(settings.memory)))
        fhir = Door(memory, Verifier.of(settings), settings)
        # Health alone: nobody asks this service over gRPC.
        await stack.enter_async_context(process.grpc_server(settings.grpc_listen, []))
        await stack.enter_async_context(serving(fhir.routes(), settings, settings.shutdown_grace))
        process.ready_when("memory", memory.ping)
        yield
