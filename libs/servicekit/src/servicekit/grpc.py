"""gRPC as every service serves and calls it: callers who are known, health, traces, and errors with a meaning."""

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

import grpc
from contracts.errors import (
    BusyError,
    ConflictError,
    DeniedError,
    InvalidInputError,
    LongitudeError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from contracts.retries import retry_after
from contracts.tls import TRUST_DOMAIN, Tls, open_channel
from eventbus.delivery import place_of
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import _async as aio_health
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from opentelemetry.instrumentation.grpc import aio_client_interceptors, aio_server_interceptor

from servicekit.access import NO_PROCESS, Access
from servicekit.limits import Breadth, RateError, Rates
from servicekit.looks import Looking, Recorder, under
from servicekit.principal import Person, Principal, called_by, within
from servicekit.settings import IdentitySettings
from servicekit.tokens import Verifier

log = logging.getLogger("servicekit")

T = TypeVar("T")

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
    if isinstance(error, RateError):
        context.set_trailing_metadata(retry_after(code, str(error), error.wait_s))
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


async def _checked(requests: AsyncIterator[object], looking: Looking | None) -> AsyncIterator[object]:
    is_first = True
    async for request in requests:
        if is_first and looking and isinstance(request, Message):
            looking.asked(request)
            looking.admit()
        is_first = False
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


# The caller of a call, and the look that a call is, if it is one.
Known = Callable[[Any, Looking | None], Awaitable[Principal]]
Begun = Callable[[], Looking | None]


@asynccontextmanager
async def _looked(looking: Looking | None, question: object) -> AsyncIterator[None]:
    """How a call fails that would show a patient is written down too.

    Not so one that is too many: it is answered alike whomever it names, and is to cost little.
    """
    if looking is not None and isinstance(question, Message):
        looking.asked(question)
    try:
        yield
    except Exception as error:
        if looking is not None and not isinstance(error, RateError):
            await looking.failed(error)
        raise


def _unary(behaviour: Callable[..., Awaitable[Any]], known: Known, begun: Begun) -> Callable[..., Awaitable[Any]]:
    async def call(request: Any, context: Any) -> Any:
        try:
            async with _looked(looking := begun(), request):
                with called_by(await known(context, looking)), under(looking):
                    _check_text(request)
                    if looking is not None:
                        looking.admit()
                        looking.begin()
                    answer = await behaviour(request, context)
                if looking is not None:
                    await looking.shown(answer)
                return answer
        except (grpc.aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - every failure is answered with a status
            _answer(context, error)
            return None

    return call


def _stream(
    behaviour: Callable[..., AsyncIterator[Any]], known: Known, begun: Begun
) -> Callable[..., AsyncIterator[Any]]:
    async def call(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            async with _looked(looking := begun(), request):
                with called_by(await known(context, looking)), under(looking):
                    asked = request if isinstance(request, Message) else _checked(request, looking)
                    _check_text(asked)
                    if looking is not None:
                        looking.admit()
                    async for response in behaviour(asked, context):
                        if looking is not None:
                            await looking.shown(response)
                        yield response
                if looking is not None:
                    await looking.shown(None)
        except (grpc.aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - every failure is answered with a status
            _answer(context, error)

    return call


class _Calls(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Answers a caller who is known and may ask, as `principal.caller()`.

    Errors of `contracts.errors` become their status; anything else INTERNAL with a number.
    """

    def __init__(
        self, access: Access, verifier: Verifier | None, recorder: Recorder | None, settings: IdentitySettings
    ) -> None:
        self._access, self._verifier, self._recorder = access, verifier, recorder
        self._rates = Rates(settings.calls_per_second, settings.calls_at_once)
        self._breadth = Breadth(settings.patients_most, settings.patients_seconds, refuses=settings.patients_refused)
        if access.looks and recorder is None:
            raise ValueError(f"{', '.join(sorted(access.looks))} show a patient, and nobody writes their looks down")

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler, method = await continuation(handler_call_details), handler_call_details.method
        # Health, and reflection where it is on.
        if handler is None or method.startswith("/grpc."):
            return handler
        rpc = method.rpartition("/")[2]
        known, begun = partial(self._known, rpc), partial(self._begun, rpc)
        if handler.unary_unary:
            return handler._replace(unary_unary=_unary(handler.unary_unary, known, begun))
        if handler.unary_stream:
            return handler._replace(unary_stream=_stream(handler.unary_stream, known, begun))
        if handler.stream_stream:
            return handler._replace(stream_stream=_stream(handler.stream_stream, known, begun))
        raise NotImplementedError(f"{method}: nobody checks who calls a stream that has one answer")

    def _begun(self, rpc: str) -> Looking | None:
        paths = self._access.looks.get(rpc)
        return Looking(rpc, paths, self._recorder, self._breadth) if paths and self._recorder is not None else None

    async def _known(self, rpc: str, context: Any, looking: Looking | None) -> Principal:
        process = _process(context)
        if looking is not None:
            looking.by(Principal(process))
        token = _bearer(context)
        principal = Principal(process, await self._person(token))
        if looking is not None:
            looking.by(principal)
        self._rates.take(principal)
        self._access.check(rpc, principal)
        _TOKEN.set(token)
        return principal

    async def _person(self, token: str) -> Person | None:
        if not token:
            return None
        if self._verifier is None:
            raise UnauthenticatedError("no identity provider is set here (LONGITUDE_ISSUER): tokens prove nothing")
        return await self._verifier.person(token)


# The token of the person whose call is being answered: what this process asks others meanwhile is for that person.
_TOKEN: ContextVar[str] = ContextVar("token", default="")


@contextmanager
def for_person(token: str) -> Iterator[None]:
    """What is asked of others inside is for the person of this token: a door that is no gRPC answers them."""
    with within(_TOKEN, token):
        yield


def _process(context: Any) -> str:
    """The name in the caller's certificate. UnauthenticatedError for a certificate that names nobody of ours."""
    shown = context.auth_context()
    if "transport_security_type" not in shown or shown["transport_security_type"] == [b"insecure"]:
        return NO_PROCESS
    names: list[bytes] = shown.get("peer_spiffe_id", [])
    if len(names) != 1 or not names[0].startswith(TRUST_DOMAIN.encode()):
        raise UnauthenticatedError("the certificate names no process of Longitude")
    return names[0].decode().removeprefix(TRUST_DOMAIN)


def _bearer(context: Any) -> str:
    """The token that came with the call, or none. UnauthenticatedError for several, and for another scheme."""
    sent = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
    if not sent:
        return ""
    scheme, _, token = sent[0].partition(" ")
    if len(sent) > 1 or scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError("`authorization` has one token: Bearer ...")
    return str(token)


def _listen(server: grpc.aio.Server, listen: str) -> None:
    tls = Tls.of(os.environ)
    port = server.add_secure_port(listen, tls.server()) if tls else server.add_insecure_port(listen)
    if port == 0:
        raise OSError(f"cannot listen on {listen}")


@asynccontextmanager
async def server(
    listen: str,
    services: Sequence[Registration],
    grace: float,
    access: Access | None = None,
    recorder: Recorder | None = None,
) -> AsyncIterator[None]:
    """Serve while inside, with health; requests under way get `grace` seconds to end.

    Who may ask what, and what is a look, is said by the services' own tables, unless `access` says it. ValueError when
    an RPC shows a patient and there is no `recorder`.
    """
    settings = IdentitySettings()
    verifier = Verifier.of(settings)
    table = access or Access.of(implementation for _, implementation, _ in services)
    calls = _Calls(table, verifier, recorder, settings)
    server = grpc.aio.server(interceptors=[aio_server_interceptor(), calls], options=_SERVER_OPTIONS)
    names = [health.SERVICE_NAME, *([reflection.SERVICE_NAME] if settings.reflection else [])]
    servicer = aio_health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for register, implementation, file in services:
        register(implementation, server)
        names += [service.full_name for service in file.services_by_name.values()]
    if settings.reflection:
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
    """A traced channel to another service, by mutual TLS as this process, for the person whose call is answered."""
    interceptors = aio_client_interceptors()
    async with open_channel(endpoint, Tls.of(os.environ), _CLIENT_OPTIONS, interceptors, _TOKEN.get) as opened:
        yield opened


# What an answer of another service says, in words that name nobody.
_SAID: dict[type[LongitudeError], str] = {
    ConflictError: "is in no state for it",
    DeniedError: "is not open to you for this",
    InvalidInputError: "refused the request",
    NotFoundError: "does not know what was asked for",
    UnauthenticatedError: "does not know who asks",
}
_FAMILY: dict[str, type[LongitudeError]] = {
    each.status: each
    for each in (BusyError, ConflictError, DeniedError, InvalidInputError, NotFoundError, UnauthenticatedError)
}


async def answer(call: Awaitable[T], callee: str) -> T:
    """The answer of another service, or its failure as `contracts.errors` has it: UnavailableError where it has none.

    The text is ours: what the other says stays out, since a caller may be shown it.
    """
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        status = error.code().name
        family = _FAMILY.get(status, UnavailableError)
        raise family(f"the {callee} {_SAID.get(family, f'does not answer ({status}); ask again')}") from error
