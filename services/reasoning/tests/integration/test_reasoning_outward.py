"""Concerns leave to another system over MLLP: real Kafka and PostgreSQL, the service in this process, a receiver that
answers as it is told to.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import eventbus.bus
import pytest
from aiokafka import AIOKafkaConsumer
from contracts.identifiers import event_id, patient_partition_key
from contracts.kafka import reaching
from contracts.mllp import END, START
from contracts.topics import (
    CONCERN_CHANGED,
    CONCERN_OPENED,
    CONCERN_RESOLVED,
    EVIDENCE_WITHDRAWN,
    Topic,
    dead_letter_topic,
)
from eventbus import EventBus, Outgoing
from longitude.memory.v1.events_pb2 import EvidenceWithdrawn
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as pb
from longitude.reasoning.v1.concern_pb2 import Concern
from native_stack.layout import MODELS
from reasoning.adapters.postgres import open_store
from reasoning.app import app
from reasoning.domain.outward import control_id
from reasoning.settings import Settings
from servicekit import Process
from testkit.backends import ObjectStorage
from testkit.signing import identity_of, publishing
from testkit.telling import until

pytestmark = pytest.mark.timeout(180)

NOW = datetime.now(UTC).replace(microsecond=0)
TAKEN = "AA"


@dataclass
class Receiver:
    """Another system. `answers`: codes of MSA-1 with ERR-3 behind a space, one for each message; `hang up`: none."""

    answers: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._converse, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for writer in self._writers:
                writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        while True:
            try:
                framed = await reader.readuntil(END)
            except asyncio.IncompleteReadError:
                return
            message = framed.removesuffix(END).removeprefix(START)
            self.messages.append(message)
            answer = self.answers.pop(0) if self.answers else TAKEN
            if answer == "hang up":
                writer.close()
                return
            code, _, condition = answer.partition(" ")
            name = field_of(message, "MSH", 9)
            err = f"ERR|||{condition}^x^HL70357|E\r" if condition else ""
            writer.write(START + f"MSH|^~\\&|EHR|NORTH\rMSA|{code}|{name}\r{err}".encode() + END)


def field_of(message: bytes, segment: str, number: int, occurrence: int = 0) -> str:
    lines = [line.split("|") for line in message.decode().split("\r") if line.startswith(f"{segment}|")]
    return lines[occurrence][number]


def told(message: bytes) -> tuple[str, str, str, str]:
    """Concern, state, revision, and whether it takes the place of an earlier one."""
    values = [field_of(message, "OBX", 5, number).partition("^")[0] for number in (0, 5)]
    return field_of(message, "OBR", 3).partition("^")[0], values[0], values[1], field_of(message, "OBX", 11)


@dataclass
class Running:
    """The service, and what it is reached by."""

    kafka: str
    database: str
    receiver: Receiver
    settings: dict[str, Any]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        process = Process(1.0)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app(Settings(**self.settings), process))
            yield
            await process.stop_tasks()

    async def publish(self, *events: Outgoing) -> None:
        async with publishing(self.kafka) as publish:
            for each in events:
                await publish(each)


@pytest.fixture
async def running(
    kafka: str,
    new_database: Callable[..., str],
    objects: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> Running:
    begin = EventBus.__init__
    monkeypatch.setattr(
        eventbus.bus.EventBus,
        "__init__",
        lambda bus, service, bootstrap: begin(bus, service, bootstrap, identity=identity_of(service)),
    )
    receiver = Receiver()
    async with receiver.listening():
        pass
    database = new_database("reasoning")
    settings = {
        "kafka": kafka,
        "postgres": database,
        "objects": objects.endpoint,
        "objects_access_key": objects.access_key,
        "objects_secret_key": objects.secret_key,
        "memory": "127.0.0.1:1",
        "triton": "127.0.0.1:1",
        "tokenizer": MODELS / "smollm2" / "tokenizer.json",
        "grpc_listen": "127.0.0.1:0",
        "http_listen": "127.0.0.1:0",
        "concern_workers": 0,
        "preparation_workers": 0,
        "concern_receiver": f"127.0.0.1:{receiver.port}",
        "concern_receiver_since": NOW - timedelta(hours=1),
    }
    return Running(kafka, database, receiver, settings)


def concern(
    revision: int = 1, name: str = "", urgency: advice_pb2.Urgency.ValueType = advice_pb2.URGENCY_URGENT
) -> Concern:
    made = Concern(concern_id=name or str(uuid.uuid4()), row="criticals/potassium", version=3, revision=revision)
    made.patient.id, made.patient.authority = f"O-{made.concern_id[:8]}", "NORTH"
    made.state, made.urgency, made.text = pb.CONCERN_STATE_OPEN, urgency, "Potassium 6.7 mmol/L."
    return made


def event(topic: Topic[Any], of: Concern, ago: timedelta = timedelta()) -> Outgoing:
    if topic is CONCERN_RESOLVED:
        of.state = pb.CONCERN_STATE_RESOLVED
    name = event_id("concern", of.concern_id, str(of.revision))
    return Outgoing(topic, name, patient_partition_key(of.patient), topic.payload(concern=of), NOW - ago)


async def test_each_state_leaves_once_and_an_older_one_not_behind_a_newer(running: Running) -> None:
    one = str(uuid.uuid4())
    opened, changed = event(CONCERN_OPENED, concern(1, one)), event(CONCERN_CHANGED, concern(2, one))
    async with running.receiver.listening(), running.serving():
        await running.publish(opened)
        await until(lambda: came(running, 1))
        # Published again, as after a kill.
        await running.publish(opened, changed)
        await until(lambda: came(running, 2))
        await running.publish(event(CONCERN_RESOLVED, concern(4, one)))
        await until(lambda: came(running, 3))
        late = event(CONCERN_CHANGED, concern(3, one))
        routine = event(CONCERN_OPENED, concern(urgency=advice_pb2.URGENCY_ROUTINE))
        before = event(CONCERN_OPENED, concern(), ago=timedelta(days=1))
        last = event(CONCERN_OPENED, concern())
        await running.publish(late, routine, before, last)
        await until(lambda: came(running, 4))
        await asyncio.sleep(1)
    messages = running.receiver.messages
    assert [told(each) for each in messages[:3]] == [
        (one, "open", "1", "F"),
        (one, "open", "2", "C"),
        (one, "resolved", "4", "C"),
    ]
    assert [told(each)[0] for each in messages[3:]] == [last.payload.concern.concern_id]  # type: ignore[attr-defined]
    assert field_of(messages[0], "MSH", 9) == control_id(opened.id)


async def came(running: Running, many: int) -> bool:
    return len(running.receiver.messages) >= many


async def test_while_the_receiver_is_away_nothing_is_lost_and_nothing_else_waits(running: Running) -> None:
    first = event(CONCERN_OPENED, concern())
    withdrawn = EvidenceWithdrawn(edition_id=str(uuid.uuid4()), passage_id=str(uuid.uuid4()))
    async with running.serving(), open_store(running.database) as store:
        await running.publish(first)
        await asyncio.sleep(1)
        await running.publish(
            Outgoing(EVIDENCE_WITHDRAWN, event_id("away", withdrawn.edition_id), b"key", withdrawn, NOW)
        )
        await until(partial(store.withdrawals, [withdrawn.passage_id]))
        assert running.receiver.messages == []
        async with running.receiver.listening():
            await until(lambda: came(running, 1))
    assert told(running.receiver.messages[0])[0] == first.payload.concern.concern_id  # type: ignore[attr-defined]


async def test_what_passes_is_sent_again_under_its_id_and_what_is_refused_is_a_dead_letter(running: Running) -> None:
    again, refused, behind = (event(CONCERN_OPENED, concern()) for _ in range(3))
    async with running.receiver.listening(), running.serving():
        running.receiver.answers += ["AE 207", "hang up", TAKEN]
        await running.publish(again)
        await until(lambda: came(running, 3))
        running.receiver.answers += ["AR 200"]
        await running.publish(refused)
        await until(lambda: came(running, 4))
        await running.publish(behind)
        await until(lambda: came(running, 5))
        await until(lambda: lies_dead(running, refused.id))
    names = [field_of(each, "MSH", 9) for each in running.receiver.messages]
    assert names == [control_id(each.id) for each in (again, again, again, refused, behind)]


async def lies_dead(running: Running, name: str) -> bool:
    consumer = AIOKafkaConsumer(
        dead_letter_topic("reasoning", CONCERN_OPENED), **reaching(running.kafka), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        batches = await consumer.getmany(timeout_ms=2000)
        headers = [dict(each.headers) for batch in batches.values() for each in batch]
    finally:
        await consumer.stop()
    return any((each["ce_id"].decode(), each["dlq_reason"]) == (name, b"refused-AR") for each in headers)
