"""A command that reads a lot is slowed down by a service that has had enough of it, and does not fail."""

import os
import socket
import time
from pathlib import Path
from typing import Any, cast

import pytest
from client.api import AuditingClient
from client.api.channel import open_channel
from client.errors import RefusedError
from longitude.auditing.v1 import auditing_service_pb2 as pb
from longitude.auditing.v1.auditing_service_pb2_grpc import (
    AuditingServiceServicer,
    AuditingServiceStub,
    add_AuditingServiceServicer_to_server,
)
from native_stack.people import sign_in
from servicekit.access import NO_PROCESS, Access
from servicekit.grpc import server
from testkit.issuing import issuing

RPC = frozenset({"Trace"})


class Log(AuditingServiceServicer):
    """Empty."""

    async def Trace(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.TraceResponse()


@pytest.mark.parametrize(("per_second", "asks_again"), [("20", True), ("0.1", False)])
async def test_a_call_that_comes_too_soon_is_made_again_when_the_service_says(
    per_second: str,
    asks_again: bool,  # noqa: FBT001 - pytest passes it
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("LONGITUDE_CALLS_AT_ONCE", "2")
    monkeypatch.setenv("LONGITUDE_CALLS_PER_SECOND", per_second)
    monkeypatch.setenv("LONGITUDE_TOKEN_FILE", str(tmp_path / "token.json"))
    registration = (add_AuditingServiceServicer_to_server, cast("Any", Log)(), pb.DESCRIPTOR)
    access = Access({"auditor": RPC}, {"command": RPC, NO_PROCESS: RPC})
    async with issuing(tmp_path) as issuer:
        monkeypatch.setenv("LONGITUDE_ISSUER", issuer.url)
        sign_in(tmp_path / "token.json", issuer.tokens, issuer.url)
        async with server(address, [registration], 1.0, access), open_channel(address, os.environ) as opened:
            log = AuditingClient(AuditingServiceStub(opened))
            began = time.monotonic()
            for _ in range(2):
                await log.trace("x")
            if asks_again:
                for _ in range(6):
                    assert await log.trace("x") == []
                assert time.monotonic() - began >= 6 / 20 - 0.05
            else:
                # Nobody waits ten seconds without being told why.
                with pytest.raises(RefusedError, match="too many calls of one person; ask again in"):
                    await log.trace("x")
                assert time.monotonic() - began < 5
