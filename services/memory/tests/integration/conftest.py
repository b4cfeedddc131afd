"""The memory service's own pieces on real servers."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from consult import times
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import MESSAGE_RECEIVED, Topic
from eventbus import Event, Outgoing
from google.protobuf.message import Message
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.fact_pb2 import IdentityLink
from memory.adapters.postgres import Store, open_store


def key(patient: str) -> cf.PatientKey:
    identifier, _, authority = patient.partition("@")
    return cf.PatientKey(id=identifier, authority=authority)


def build_message(
    control_id: str,
    *facts: cf.ClinicalFact,
    patient: str = "1@NORTH",
    sent: datetime | None = None,
    merged: str = "",
    unmerged: str = "",
) -> MessageReceived:
    message = MessageReceived(
        header=MessageHeader(control_id=control_id),
        patient=PatientIdentity(key=key(patient)),
        facts=facts,
        received_at=times.stamp(datetime.now(UTC)),
    )
    if sent is not None:
        message.header.sent_at.CopyFrom(times.stamp(sent))
    for other, removed in ((merged, False), (unmerged, True)):
        if other:
            message.links.append(IdentityLink(surviving=key(patient), merged=key(other), removed=removed))
    return message


def build_event(payload: Message, name: str, topic: Topic[Any] = MESSAGE_RECEIVED, offset: int = 0) -> Event[Any]:
    """The event as the bus would decode it; `name` decides its id."""
    value = payload.SerializeToString(deterministic=True)
    return Event(event_id("test", name), topic, b"key", payload, "", datetime.now(UTC), 0, offset, value, {})


def build_outgoing(payload: Any, name: str, topic: Topic[Any] = MESSAGE_RECEIVED) -> Outgoing:
    """The event as its producer would publish it."""
    patient = payload.patient.key if topic is MESSAGE_RECEIVED else payload.patient
    return Outgoing(topic, event_id("test", name), patient_partition_key(patient), payload, datetime.now(UTC))


@pytest.fixture(scope="session")
def message() -> Callable[..., MessageReceived]:
    return build_message


@pytest.fixture(scope="session")
def event() -> Callable[..., Event[Any]]:
    return build_event


@pytest.fixture(scope="session")
def outgoing() -> Callable[..., Outgoing]:
    return build_outgoing


@pytest.fixture
async def store(new_database: Callable[..., str]) -> AsyncIterator[Store]:
    async with open_store(new_database("memory")) as opened:
        yield opened


@pytest.fixture
def tell(store: Store) -> Callable[..., Any]:
    """`await tell("name", payload)` hands an event to the handler of messages."""
    from memory.handlers import on_messages_received  # noqa: PLC0415 - a handler, bound to this store

    async def handle(name: str, payload: MessageReceived) -> Sequence[Outgoing]:
        (caused,) = await on_messages_received([build_event(payload, name)], store=store)
        return caused

    return handle


class MemoryProcess:
    """`python -m memory` as an operator starts it. One runs at a time: all would be one Kafka consumer group."""

    running: "MemoryProcess | None" = None

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.endpoint, self._http = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.log = folder / f"memory-{uuid.uuid4().hex[:8]}.log"
        self._environment = os.environ | {f"LONGITUDE_{name}": value for name, value in settings.items()}
        self._environment |= {"LONGITUDE_GRPC_LISTEN": self.endpoint, "LONGITUDE_HTTP_LISTEN": self._http}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Stop the one that runs, start, and return when /readyz says so; nothing to do when it runs already."""
        if MemoryProcess.running is self:
            return
        if MemoryProcess.running is not None:
            MemoryProcess.running.stop()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "memory"], env=self._environment, stderr=log)
        MemoryProcess.running = self
        deadline = time.monotonic() + 90
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(self.log.read_text()[-3000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        MemoryProcess.running = None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        MemoryProcess.running = None
        return self._process.wait(60)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._http}/readyz", timeout=2):
                return True
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def new_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., MemoryProcess]]:
    """`new_memory(KAFKA=..., POSTGRES=..., TRITON=...)` starts a process; the last is stopped with the module."""

    def start(**settings: str) -> MemoryProcess:
        folder = tmp_path_factory.mktemp("memory")
        process = MemoryProcess(folder, {"QDRANT": f"edge:{folder}/qdrant"} | settings)
        process.start()
        return process

    yield start
    if MemoryProcess.running is not None:
        MemoryProcess.running.stop()
