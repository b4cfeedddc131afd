"""The service as it runs, on a real Kafka and real object storage."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.kafka import reaching
from contracts.topics import Topic
from eventbus import EventBus
from ingestion.adapters import dicom, mllp
from ingestion.adapters.doors import Quotas
from ingestion.adapters.objects import BUCKET, RawStore
from ingestion.adapters.reader import Reader
from ingestion.domain.acknowledgement import Policy
from ingestion.domain.control_ids import ControlIds
from ingestion.domain.dicom import HeaderBounds, ReceivedInstance
from ingestion.domain.mllp import Received
from ingestion.domain.reading import Feed
from ingestion.flows.turns import Turns
from ingestion.handlers import Intake, on_frame, on_instance
from servicekit.bounded import Bounds
from servicekit.objects import ObjectStore
from testkit.backends import ObjectStorage
from testkit.signing import identity_of

MIB = 1024 * 1024
LIMITS = mllp.ConnectionLimits(
    frame_bytes=MIB,
    gap=0.5,
    frame=30.0,
    idle=60.0,
    answer=10.0,
    quotas=Quotas(32, 32, 64 * MIB, 32 * MIB, 60.0),
    pipelined=64,
    in_flight_bytes=64 * MIB,
    peer_in_flight_bytes=32 * MIB,
)
DICOM_LIMITS = dicom.AssociationLimits(
    instance_bytes=2 * MIB, quotas=Quotas(4, 3, 64 * MIB, 32 * MIB, 1.0), network=3.0, handling=40.0
)
READING = Bounds(memory_bytes=256 * MIB, cpu_seconds=10, wall_seconds=60, answer_bytes=64 * MIB)


@dataclass
class Process:
    """What the bus asks of the process it lives in."""

    failures: list[BaseException] = field(default_factory=list)

    def fail(self, error: BaseException) -> None:
        self.failures.append(error)

    def works_without(self, name: str, check: Callable[[], Any]) -> None:
        """Readiness is the process's matter."""


@dataclass(frozen=True)
class Service:
    """Where it listens."""

    mllp: str
    dicom: int
    store: ObjectStore
    intake: Intake


Start = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def start(kafka: str, objects: ObjectStorage) -> Start:
    """`async with start() as service`; `bootstrap` may name a proxy before Kafka."""

    @asynccontextmanager
    async def running(
        bootstrap: str = kafka, limits: mllp.ConnectionLimits = LIMITS, policy: Policy = Policy.ONE, endpoint: str = ""
    ) -> AsyncIterator[Service]:
        store = ObjectStore(endpoint or objects.endpoint, objects.access_key, objects.secret_key, BUCKET)
        bus = EventBus("ingestion", bootstrap, identity=identity_of("ingestion"))

        async def handle_frame(received: Received, received_at: datetime) -> list[bytes]:
            return await on_frame(received, received_at, intake)

        async def handle_instance(instance: ReceivedInstance) -> tuple[int, str]:
            return await on_instance(instance, datetime.now(UTC), intake)

        headers = HeaderBounds(inflated_bytes=64 * MIB)
        async with (
            Reader.running(Feed(), READING, 2, 64 * 1024) as reader,
            bus.running(Process()),
            mllp.MllpListener(handle_frame, limits).listening("127.0.0.1", 0) as port,
            dicom.DicomListener(handle_instance, DICOM_LIMITS).listening("127.0.0.1", 0) as dicom_port,
        ):
            intake = Intake(bus.publish, RawStore(store), reader, policy, Turns(), ControlIds(), headers)
            yield Service(f"127.0.0.1:{port}", dicom_port, store, intake)

    return running


@dataclass(frozen=True)
class Record:
    """One record."""

    event_id: str
    key: bytes | None
    payload: Any
    partition: int
    offset: int


class TopicReader:
    """`async with TopicReader(kafka, MESSAGE_RECEIVED) as reader`: sees what is published from then on."""

    def __init__(self, bootstrap: str, topic: Topic[Any]) -> None:
        self._topic = topic
        self._consumer = AIOKafkaConsumer(**reaching(bootstrap), enable_auto_commit=False)

    async def __aenter__(self) -> Self:
        # Assigned by hand: a group would take seconds to form.
        await self._consumer.start()
        partitions = await self._partitions()
        self._consumer.assign(partitions)
        await self._consumer.seek_to_end(*partitions)
        for partition in partitions:
            await self._consumer.position(partition)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def _partitions(self) -> list[TopicPartition]:
        metadata = await self._consumer._client.fetch_all_metadata()
        return [TopicPartition(self._topic.name, p) for p in metadata.partitions_for_topic(self._topic.name)]

    async def read(self, count: int, timeout_s: float = 20.0) -> list[Record]:
        """Exactly `count` records; TimeoutError when they do not come."""
        records: list[Record] = []
        async with asyncio.timeout(timeout_s):
            while len(records) < count:
                records += await self._poll(500)
        assert len(records) == count, f"{len(records)} records instead of {count}"
        return records

    async def read_some(self, timeout_s: float = 20.0) -> list[Record]:
        """The next records, at least one; TimeoutError when none comes."""
        async with asyncio.timeout(timeout_s):
            while not (records := await self._poll(500)):
                pass
            return records

    async def read_all(self, quiet_s: float = 2.0) -> list[Record]:
        """Every record until none comes for a while."""
        records: list[Record] = []
        while found := await self._poll(int(quiet_s * 1000)):
            records += found
        return records

    async def _poll(self, timeout_ms: int) -> list[Record]:
        batches = await self._consumer.getmany(timeout_ms=timeout_ms)
        return [self._record(record) for batch in batches.values() for record in batch]

    def _record(self, record: Any) -> Record:
        headers = dict(record.headers)
        payload = self._topic.payload.FromString(record.value)
        return Record(headers["ce_id"].decode(), record.key, payload, record.partition, record.offset)


@pytest.fixture
def watch(kafka: str) -> Callable[[Topic[Any]], TopicReader]:
    """`async with watch(TOPIC) as reader`."""
    return lambda topic: TopicReader(kafka, topic)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Running:
    """One process and where it listens."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.ports = {name: free_port() for name in ("MLLP_LISTEN", "DICOM_LISTEN", "GRPC_LISTEN", "HTTP_LISTEN")}
        self.log = log
        listens = {f"LONGITUDE_{name}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ingestion"], env={**os.environ, **environment, **listens}, stderr=output
            )

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def page(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.address('HTTP_LISTEN')}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 60
        while self.page("/readyz")[0] != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)


Launch = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def launch(kafka: str, objects: ObjectStorage, tmp_path: Path) -> Launch:
    """`with launch(SETTING=value) as running`."""

    @contextmanager
    def launched(**settings: str) -> Iterator[Running]:
        environment = {
            **identity_of("ingestion"),
            "LONGITUDE_KAFKA": kafka,
            "LONGITUDE_OBJECTS": objects.endpoint,
            "LONGITUDE_OBJECTS_ACCESS_KEY": objects.access_key,
            "LONGITUDE_OBJECTS_SECRET_KEY": objects.secret_key,
            **{f"LONGITUDE_{name}": value for name, value in settings.items()},
        }
        running = Running(environment, tmp_path / "ingestion.log")
        try:
            running.wait_ready()
            yield running
        finally:
            running.process.kill()
            running.process.wait()

    return launched
