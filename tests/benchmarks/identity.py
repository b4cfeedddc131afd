"""What it costs to know who calls: CPU time of an empty RPC in plain text, by mutual TLS, and with a token.

Client and server are this process, as are the authority and the issuer; each form is measured several times in turn,
and the least counts, since other work on the cores only adds.
"""

import asyncio
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from contracts.tls import Tls, open_channel
from longitude.imaging.v1 import imaging_service_pb2 as pb
from longitude.imaging.v1.imaging_service_pb2_grpc import (
    ImagingServiceServicer,
    ImagingServiceStub,
    add_ImagingServiceServicer_to_server,
)
from manifests.grants import COMMAND
from native_stack import authority
from native_stack.people import PEOPLE
from servicekit.access import NO_PROCESS, Access
from servicekit.grpc import server
from servicekit.tokens import Verifier
from testkit.issuing import issuing

from tests.results import Result

FULL, SHORT = 2_000, 20
_TIMES = 5
_RPC = frozenset({"GetDocument"})
_ACCESS = Access({"physician": _RPC}, {COMMAND: _RPC, NO_PROCESS: _RPC})


class _Nothing(ImagingServiceServicer):
    async def GetDocument(self, _: pb.GetDocumentRequest, __: Any) -> pb.GetDocumentResponse:  # noqa: N802
        return pb.GetDocumentResponse()

    async def GetStudyAnalysis(self, _: pb.GetStudyAnalysisRequest, __: Any) -> pb.GetStudyAnalysisResponse:  # noqa: N802
        return pb.GetStudyAnalysisResponse()


def run(calls: int = FULL) -> Result:
    """`calls` calls of each form."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        authority.issue(Path(folder), [COMMAND])
        for name, value in authority.settings(Path(folder), COMMAND).items():
            patched.setenv(name, value)
        patched.setenv("LONGITUDE_CALLS_PER_SECOND", "0")
        figures = asyncio.run(_measured(Path(folder), calls, patched))
    plain = {"an RPC in plain text, of nobody": {"cpu_us": figures.pop("plain_cpu_us")}}
    return Result(name="identity", n=calls, figures=figures, peers=plain, note=f"least of {_TIMES}; client and server")


async def _measured(folder: Path, calls: int, patched: pytest.MonkeyPatch) -> dict[str, float]:
    async with issuing(folder / "issuer") as issuer:
        patched.setenv("LONGITUDE_ISSUER", issuer.url)
        token = issuer.tokens.of(PEOPLE["physician"])["access_token"]
        forms = {"plain": ("true", ""), "tls": ("false", ""), "tls_and_token": ("false", token)}
        seen: dict[str, list[float]] = {name: [] for name in forms}
        for _ in range(_TIMES):
            for name, (plaintext, bearer) in forms.items():
                patched.setenv("LONGITUDE_PLAINTEXT", plaintext)
                seen[name].append(await _call(calls, bearer))
        figures = {f"{name}_cpu_us": min(times) for name, times in seen.items()}
        return figures | {"token_verified_cpu_us": await _verify(issuer.url, token, calls // 10)}


async def _call(calls: int, token: str) -> float:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    served = (add_ImagingServiceServicer_to_server, _Nothing(), pb.DESCRIPTOR)
    async with (
        server(address, [served], 1.0, _ACCESS),
        open_channel(address, Tls.of(os.environ), bearer=lambda: token) as opened,
    ):
        stub: Any = ImagingServiceStub(opened)
        await stub.GetDocument(pb.GetDocumentRequest())
        began = time.process_time()
        for _ in range(calls):
            await stub.GetDocument(pb.GetDocumentRequest())
        return (time.process_time() - began) / calls * 1e6


async def _verify(issuer: str, token: str, times: int) -> float:
    """The first look at a token: the keys are there, the token is not known yet."""
    verifier = Verifier(issuer, "longitude", "roles")
    await verifier.person(token)
    began = time.process_time()
    for _ in range(times):
        verifier.forget()
        await verifier.person(token)
    return (time.process_time() - began) / times * 1e6
