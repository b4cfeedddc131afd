"""The log on real Kafka, PostgreSQL and S3: every record once, in order of indexes, provable, whatever is killed.

The service runs as a process of its own. Other tests of the session may write to the same topics: each log here
starts empty and reads all of them, so what is asserted holds for any traffic.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from auditing.domain.merkle import Frontier, append, hash_leaf
from client.errors import VerificationError
from client.stores import Objects, Stores, compare_tiles
from client.verify.leaf import check_leaf
from client.verify.merkle import leaf_hash
from client.verify.report import Report
from client.verify.witness import WitnessKey, cosigned_at
from contracts.kafka import reaching
from contracts.topics import CHECKPOINT_PUBLISHED, MESSAGE_RECEIVED, RECORD_READ, RECORD_UPDATED
from eventbus import Outgoing
from longitude.auditing.v1 import auditing_service_pb2 as pb
from longitude.auditing.v1.auditing_service_pb2_grpc import AuditingServiceStub
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.memory.v1.events_pb2 import RecordRead, RecordUpdated
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_SHOWN, Look
from native_stack.witness import KEY, settings
from servicekit.objects import connect
from testkit import ObjectStorage
from testkit.calls import channel
from testkit.signing import signer_of
from witness.cosigning import public_key

if TYPE_CHECKING:
    from longitude.auditing.v1.auditing_service_pb2_grpc import AuditingServiceAsyncStub


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class AuditingProcess:
    """`python -m auditing`; kill it and start it again as often as you like."""

    environment: dict[str, str]
    log_file: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def bucket(self) -> str:
        return self.environment["LONGITUDE_LOG_BUCKET"]

    @property
    def endpoint(self) -> str:
        return self.environment["LONGITUDE_GRPC_LISTEN"]

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "auditing"], env=os.environ | self.environment, stdout=log, stderr=log
            )

    async def ready(self, within: float = 60.0) -> None:
        async with asyncio.timeout(within):
            while not await asyncio.to_thread(self._answers):
                assert self.process is not None
                assert self.process.poll() is None, self.log_file.read_text(encoding="utf-8")[-3000:]
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    @asynccontextmanager
    async def rpc(self) -> AsyncIterator[AuditingServiceAsyncStub]:
        async with channel(self.endpoint) as opened:
            yield AuditingServiceStub(opened)

    async def caught_up(self, within: float = 60.0) -> Sequence[pb.PartitionCount]:
        """Wait until every record of the broker is recorded and covered by a checkpoint."""
        async with asyncio.timeout(within), self.rpc() as rpc:
            while True:
                counts = (await rpc.GetCompleteness(pb.GetCompletenessRequest())).partitions
                note = (await rpc.GetCheckpoint(pb.GetCheckpointRequest())).note
                recorded = sum(count.recorded_to - count.duplicates - count.missing for count in counts)
                if all(c.recorded_to == c.end_offset for c in counts) and int(note.split("\n")[1]) == recorded:
                    return counts
                await asyncio.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.environment['LONGITUDE_HTTP_LISTEN']}/readyz", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture
def new_auditing(
    kafka: str, new_database: Callable[..., str], objects: ObjectStorage, tmp_path: Path
) -> Iterator[Callable[..., AuditingProcess]]:
    """A log of its own, started; killed at the end if it still runs."""
    made: list[AuditingProcess] = []

    def make(**changed: str) -> AuditingProcess:
        settings = {
            "KAFKA": kafka,
            "POSTGRES": new_database("auditing"),
            "OBJECTS": objects.endpoint,
            "OBJECTS_ACCESS_KEY": objects.access_key,
            "OBJECTS_SECRET_KEY": objects.secret_key,
            "GRPC_LISTEN": f"127.0.0.1:{free_port()}",
            "HTTP_LISTEN": f"127.0.0.1:{free_port()}",
            "SIGNING_KEY_FILE": str(tmp_path / f"signing-{len(made)}.key"),
            "PSEUDONYM_KEY_FILE": str(tmp_path / "pseudonym.key"),
            "LOG_ORIGIN": f"test.local/{uuid.uuid4().hex}",
            "LOG_BUCKET": f"log-{uuid.uuid4().hex}",
            "CHECKPOINT_SECONDS": "0.3",
        }
        environment = {f"LONGITUDE_{name}": value for name, value in (settings | changed).items()}
        process = AuditingProcess(environment, tmp_path / f"auditing-{len(made)}.log")
        made.append(process)
        process.start()
        return process

    yield make
    for process in made:
        if process.process is not None and process.process.poll() is None:
            process.kill()


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**reaching(kafka), acks="all", enable_idempotence=True)
    await producer.start()
    yield producer
    await producer.stop()


def message(number: int, *, run: str = "") -> Outgoing:
    """A distinct MessageReceived per number and run."""
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run}/{number}"))
    payload = MessageReceived(
        header=MessageHeader(control_id=f"{run}-{number}"),
        patient=PatientIdentity(key=PatientKey(id=f"P{number % 5}", authority="TEST"), family_name="Fictitious"),
    )
    return Outgoing(MESSAGE_RECEIVED, identifier, f"k{number % 5}".encode(), payload, datetime.now(UTC))


def signed(event: Outgoing, by: str = "") -> dict[str, str]:
    """The headers of an event, signed by its topic's owner or somebody else."""
    headers, signer = event.headers(), signer_of(by or event.topic.owner)
    assert signer is not None
    return headers | signer.headers(event.topic.name, event.key, headers, event.value())


async def send(producer: AIOKafkaProducer, events: Sequence[Outgoing]) -> None:
    """Publish and wait for the broker's acknowledgement of each."""
    pending = [
        await producer.send(
            event.topic.name,
            event.value(),
            key=event.key,
            headers=[(name, value.encode()) for name, value in signed(event).items()],
        )
        for event in events
    ]
    await asyncio.gather(*pending)


NewAuditing = Callable[..., AuditingProcess]


def run_name() -> str:
    return uuid.uuid4().hex[:12]


async def read_log(auditing: AuditingProcess) -> tuple[list[pb.Leaf], str]:
    """All leaves of the newest checkpoint, and the checkpoint."""
    async with auditing.rpc() as rpc:
        note = (await rpc.GetCheckpoint(pb.GetCheckpointRequest())).note
        request = pb.ReadLeavesRequest(end=int(note.split("\n")[1]))
        return [response.leaf async for response in rpc.ReadLeaves(request)], note


def root_of(note: str) -> bytes:
    return base64.b64decode(note.split("\n")[2])


def assert_log_is_whole(leaves: Sequence[pb.Leaf], note: str) -> None:
    assert [leaf.index for leaf in leaves] == list(range(len(leaves)))
    assert append(Frontier(), [hash_leaf(leaf.leaf_data) for leaf in leaves])[0].root() == root_of(note)
    places = [(leaf.topic, leaf.partition, leaf.offset) for leaf in leaves]
    assert len(set(places)) == len(places)
    assert len({(leaf.topic, leaf.event_id) for leaf in leaves}) == len(leaves)


def rows(auditing: AuditingProcess, query: str) -> list[tuple[int, ...]]:
    dsn = auditing.environment["LONGITUDE_POSTGRES"]
    with psycopg.connect(dsn, options="-c search_path=auditing") as conn:
        return conn.execute(query.encode()).fetchall()


async def test_every_record_becomes_a_leaf_under_the_signed_root(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    run = run_name()
    events = [message(n, run=run) for n in range(700)]
    await send(producer, events)
    auditing = new_auditing()
    await auditing.ready()
    await auditing.caught_up()
    leaves, note = await read_log(auditing)
    assert_log_is_whole(leaves, note)
    by_event = {leaf.event_id: leaf for leaf in leaves}
    for event in events:
        assert by_event[event.id].payload_sha256 == hashlib.sha256(event.value()).digest()
        assert b"Fictitious" not in by_event[event.id].leaf_data


async def test_a_redelivered_event_adds_no_leaf_and_every_offset_is_accounted_for(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    auditing = new_auditing()
    await auditing.ready()
    run = run_name()
    events = [message(n, run=run) for n in range(50)]
    await send(producer, [*events, *events[:20]])
    await auditing.caught_up()
    await send(producer, events[30:])
    counts = await auditing.caught_up()
    leaves, note = await read_log(auditing)
    assert_log_is_whole(leaves, note)
    wanted = {event.id for event in events}
    assert sum(leaf.event_id in wanted for leaf in leaves) == 50
    assert sum(count.duplicates for count in counts) >= 40
    assert sum(count.missing for count in counts) == 0
    # The counters against the rows they count: each offset of each partition is a leaf or a duplicate, once.
    assert rows(
        auditing,
        """SELECT count(*) FROM position p WHERE (SELECT count(*) FROM (
            SELECT "offset" FROM leaf l WHERE (l.topic, l.partition) = (p.topic, p.partition)
            UNION ALL SELECT "offset" FROM duplicate d WHERE (d.topic, d.partition) = (p.topic, p.partition)
        ) offsets) <> next_offset""",
    ) == [(0,)]


async def test_killed_while_it_writes_the_log_goes_on_without_a_gap_or_a_double(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    auditing = new_auditing()
    await auditing.ready()
    run = run_name()
    for part in range(4):
        await send(producer, [message(n, run=run) for n in range(part * 600, (part + 1) * 600)])
        await asyncio.sleep(part * 0.1)
        auditing.kill()
        auditing.start()
        await auditing.ready()
    counts = await auditing.caught_up()
    leaves, note = await read_log(auditing)
    assert_log_is_whole(leaves, note)
    wanted = {message(n, run=run).id for n in range(2400)}
    assert sum(leaf.event_id in wanted for leaf in leaves) == 2400
    assert sum(count.missing for count in counts) == 0


async def test_a_log_that_read_everything_again_would_have_the_same_leaves(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    await send(producer, [message(n, run=run_name()) for n in range(100)])
    first, second = new_auditing(), new_auditing()
    await asyncio.gather(first.ready(), second.ready())
    await asyncio.gather(first.caught_up(), second.caught_up())
    leaves = [await read_log(auditing) for auditing in (first, second)]
    data = [{(leaf.topic, leaf.partition, leaf.offset): leaf.leaf_data for leaf in some} for some, _ in leaves]
    common = data[0].keys() & data[1].keys()
    assert len(common) >= 100
    assert all(data[0][place] == data[1][place] for place in common)


async def test_what_cannot_be_read_and_who_is_unknown_still_get_a_leaf(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    sent = await producer.send_and_wait(MESSAGE_RECEIVED.name, b"\xff\xff not protobuf", headers=[("ce_id", b"\xff")])
    letter = await producer.send_and_wait(f"dlq.memory.{MESSAGE_RECEIVED.name}", b"\xff", headers=[])
    auditing = new_auditing()
    await auditing.ready()
    await auditing.caught_up()
    leaves, _ = await read_log(auditing)
    by_place = {(leaf.topic, leaf.partition, leaf.offset): leaf for leaf in leaves}
    for metadata in (sent, letter):
        leaf = by_place[metadata.topic, metadata.partition, metadata.offset]
        assert json.loads(leaf.leaf_data)["outcome"] == "8"


async def test_a_leaf_says_who_signed_its_record_and_whether_that_holds(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    run = run_name()
    good, forged, altered, unsigned, letter = (message(n, run=run) for n in range(5))
    places: dict[tuple[str, int, int], tuple[str, str, str]] = {}
    for event, headers, wanted in (
        (good, signed(good), ("good", "ingestion", "0")),
        (forged, signed(forged, by="learning"), ("wrong", "learning", "8")),
        (altered, signed(altered) | {"ce_id": str(uuid.uuid4())}, ("wrong", "", "8")),
        (unsigned, unsigned.headers(), ("missing", "", "8")),
        (letter, signed(letter), ("good", "ingestion", "8")),
    ):
        topic = event.topic.name if event is not letter else f"dlq.memory.{event.topic.name}"
        wire = [(name, value.encode()) for name, value in headers.items()]
        metadata = await producer.send_and_wait(topic, event.value(), key=event.key, headers=wire)
        places[metadata.topic, metadata.partition, metadata.offset] = wanted
    auditing = new_auditing()
    await auditing.ready()
    await auditing.caught_up()
    leaves, _ = await read_log(auditing)
    for leaf in leaves:
        if (place := (leaf.topic, leaf.partition, leaf.offset)) in places:
            wanted = places.pop(place)
            check_leaf(leaf)
            assert (leaf.signature, leaf.signer, json.loads(leaf.leaf_data)["outcome"]) == wanted
            leaf.signer = "somebody"
            with pytest.raises(VerificationError):
                check_leaf(leaf)
    assert not places


def rotate(keys: Path) -> None:
    """A new key in front of the one that is there."""
    keys.write_text("cd" * 32 + "\n" + keys.read_text())


async def test_after_a_new_pseudonym_key_earlier_looks_are_still_found(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    auditing = new_auditing()
    await auditing.ready()
    patient = PatientKey(id=f"LOOKED-{uuid.uuid4().hex}", authority="TEST")

    async def looked() -> list[str]:
        look = RecordRead(look=Look(patient=patient, outcome=LOOK_OUTCOME_SHOWN))
        await send(producer, [Outgoing(RECORD_READ, str(uuid.uuid4()), b"k", look, datetime.now(UTC))])
        await auditing.caught_up()
        async with auditing.rpc() as rpc:
            leaves = (await rpc.ListLooks(pb.ListLooksRequest(patients=[patient]))).leaves
        entities = [json.loads(leaf.leaf_data)["entity"] for leaf in leaves]
        return [entity[1]["what"]["identifier"]["value"] for entity in entities]

    (old,) = await looked()
    assert auditing.stop() == 0
    rotate(Path(auditing.environment["LONGITUDE_PSEUDONYM_KEY_FILE"]))
    auditing.start()
    await auditing.ready()
    new, *before = await looked()
    assert before == [old]
    assert new != old


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[tuple[str, WitnessKey, Callable[[], None]]]:
    """A witness in a process of its own: its address, its key, and what ends and starts it again."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    folder = tmp_path / "witness"
    folder.mkdir()
    environment = os.environ | settings(address, folder, tmp_path / "signing-0.key.pub")
    key = public_key(environment["LONGITUDE_WITNESS_NAME"], bytes.fromhex((folder / KEY).read_text()))
    running: list[subprocess.Popen[bytes]] = []

    def toggle() -> None:
        if running:
            process = running.pop()
            process.kill()
            process.wait()
        else:
            running.append(subprocess.Popen([sys.executable, "-m", "witness"], env=environment))

    toggle()
    yield f"http://{address}", WitnessKey.parse(str(key)), toggle
    if running:
        toggle()


async def cosigned(auditing: AuditingProcess, key: WitnessKey, *, size: int) -> None:
    """Wait until a checkpoint of so many leaves at least has the witness's signature."""
    async with asyncio.timeout(30), auditing.rpc() as rpc:
        while True:
            note = (await rpc.GetCheckpoint(pb.GetCheckpointRequest())).note
            if int(note.split("\n")[1]) >= size and cosigned_at(note, key) is not None:
                return
            await asyncio.sleep(0.1)


async def test_a_witness_cosigns_checkpoints_and_one_that_was_away_catches_up(
    new_auditing: NewAuditing,
    producer: AIOKafkaProducer,
    witness: tuple[str, WitnessKey, Callable[[], None]],
    objects: ObjectStorage,
) -> None:
    url, key, toggle = witness
    auditing = new_auditing(WITNESSES=url)
    await auditing.ready()
    await send(producer, [message(n, run=run_name()) for n in range(20)])
    await auditing.caught_up()
    size = len((await read_log(auditing))[0])
    await cosigned(auditing, key, size=size)
    toggle()
    await send(producer, [message(n, run=run_name()) for n in range(20)])
    await auditing.caught_up()
    assert cosigned_at((await read_log(auditing))[1], key) is None, "it was away, and the log went on"
    toggle()
    await cosigned(auditing, key, size=size + 20)
    store = connect(objects.endpoint, objects.access_key, objects.secret_key)
    async with asyncio.timeout(10):
        while True:
            response = await asyncio.to_thread(store.get_object, auditing.bucket, "checkpoint")
            if cosigned_at(response.data.decode(), key) is not None:
                return
            await asyncio.sleep(0.1)


async def test_the_logs_own_checkpoints_are_announced_and_are_no_leaves(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    auditing = new_auditing()
    await auditing.ready()
    await send(producer, [message(0, run=run_name())])
    await auditing.caught_up()
    leaves, note = await read_log(auditing)
    assert CHECKPOINT_PUBLISHED.name not in {leaf.topic for leaf in leaves}
    await asyncio.sleep(1.5)
    assert (await read_log(auditing))[1] == note, "an idle log publishes no checkpoint"


async def test_the_bucket_alone_is_enough_to_rebuild_the_log(
    new_auditing: NewAuditing, producer: AIOKafkaProducer, objects: ObjectStorage
) -> None:
    auditing = new_auditing()
    await auditing.ready()
    await send(producer, [message(n, run=run_name()) for n in range(600)])
    await auditing.caught_up()
    _, note = await read_log(auditing)
    size = int(note.split("\n")[1])
    store = connect(objects.endpoint, objects.access_key, objects.secret_key)

    def read(key: str) -> bytes:
        return bytes(store.get_object(auditing.environment["LONGITUDE_LOG_BUCKET"], key).data)

    assert read("checkpoint").decode() == note
    entries: list[bytes] = []
    for tile in range(-(-size // 256)):
        width = min(256, size - 256 * tile)
        suffix = "" if width == 256 else f".p/{width}"
        bundle, hashes = read(f"tile/entries/{tile:03d}{suffix}"), read(f"tile/0/{tile:03d}{suffix}")
        first = len(entries)
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
        assert hashes == b"".join(hash_leaf(entry) for entry in entries[first:])
    frontier, completed = append(Frontier(), map(hash_leaf, entries))
    assert frontier.root() == root_of(note)
    full = [node.hash for node in completed if node.height == 8]
    assert read(f"tile/1/000.p/{len(full)}") == b"".join(full)


@pytest.mark.parametrize("left", ["nothing", "another state's checkpoint"])
async def test_a_bucket_that_lacks_what_the_tables_have_is_filled_at_start(
    new_auditing: NewAuditing, producer: AIOKafkaProducer, objects: ObjectStorage, left: str
) -> None:
    """After a restore: tables are of one state, the bucket is lost or of another."""
    await send(producer, [message(n, run=run_name()) for n in range(5)])
    auditing = new_auditing()
    await auditing.ready()
    await auditing.caught_up()
    auditing.stop()
    store = connect(objects.endpoint, objects.access_key, objects.secret_key)
    for one in list(store.list_objects(auditing.bucket, recursive=True)):
        assert one.object_name is not None
        store.remove_object(auditing.bucket, one.object_name)
    if left != "nothing":
        note = (
            f"{auditing.environment['LONGITUDE_LOG_ORIGIN']}\n999999\n{base64.b64encode(bytes(32)).decode()}\n\nsigned"
        )
        store.put_object(auditing.bucket, "checkpoint", io.BytesIO(note.encode()), len(note))
    auditing.start()
    await auditing.ready()
    await auditing.caught_up()
    leaves, _ = await read_log(auditing)
    stores = Stores(None, Objects(store), auditing.bucket)
    report = Report()

    async def holds() -> bool:
        report.problems.clear()
        await compare_tiles([leaf_hash(leaf.leaf_data) for leaf in leaves], stores, report)
        return not report.problems

    async with asyncio.timeout(30):
        while not await holds():
            await asyncio.sleep(0.2)
    (shown,) = await stores.objects.read(auditing.bucket, ["checkpoint"]) if stores.objects else (b"",)
    assert shown.decode().split("\n")[1] == str(len(leaves))


async def test_a_trace_follows_causes_from_a_control_id(new_auditing: NewAuditing, producer: AIOKafkaProducer) -> None:
    auditing = new_auditing()
    await auditing.ready()
    run = run_name()
    cause = message(1, run=run)
    effect_id = str(uuid.uuid4())
    effect = Outgoing(RECORD_UPDATED, effect_id, cause.key, RecordUpdated(), cause.time, cause.id)
    await send(producer, [cause, effect, message(2, run=run)])
    await auditing.caught_up()
    async with auditing.rpc() as rpc:
        for identifier in (f"{run}-1", cause.id):
            traced = (await rpc.Trace(pb.TraceRequest(id=identifier))).leaves
            assert {leaf.event_id for leaf in traced} == {cause.id, effect_id}
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await rpc.Trace(pb.TraceRequest(id="no-such-id"))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_what_cannot_be_proved_is_answered_with_a_clear_status(new_auditing: NewAuditing) -> None:
    auditing = new_auditing()
    await auditing.ready()
    await auditing.caught_up()
    codes = []
    async with auditing.rpc() as rpc:
        for call in (
            rpc.GetInclusionProof(pb.GetInclusionProofRequest(event_id="unknown")),
            rpc.GetInclusionProof(pb.GetInclusionProofRequest(event_id="")),
            rpc.GetInclusionProof(pb.GetInclusionProofRequest(event_id="a\0b")),
            rpc.GetConsistencyProof(pb.GetConsistencyProofRequest(old_size=5, new_size=4)),
            rpc.GetConsistencyProof(pb.GetConsistencyProofRequest(old_size=0, new_size=1 << 40)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            codes.append(refused.value.code().name)
    assert codes == ["NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "FAILED_PRECONDITION"]


async def test_the_log_of_the_process_names_no_patient(new_auditing: NewAuditing, producer: AIOKafkaProducer) -> None:
    auditing = new_auditing()
    await auditing.ready()
    await send(producer, [message(3, run=run_name())])
    await auditing.caught_up()
    assert auditing.stop() == 0
    text = auditing.log_file.read_text(encoding="utf-8")
    assert "verifier key" in text
    assert "PRIVATE" not in text
    assert "Fictitious" not in text
    assert "P3" not in text


async def test_a_feeds_report_counts_each_message_once_also_when_it_is_killed(
    new_auditing: NewAuditing, producer: AIOKafkaProducer
) -> None:
    run = run_name()
    now = datetime.now(UTC)
    events = [message(n, run=run) for n in range(300)]
    for number, event in enumerate(events):
        assert isinstance(event.payload, MessageReceived)
        event.payload.header.sending_facility = run
        event.payload.acknowledgement_code = "AA"
        event.payload.received_at.FromDatetime(now)
        if number % 3 == 0:
            event.payload.remarks.add(segment=f"OBX[{number + 1}]", field="OBX-5", reason="no value")
    auditing = new_auditing()
    await auditing.ready()
    for part in range(3):
        await send(producer, events[part * 100 : part * 100 + 100])
        auditing.kill()
        auditing.start()
        await auditing.ready()
    await send(producer, events[:50])
    await auditing.caught_up()
    async with auditing.rpc() as rpc:
        (report,) = (await rpc.GetFeeds(pb.GetFeedsRequest(facility=run))).feeds
        later = pb.GetFeedsRequest(facility=run)
        later.since.FromDatetime(now + timedelta(hours=2))
        (silent,) = (await rpc.GetFeeds(later)).feeds
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await rpc.GetFeeds(pb.GetFeedsRequest(facility=f"no-{run}"))
        assert run in {one.facility for one in (await rpc.GetFeeds(pb.GetFeedsRequest())).feeds}
    assert report.messages == 300
    assert [(one.name, one.count) for one in report.acknowledgements] == [("AA", 300)]
    assert [(one.name, one.count) for one in report.remarks] == [("OBX-5: no value", 100)]
    assert silent.messages == 0
    assert silent.last_received_at == report.last_received_at
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
