"""The imaging service's own pieces on real servers, and the service as an operator starts it."""

import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import DOCUMENT_RECEIVED, STUDY_RECEIVED, Topic
from eventbus import Event
from google.protobuf.message import Message
from imaging.adapters.converter import Converter
from imaging.adapters.postgres import Store
from imaging.adapters.triton import Networks
from imaging.flows.outside import Outside
from longitude.ingestion.v1.events_pb2 import DocumentReceived, StudyReceived
from longitude.record.v1.fact_pb2 import PatientKey, SourcePointer
from longitude.record.v1.object_pb2 import ObjectRef
from servicekit.bounded import Bounds
from servicekit.objects import ObjectStore
from servicekit.postgres import open_pool
from servicekit.triton import TritonClient
from testkit import ObjectStorage

RAW = "ingestion-raw"
PATIENT = PatientKey(id="NW-204417", authority="NORTHWEST")


def build_event(payload: Message, name: str) -> Event[Any]:
    """The event as the bus would decode it; `name` decides its id."""
    topic: Topic[Any] = STUDY_RECEIVED if isinstance(payload, StudyReceived) else DOCUMENT_RECEIVED
    value = payload.SerializeToString(deterministic=True)
    key = patient_partition_key(PATIENT)
    return Event(event_id("test", name), topic, key, payload, "", datetime.now(UTC), 0, 0, value, {})


def build_study(instance: ObjectRef, modality: str = "DX") -> StudyReceived:
    study = StudyReceived(
        patient=PATIENT,
        study_instance_uid="2.25.3",
        sop_instance_uid=f"2.25.{uuid.uuid4().int}",
        modality=modality,
        instance=instance,
    )
    study.acquired_at.FromDatetime(datetime(2026, 10, 5, 8, 40, tzinfo=UTC))
    return study


def build_document(content: ObjectRef) -> DocumentReceived:
    document = DocumentReceived(
        document_id=f"doc-{uuid.uuid4().hex}",
        patient=PATIENT,
        title="Laboratory report",
        content=content,
        source=SourcePointer(control_id="LK0018", segment="OBX[1]", field="OBX-5"),
    )
    document.authored_at.FromDatetime(datetime(2025, 7, 9, 10, tzinfo=UTC))
    return document


@pytest.fixture(scope="session")
def event() -> Callable[..., Event[Any]]:
    return build_event


@pytest.fixture(scope="session")
def study() -> Callable[..., StudyReceived]:
    return build_study


@pytest.fixture(scope="session")
def document() -> Callable[..., DocumentReceived]:
    return build_document


def bucket(objects: ObjectStorage, name: str) -> ObjectStore:
    return ObjectStore(objects.endpoint, objects.access_key, objects.secret_key, name)


@pytest.fixture
async def keep(objects: ObjectStorage) -> Callable[..., Any]:
    """`await keep(data, media_type)` stores bytes as ingestion does."""
    raw = bucket(objects, RAW)

    async def put(data: bytes, media_type: str = "application/dicom") -> ObjectRef:
        return await raw.put(hashlib.sha256(data).hexdigest(), data, media_type)

    return put


@pytest.fixture
async def networks(triton: Callable[..., str]) -> AsyncIterator[Networks]:
    async with TritonClient.connect(triton("chest_film", "page_reader")) as client:
        yield Networks(client, ["chest_film"])


@pytest.fixture
async def outside(
    new_database: Callable[..., str], objects: ObjectStorage, networks: Networks
) -> AsyncIterator[Outside]:
    dsn, analyses = new_database("imaging"), bucket(objects, "imaging-analyses")
    bounds = Bounds(1024 * 1024 * 1024, 60, 180, 256 * 1024 * 1024)
    async with open_pool(dsn, "imaging") as pool, Converter.running(bounds, 2, 32 * 1024 * 1024) as converter:
        yield Outside(Store(pool), analyses, networks, converter, 64 * 1024 * 1024)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class ImagingProcess:
    """`python -m imaging` as an operator starts it."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.endpoint, self._http = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.log = folder / "imaging.log"
        self._environment = os.environ | {f"LONGITUDE_{name}": value for name, value in settings.items()}
        self._environment |= {"LONGITUDE_GRPC_LISTEN": self.endpoint, "LONGITUDE_HTTP_LISTEN": self._http}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when /readyz says so."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "imaging"], env=self._environment, stderr=log)
        deadline = time.monotonic() + 180
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(self.log.read_text()[-3000:])
            time.sleep(0.2)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(60)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._http}/readyz", timeout=5):
                return True
        except OSError:
            return False


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory,
    kafka: str,
    triton: Callable[..., str],
    new_database: Callable[..., str],
    objects: ObjectStorage,
) -> Iterator[ImagingProcess]:
    settings = {
        "KAFKA": kafka,
        "POSTGRES": new_database("imaging"),
        "TRITON": triton("chest_film", "page_reader"),
        "OBJECTS": objects.endpoint,
        "OBJECTS_ACCESS_KEY": objects.access_key,
        "OBJECTS_SECRET_KEY": objects.secret_key,
    }
    process = ImagingProcess(tmp_path_factory.mktemp("imaging"), settings)
    process.start()
    yield process
    process.stop()
