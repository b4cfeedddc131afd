"""Calls as an attacker makes them: without anything, without a certificate, without a person, under another's name."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
from client.people import bearer
from contracts.tls import Tls
from google.protobuf.message import Message
from longitude.auditing.v1.auditing_service_pb2_grpc import AuditingServiceStub
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub

SECONDS = 20.0
_STUBS = {"AUDITING": AuditingServiceStub, "MEMORY": MemoryServiceStub, "REASONING": ReasoningServiceStub}
Metadata = tuple[tuple[str, str], ...]


def credentials(lines: Mapping[str, str]) -> grpc.ChannelCredentials:
    """The command's certificate."""
    tls = Tls.of(lines)
    assert tls is not None, "the stack speaks mutual TLS"
    return tls.client()


def nobody(lines: Mapping[str, str]) -> list[grpc.aio.Channel]:
    """Plain text, and TLS without a certificate of one's own."""
    endpoint, authority = lines["LONGITUDE_MEMORY"], Path(lines["LONGITUDE_TLS_AUTHORITY"])
    shown = grpc.ssl_channel_credentials(authority.read_bytes())
    return [grpc.aio.insecure_channel(endpoint), grpc.aio.secure_channel(endpoint, shown)]


def somebody(lines: Mapping[str, str]) -> Metadata:
    """Who is signed in at this machine."""
    return (("authorization", f"Bearer {bearer(lines)}"),)


def as_role(lines: Mapping[str, str], role: str, folder: Path) -> Metadata:
    """Another of the stack's demo people, by `longitude login`."""
    variables = {**os.environ, **lines, "LONGITUDE_TOKEN_FILE": str(folder / f"{role}.json")}
    command = shutil.which("longitude") or str(Path(sys.executable).with_name("longitude"))
    subprocess.run([command, "login", "--as", role], env=variables, check=True, capture_output=True, timeout=60)
    return somebody(variables)


async def status(
    channel: grpc.aio.Channel, service: str, rpc: str, request: Message, metadata: Metadata = ()
) -> tuple[str, Any]:
    """The status of one call, and what came back."""
    try:
        answer = await getattr(_STUBS[service](channel), rpc)(request, timeout=SECONDS, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return error.code().name, None
    return "OK", answer


async def call(
    lines: Mapping[str, str], service: str, rpc: str, request: Message, metadata: Metadata = ()
) -> tuple[str, Any]:
    """The same through the command's certificate."""
    async with grpc.aio.secure_channel(lines[f"LONGITUDE_{service}"], credentials(lines)) as channel:
        return await status(channel, service, rpc, request, metadata)


def audit(folder: Path) -> str:
    """What `longitude audit verify` says of the stack whose stack.env lies in the folder."""
    command = shutil.which("longitude") or str(Path(sys.executable).with_name("longitude"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LONGITUDE_")}
    ran = subprocess.run(
        [command, "audit", "verify", "--json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    return ran.stdout + ran.stderr
