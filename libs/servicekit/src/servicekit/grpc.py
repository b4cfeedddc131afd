"""gRPC as every service serves and calls it: health, reflection, traces, and errors with a meaning."""

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from contracts.errors import InvalidInputError, LongitudeError
from contracts.tls import Tls, open_channel
from eventbus.delivery import place_of
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import _async as aio_health
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from opentelemetry.instrumentation.grpc import aio_client_interceptors, aio_server_interceptor

log = logging.getLogger("servicekit")

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
]
# Compressed requests are refused: gRPC inflates them whole before it looks at their size. Nobody here sends any.
_SERVER_OPTIONS = [*_OPTIONS, ("grpc.compression_enabled_algorithms_bitset", 1)]
# A restarted peer is found again within seconds, not after the default two minutes.
_CLIENT_OPTIONS = [*_OPTIONS, ("grpc.max_reconnect_backoff_ms", 2000), ("grpc.keepalive_time_ms", 30000)]

# What registers a servicer, the servicer, and the file that declares its service.
Registration = tuple[Callable[[Any, grpc.aio.Server], None], Any, FileDescriptor]


def _answer(context: "grpc.aio.ServicerContext[Any, Any]", error: Exception) -> None:
    """Set the status. An abort would raise, and the trace would format where from: a millisecond for each answer."""
    code = grpc.StatusCode[error.status] if isinstance(error, LongitudeError) else grpc.StatusCode.INTERNAL
    context.set_code(code)
    if code is not grpc.StatusCode.INTERNAL:
        context.set_details(str(error))
        return
    number = uuid.uuid4().hex[:12]
    log.error("internal error %s: %s at %s", number, type(error).__name__, place_of(error))
    context.set_details(f"internal error {number}: the service's log has it")


def _check_text(request: object) -> None:
    """InvalidInputError for a text with NUL: it is no text, and no store takes it."""
    if isinstance(request, Message) and b"\0" in request.SerializeToString():
        for name, text in _texts(request):
            if "\0" in text:
                raise InvalidInputError(f"{name} has a NUL character")


async def _checked(requests: AsyncIterator[object]) -> AsyncIterator[object]:
    async for request in requests:
        _check_text(request)
        yield request


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    """Every text of a message and of those in it, by the names of their fields."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            items = [*value.keys(), *value.values()]
        else:
            items = [*value] if field.is_repeated else [value]
        for item in items:
            if isinstance(item, Message):
                yield from _texts(item)
            elif isinstance(item, str):
                yield field.name, item


def _unary(behaviour: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def call(request: Any, context: Any) -> Any:
        try:
            _check_text(request)
            return await behaviour(request, context)
        except (grpc.aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - every failure is answered with a status
            _answer(context, error)
            return None

    return call


def _stream(behaviour: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    async def call(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            asked = request if isinstance(request, Message) else _checked(request)
            _check_text(asked)
            async for response in behaviour(asked, context):
                yield response
        except (grpc.aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - every failure is answered with a status
            _answer(context, error)

    return call


class _Errors(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Turns errors of `contracts.errors` into their status; anything else into INTERNAL with a number."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith("/grpc."):
            return handler
        if handler.unary_unary:
            return handler._replace(unary_unary=_unary(handler.unary_unary))
        if handler.unary_stream:
            return handler._replace(unary_stream=_stream(handler.unary_stream))
        if handler.stream_stream:
            return handler._replace(stream_stream=_stream(handler.stream_stream))
        return handler


def _listen(server: grpc.aio.Server, listen: str) -> None:
    tls = Tls.of(os.environ)
    port = server.add_secure_port(listen, tls.server()) if tls else server.add_insecure_port(listen)
    if port == 0:
        raise OSError(f"cannot listen on {listen}")


@asynccontextmanager
async def server(listen: str, services: Sequence[Registration], grace: float) -> AsyncIterator[None]:
    """Serve while inside, with health and reflection; requests under way get `grace` seconds to end."""
    server = grpc.aio.server(interceptors=[aio_server_interceptor(), _Errors()], options=_SERVER_OPTIONS)
    names = [reflection.SERVICE_NAME, health.SERVICE_NAME]
    servicer = aio_health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for register, implementation, file in services:
        register(implementation, server)
        names += [service.full_name for service in file.services_by_name.values()]
    reflection.enable_server_reflection(names, server)
    _listen(server, listen)
    await server.start()
    for name in ["", *names]:
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield
    finally:
        await servicer.enter_graceful_shutdown()
        await server.stop(grace)


@asynccontextmanager
async def channel(endpoint: str) -> AsyncIterator[grpc.aio.Channel]:
    """A traced channel to another service, by mutual TLS as this process."""
    async with open_channel(endpoint, Tls.of(os.environ), _CLIENT_OPTIONS, aio_client_interceptors()) as opened:
        yield opened
