"""One gRPC channel, and the meaning of its failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import grpc
from contracts.retries import seconds_until_retry
from contracts.tls import Tls, TlsError
from contracts.tls import open_channel as channel_to

from client.errors import ClientError, NotThereError, RefusedError, UnreachableError
from client.people import bearer
from client.stack import find

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_OPTIONS = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES)]

# How often a call is made that comes too soon, and how long it waits for its turn at most.
_TRIES, _LONGEST_S = 10, 5.0

_ERRORS: dict[grpc.StatusCode, type[ClientError]] = {
    grpc.StatusCode.NOT_FOUND: NotThereError,
    grpc.StatusCode.UNAVAILABLE: UnreachableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnreachableError,
}


class _Retries(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Asks again when a service says when: a command that reads a lot is slowed down, and does not fail."""

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        for _ in range(_TRIES):
            call = await continuation(client_call_details, request)
            if await call.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                break
            seconds = seconds_until_retry(await call.trailing_metadata())
            if seconds is None or seconds > _LONGEST_S:
                break
            await asyncio.sleep(seconds)
        return call


@asynccontextmanager
async def open_channel(endpoint: str, variables: Mapping[str, str] | None = None) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to host:port by mutual TLS, with the certificate that the environment or the stack names, for who is
    signed in; or as other `variables` say.
    """
    variables = find().variables if variables is None else variables
    try:
        tls = Tls.of(variables)
    except TlsError as error:
        raise ClientError(str(error)) from None
    retries: Any = [_Retries()]
    async with channel_to(endpoint, tls, _OPTIONS, retries, partial(bearer, variables)) as channel:
        yield channel


@contextmanager
def explained(service: str) -> Iterator[None]:
    """Turn a failed call into a ClientError that says which service said what."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        kind = _ERRORS.get(error.code(), RefusedError)
        raise kind(f"{service}: {_told(error)}") from error


def _told(error: grpc.aio.AioRpcError) -> str:
    details = error.details() or ""
    if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in details:
        return "does not answer; is the stack up? (`make status`)"
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "took too long to answer"
    return details or error.code().name.lower().replace("_", " ")
