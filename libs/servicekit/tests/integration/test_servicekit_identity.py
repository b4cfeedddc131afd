"""Every RPC of every service, asked by nobody, by somebody else, too late, and by each role and process.

A server has the services' own tables and trusts a real issuer; behind each RPC stands only what says who called.
"""

import asyncio
import base64
import importlib
import json
import os
import socket
import time
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from contracts.tls import Tls, open_channel
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from joserfc import jwt
from joserfc.jwk import ECKey
from native_stack import authority
from native_stack.people import PEOPLE
from servicekit import principal
from servicekit.access import ROLES, Access
from servicekit.grpc import channel, server
from testkit.issuing import Issuing, issuing

REPOSITORY = Path(__file__).parents[4]
TOO_MUCH = grpc.StatusCode.RESOURCE_EXHAUSTED
UNKNOWN, REFUSED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED


def methods() -> Iterator[MethodDescriptor]:
    """Of the services that are asked over gRPC."""
    for name in sorted(path.name for path in (REPOSITORY / "proto/longitude").iterdir() if path.name != "record"):
        file = importlib.import_module(f"longitude.{name}.v1.{name}_service_pb2").DESCRIPTOR
        for service in file.services_by_name.values():
            yield from service.methods


METHODS = list(methods())
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)


def table(method: MethodDescriptor) -> dict[str, dict[str, frozenset[str]]]:
    service = method.containing_service.file.package.split(".")[1]
    file = REPOSITORY / "services" / service / "src" / service / "access.toml"
    parts = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        part: {name: frozenset(rpcs) for name, rpcs in parts.get(part, {}).items()} for part in ("roles", "processes")
    }


@pytest.fixture
async def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Issuing]:
    async with issuing(tmp_path) as opened:
        monkeypatch.setenv("LONGITUDE_ISSUER", opened.url)
        yield opened


class Served:
    """One RPC; `callers` are those that it answered."""

    def __init__(self, method: MethodDescriptor, address: str) -> None:
        self.method, self.address = method, address
        self.request, self.response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        self.callers: list[principal.Principal] = []
        self.does: Callable[[], Awaitable[None]] = partial(asyncio.sleep, 0)

    def handler(self) -> "grpc.RpcMethodHandler[Any, Any]":
        async def answer(_: Any, __: Any) -> Message:
            self.callers.append(principal.caller())
            await self.does()
            return self.response()

        async def answers(asked: Any, __: Any) -> AsyncIterator[Message]:
            if self.method.client_streaming:
                async for _ in asked:
                    pass
            self.callers.append(principal.caller())
            yield self.response()

        return getattr(grpc, f"{self.kind}_rpc_method_handler")(  # type: ignore[no-any-return] # chosen by name
            answers if self.method.server_streaming else answer,
            request_deserializer=self.request.FromString,
            response_serializer=self.response.SerializeToString,
        )

    @property
    def kind(self) -> str:
        sides = (self.method.client_streaming, self.method.server_streaming)
        return "_".join("stream" if side else "unary" for side in sides)

    async def ask(self, opened: grpc.aio.Channel) -> None:
        path = f"/{self.method.containing_service.full_name}/{self.method.name}"
        write, read = self.request.SerializeToString, self.response.FromString
        call = getattr(opened, self.kind)(path, request_serializer=write, response_deserializer=read)
        asked = iter([self.request()]) if self.method.client_streaming else self.request()
        if self.method.server_streaming:
            async for _ in call(asked):
                pass
        else:
            await call(asked)

    async def status(self, token: str, tls: Tls | None = None) -> grpc.StatusCode:
        """How it answers this token, from the command unless another process asks."""
        shown = tls or Tls.of(os.environ)
        async with open_channel(self.address, shown, bearer=lambda: token) as opened:
            try:
                await self.ask(opened)
            except grpc.aio.AioRpcError as error:
                return error.code()
            return grpc.StatusCode.OK


@asynccontextmanager
async def serving(method: MethodDescriptor) -> AsyncIterator[Served]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        served = Served(method, f"127.0.0.1:{listener.getsockname()[1]}")
    handlers = {method.name: served.handler()}
    generic = grpc.method_handlers_generic_handler(method.containing_service.full_name, handlers)

    def register(_: Any, to: grpc.aio.Server) -> None:
        to.add_generic_rpc_handlers((generic,))

    registration = (register, None, method.containing_service.file)
    async with server(served.address, [registration], 1.0, Access(table(method)["roles"], table(method)["processes"])):
        yield served


def wrong(issuer: Issuing, other: Issuing) -> Iterator[tuple[str, str]]:
    """Tokens that prove nothing, by what is wrong with them; each would open every RPC if it did."""
    claims: dict[str, Any] = {"iss": issuer.url, "sub": "mallory", "aud": "longitude", "exp": int(time.time()) + 600}
    claims["roles"] = sorted(ROLES)
    signed = partial(issuer.keys.sign, kind="at+jwt")
    yield "no token", "x"
    yield "another issuer", other.keys.sign(claims | {"iss": other.url}, "at+jwt")
    yield "another issuer in our name", other.keys.sign(claims, "at+jwt")
    yield "another audience", signed(claims | {"aud": "billing"})
    yield "expired", signed(claims | {"exp": int(time.time()) - 61})
    yield "of tomorrow", signed(claims | {"nbf": int(time.time()) + 3600})
    yield "without an end", signed({name: value for name, value in claims.items() if name != "exp"})
    yield "for the command only", str(issuer.tokens.of(PEOPLE["developer"])["id_token"])
    yield "for the issuer only", str(issuer.tokens.of(PEOPLE["developer"])["refresh_token"])
    head, body, signature = signed(claims).split(".")
    more = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "physician"}).encode()).rstrip(b"=").decode()
    yield "tampered", f"{head}.{more}.{signature}"
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    yield "unsigned", f"{none}.{body}."
    kid = issuer.keys.published()["keys"][-1]["kid"]
    mallory = ECKey.generate_key("P-256", {"kid": kid})
    yield "signed by somebody under the same name", jwt.encode({"alg": "ES256", "kid": kid}, claims, mallory)


@each_method
async def test_nobody_asks_any_rpc_without_an_identity_or_with_a_wrong_one(
    method: MethodDescriptor, issuer: Issuing, tmp_path: Path
) -> None:
    async with serving(method) as served, issuing(tmp_path / "other") as other:
        assert await served.status("") is UNKNOWN
        for what, token in wrong(issuer, other):
            assert await served.status(token) is UNKNOWN, what
        assert served.callers == []


@each_method
async def test_each_role_asks_what_its_row_says_and_nothing_else(method: MethodDescriptor, issuer: Issuing) -> None:
    async with serving(method) as served:
        for role in sorted(ROLES):
            opens = method.name in table(method)["roles"].get(role, ())
            status = await served.status(issuer.tokens.of(PEOPLE[role])["access_token"])
            assert status is (grpc.StatusCode.OK if opens else REFUSED), role
        for caller in served.callers:
            assert caller.process == "command"
            assert caller.person is not None
            assert method.name in table(method)["roles"][next(iter(caller.person.roles))]


@each_method
async def test_a_process_asks_what_its_row_says_also_for_a_person(
    method: MethodDescriptor, issuer: Issuing, certificates: Path
) -> None:
    names = ["reasoning", "ingestion", "kafka"]
    authority.issue(certificates, names)
    token = issuer.tokens.of(PEOPLE["developer"])["access_token"]
    nobody = issuer.keys.sign(jwt_of_nobody(issuer), "at+jwt")
    async with serving(method) as served:
        for name in names:
            shown = Tls.of(authority.settings(certificates, name))
            listed = method.name in table(method)["processes"].get(name, ())
            assert await served.status("", shown) is (grpc.StatusCode.OK if listed else REFUSED), name
            assert await served.status(token, shown) is (grpc.StatusCode.OK if listed else REFUSED), name
            assert await served.status(nobody, shown) is REFUSED, name
        assert {caller.process for caller in served.callers} <= {"reasoning"}


def jwt_of_nobody(issuer: Issuing) -> dict[str, Any]:
    """Somebody who is known and has no role."""
    return {"iss": issuer.url, "sub": "visitor", "aud": "longitude", "exp": int(time.time()) + 600}


async def test_what_a_process_asks_meanwhile_is_for_the_person_who_called_it(issuer: Issuing) -> None:
    behind, front = (next(each for each in METHODS if each.name == name) for name in ("GetContext", "Check"))
    async with serving(behind) as memory, serving(front) as reasoning, channel(memory.address) as to_memory:
        reasoning.does = partial(memory.ask, to_memory)
        for role in ("nurse", "physician"):
            await reasoning.status(issuer.tokens.of(PEOPLE[role])["access_token"])
        assert [caller.person and caller.person.subject for caller in memory.callers] == ["nurse", "physician"]
        # Outside of a call there is no person.
        with pytest.raises(grpc.aio.AioRpcError, match="needs a person"):
            await memory.ask(to_memory)


async def test_a_certificate_that_names_no_process_of_ours_is_nobody(
    issuer: Issuing, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "TRUST_DOMAIN", "spiffe://elsewhere/")
    authority.issue(certificates, ["visitor"])
    shown = Tls.of(authority.settings(certificates, "visitor"))
    token = issuer.tokens.of(PEOPLE["developer"])["access_token"]
    async with serving(METHODS[0]) as served:
        assert await served.status(token) is grpc.StatusCode.OK
        assert await served.status(token, shown) is UNKNOWN


async def test_where_plain_text_is_spoken_people_ask_and_no_process_is_known(
    issuer: Issuing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGITUDE_PLAINTEXT", "true")
    (context,) = (each for each in METHODS if each.name == "GetContext")
    async with serving(context) as served:
        assert await served.status("") is UNKNOWN
        assert await served.status(issuer.tokens.of(PEOPLE["nurse"])["access_token"]) is grpc.StatusCode.OK


@pytest.fixture
def few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGITUDE_CALLS_AT_ONCE", "3")
    monkeypatch.setenv("LONGITUDE_CALLS_PER_SECOND", "0.2")


@pytest.mark.usefixtures("few_calls")
async def test_one_person_who_asks_too_much_waits_and_nobody_else_does(issuer: Issuing, certificates: Path) -> None:
    authority.issue(certificates, ["reasoning"])
    reasoning = Tls.of(authority.settings(certificates, "reasoning"))
    nurse, physician, auditor = (
        issuer.tokens.of(PEOPLE[role])["access_token"] for role in ("nurse", "physician", "auditor")
    )
    (context,) = (each for each in METHODS if each.name == "GetContext")
    async with serving(context) as served:
        assert [await served.status(nurse) for _ in range(5)] == [grpc.StatusCode.OK] * 3 + [TOO_MUCH] * 2
        assert len(served.callers) == 3
        # A person has calls of their own through each process, and what is refused is a call as well.
        assert await served.status(nurse, reasoning) is grpc.StatusCode.OK
        assert await served.status(physician) is grpc.StatusCode.OK
        assert [await served.status(auditor) for _ in range(4)] == [REFUSED] * 3 + [TOO_MUCH]
        # A process that asks for itself has no limit.
        assert [await served.status("", reasoning) for _ in range(10)] == [grpc.StatusCode.OK] * 10


@pytest.mark.usefixtures("few_calls")
@pytest.mark.parametrize("name", ["GetContext", "Ask", "CheckStream"])
async def test_who_asks_too_much_is_answered_when_to_ask_again(
    name: str, issuer: Issuing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGITUDE_CALLS_PER_SECOND", "0.5")
    token = issuer.tokens.of(PEOPLE["nurse"])["access_token"]
    (method,) = (each for each in METHODS if each.name == name)
    async with serving(method) as served, open_channel(served.address, Tls.of(os.environ), bearer=lambda: token) as to:
        for _ in range(3):
            await served.ask(to)
        with pytest.raises(grpc.aio.AioRpcError, match="ask again in") as refused:
            await served.ask(to)
        sent: dict[str, Any] = dict(refused.value.trailing_metadata() or ())  # type: ignore[arg-type] # of pairs
        status, retry = Status.FromString(sent["grpc-status-details-bin"]), RetryInfo()
        assert (status.code, status.message) == (8, refused.value.details())
        assert status.details[0].Unpack(retry)
        assert 0 < retry.retry_delay.ToTimedelta().total_seconds() <= 2.01
        await asyncio.sleep(retry.retry_delay.ToTimedelta().total_seconds())
        await served.ask(to)


async def test_health_is_open_and_the_list_of_rpcs_is_not(issuer: Issuing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lists(opened: grpc.aio.Channel) -> bool:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stream = reflection_pb2_grpc.ServerReflectionStub(opened).ServerReflectionInfo(iter([request]))
        try:
            return bool([answer async for answer in stream])
        except grpc.aio.AioRpcError:
            return False

    for setting, listed in (("false", False), ("true", True)):
        monkeypatch.setenv("LONGITUDE_REFLECTION", setting)
        async with serving(METHODS[0]) as served, channel(served.address) as opened:
            health = await health_pb2_grpc.HealthStub(opened).Check(health_pb2.HealthCheckRequest())
            assert health.status == health_pb2.HealthCheckResponse.SERVING
            assert await lists(opened) == listed
