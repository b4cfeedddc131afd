"""gRPC channels of tests: the session's certificate, and the person that it is signed in as."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from client.login import Provider
from client.people import bearer, keep
from contracts.tls import Tls
from contracts.tls import open_channel as channel_to


def tls() -> Tls:
    """What this process shows itself with."""
    made = Tls.of(os.environ)
    assert made is not None, "tests speak mutual TLS"
    return made


@asynccontextmanager
async def channel(endpoint: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel of who works at this machine."""
    async with channel_to(endpoint, tls(), bearer=lambda: bearer(os.environ)) as opened:
        yield opened


@asynccontextmanager
async def channel_of(
    name: str, endpoint: str, endpoints: Mapping[str, str], folder: Path
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel of another demo person, who signs in into a folder of their own."""
    variables = {**os.environ, **endpoints, "LONGITUDE_TOKEN_FILE": str(folder / f"{name}.json")}
    provider = Provider(variables, name)
    keep(variables, provider.by_browser(print), provider.issuer, provider.client_id, provider.key)
    async with channel_to(endpoint, tls(), bearer=lambda: bearer(variables)) as opened:
        yield opened


def open_channel(endpoint: str) -> grpc.Channel:
    """The same, which blocks."""
    return grpc.intercept_channel(grpc.secure_channel(endpoint, tls().client()), _Signed())


class _Signed(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(_signed(details), request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(_signed(details), request)


def _signed(details: Any) -> Any:
    return details._replace(metadata=[*(details.metadata or ()), ("authorization", f"Bearer {bearer(os.environ)}")])
