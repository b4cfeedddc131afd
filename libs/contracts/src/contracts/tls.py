"""Mutual TLS between processes: what one shows itself with, and channels that follow its renewal.

Every process has a certificate of its name (`spiffe://longitude/memory`, a URI among the subject's other names) from
one authority, which it trusts alone. `LONGITUDE_TLS_CERTIFICATE`, `_KEY` and `_AUTHORITY` name the three files (PEM);
plain text is spoken only where `LONGITUDE_PLAINTEXT=true` names it. Files that change are read again: a server at the
next connection, a client at the next call.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import grpc

TRUST_DOMAIN = "spiffe://longitude/"
_FILES = {name: f"LONGITUDE_TLS_{name.upper()}" for name in ("certificate", "key", "authority")}
_PLAINTEXT = "LONGITUDE_PLAINTEXT"
# Calls on a channel with an old certificate get this long to end, as long as the longest call.
_OLD_CALLS_S = 3600.0

T = TypeVar("T")


class TlsError(Exception):
    """A process has nothing to show itself with; the text names the variable and the fix."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate of this process with its chain, its key, and the authority it trusts."""

    certificate: Path
    key: Path
    authority: Path

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self | None:
        """As the variables say; None where they name plain text. TlsError where a file is not named or not there."""
        if variables.get(_PLAINTEXT, "").lower() == "true":
            return None
        for variable in _FILES.values():
            if not Path(variables.get(variable, "")).is_file():
                raise TlsError(f"{variable}: must name a file (PEM); {_PLAINTEXT}=true does without TLS")
        return cls(**{name: Path(variables[variable]) for name, variable in _FILES.items()})

    @property
    def state(self) -> tuple[int, ...]:
        """Changes when a file does."""
        return tuple(file.stat().st_mtime_ns for file in (self.certificate, self.key, self.authority))

    def check(self) -> None:
        """OSError (ssl.SSLError is one) unless the files can be read and belong together."""
        ssl.create_default_context(cafile=self.authority).load_cert_chain(self.certificate, self.key)

    def client(self) -> grpc.ChannelCredentials:
        """What a client shows, and whom it trusts."""
        return grpc.ssl_channel_credentials(
            *(file.read_bytes() for file in (self.authority, self.key, self.certificate))
        )

    def server(self) -> grpc.ServerCredentials:
        """The same for a server, which asks each client for its certificate."""
        renewed = Renewed(self, self._shown)
        return grpc.dynamic_ssl_server_credentials(
            renewed.current(), renewed.current, require_client_authentication=True
        )

    def of_client(self) -> ssl.SSLContext:
        """The same for a client of a server that does not speak gRPC."""
        return _ClientContext.of(self)

    def of_server(self) -> ssl.SSLContext:
        """For a server whose clients show no certificate: TLS 1.2 or newer (BCP 195)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context

    def _shown(self) -> grpc.ServerCertificateConfiguration:
        pair = [(self.key.read_bytes(), self.certificate.read_bytes())]
        return grpc.ssl_server_certificate_configuration(pair, self.authority.read_bytes())


class Renewed(Generic[T]):
    """What is made from the files, and made again when they change; while they do not fit together, the last stays."""

    def __init__(self, tls: Tls | None, make: Callable[[], T], leave: Callable[[T], object] = lambda _: None) -> None:
        """`leave` is told what was replaced."""
        self._tls, self._make, self._leave = tls, make, leave
        self._state = tls.state if tls else ()
        self._made = make()

    def current(self) -> T:
        """The newest."""
        if self._tls is not None:
            self._renew(self._tls)
        return self._made

    def _renew(self, tls: Tls) -> None:
        try:
            if (state := tls.state) == self._state:
                return
            tls.check()
            old, self._made, self._state = self._made, self._make(), state
        except OSError:
            return
        self._leave(old)


class _Connection(ssl.SSLObject):
    """Says that it closes, and does not wait for the same from the server (RFC 8446, section 6.1).

    A server whose answer crosses with the closing never says it, and asyncio waits 30 seconds.
    """

    def unwrap(self) -> None:
        with suppress(ssl.SSLWantReadError):
            super().unwrap()


class _ClientContext(ssl.SSLContext):
    """Mutual TLS with files that may change: each connection shows the newest."""

    sslobject_class = _Connection
    _files: Renewed[None]

    @classmethod
    def of(cls, tls: Tls) -> Self:
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context._files = Renewed(tls, partial(context._load, tls))
        return context

    def wrap_bio(self, *connection: Any, **options: Any) -> ssl.SSLObject:
        self._files.current()
        return super().wrap_bio(*connection, **options)

    def wrap_socket(self, *connection: Any, **options: Any) -> ssl.SSLSocket:
        self._files.current()
        return super().wrap_socket(*connection, **options)

    def _load(self, tls: Tls) -> None:
        self.load_verify_locations(tls.authority)
        self.load_cert_chain(tls.certificate, tls.key)


class _RenewedChannel(grpc.aio.Channel):
    """Each call goes over the channel of the newest certificate, with the token; those under way end on theirs."""

    def __init__(self, tls: Tls | None, make: Callable[[], grpc.aio.Channel], bearer: Callable[[], str]) -> None:
        self._bearer = bearer
        self._closing: set[asyncio.Task[None]] = set()
        # Nothing refers back: a channel in a cycle outlives the loop, and gRPC waits two seconds for it at the end.
        self._channels: Renewed[grpc.aio.Channel] = Renewed(tls, make, partial(_leave, self._closing))

    def unary_unary(self, *method: Any, **kinds: Any) -> Any:
        return self._calls("unary_unary", method, kinds)

    def unary_stream(self, *method: Any, **kinds: Any) -> Any:
        return self._calls("unary_stream", method, kinds)

    def stream_unary(self, *method: Any, **kinds: Any) -> Any:
        return self._calls("stream_unary", method, kinds)

    def stream_stream(self, *method: Any, **kinds: Any) -> Any:
        return self._calls("stream_stream", method, kinds)

    async def close(self, grace: float | None = None) -> None:
        for task in self._closing:
            task.cancel()
        await self._channels.current().close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002 - its signature
        return self._channels.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channels.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channels.current().channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _calls(self, kind: str, method: tuple[Any, ...], kinds: dict[str, Any]) -> Callable[..., Any]:
        def call(*asked: Any, **options: Any) -> Any:
            if token := self._bearer():
                options["metadata"] = (*(options.get("metadata") or ()), ("authorization", f"Bearer {token}"))
            return getattr(self._channels.current(), kind)(*method, **kinds)(*asked, **options)

        return call


def _leave(closing: set[asyncio.Task[None]], old: grpc.aio.Channel) -> None:
    closing.add(task := asyncio.ensure_future(old.close(_OLD_CALLS_S)))
    task.add_done_callback(closing.discard)


def open_channel(
    endpoint: str,
    tls: Tls | None,
    options: Sequence[tuple[str, Any]] = (),
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    bearer: Callable[[], str] = str,
) -> grpc.aio.Channel:
    """A channel to host:port; None is plain text. `bearer` is asked for the token that goes with each call, or none."""

    def opened() -> grpc.aio.Channel:
        if tls is None:
            return grpc.aio.insecure_channel(endpoint, options, interceptors=interceptors)
        return grpc.aio.secure_channel(endpoint, tls.client(), options, interceptors=interceptors)

    return _RenewedChannel(tls, opened, bearer)
