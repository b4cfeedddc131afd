"""Concerns leave to another system over MLLP: from a record of the memory service to a receiver that answers as it is
told to, on real servers.
"""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import eventbus.bus
import pytest
from consult import times
from contracts.errors import NotFoundError
from contracts.identifiers import event_id, patient_partition_key
from contracts.mllp import END, START
from contracts.tls import Tls
from contracts.tls import open_channel as channel_to
from contracts.topics import CONCERN_CHANGED, CONCERN_OPENED, CONCERN_RESOLVED, Topic
from eventbus import EventBus, Outbox, Outgoing
from knowledge import shipped
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as pb
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1.fact_pb2 import PatientKey
from native_stack import Stack
from native_stack.layout import MODELS
from practice.records import RecordBuilder
from reasoning.adapters import postgres_concerns, postgres_outward
from reasoning.adapters import receiver as adapter
from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import Store
from reasoning.app import app
from reasoning.domain.outward import Addressee, control_id
from reasoning.flows import outward
from reasoning.flows.announcements import state_of
from reasoning.flows.outward import Teller
from reasoning.flows.watching import Watch
from reasoning.settings import Settings
from servicekit import Process
from testkit import RunningStack
from testkit.backends import ObjectStorage
from testkit.signing import identity_of
from testkit.telling import message, send, until

pytestmark = pytest.mark.timeout(180)

NOW = datetime.now(UTC).replace(microsecond=0)
TAKEN = "AA"


@dataclass
class Receiver:
    """Another system. `answers`: codes of MSA-1 with ERR-3 behind a space, one for each message; `hang up`: none;
    `silence`: no answer; `unnamed`: NAKs without MSA-2.
    """

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
            if answer == "silence":
                continue
            if answer == "hang up":
                writer.close()
                return
            code, _, condition = answer.partition(" ")
            name = field_of(message, "MSH", 9)
            if code == "unnamed":
                code, name = "AE", ""
            err = f"ERR|||{condition}^x^HL70357|E\r" if condition else ""
            writer.write(START + f"MSH|^~\\&|EHR|NORTH\rMSA|{code}|{name}\r{err}".encode() + END)


def field_of(message: bytes, segment: str, number: int, occurrence: int = 0) -> str:
    lines = [line.split("|") for line in message.decode().split("\r") if line.startswith(f"{segment}|")]
    return lines[occurrence][number]


def told(message: bytes) -> tuple[str, str, str, str]:
    """Concern, state, revision, and whether it takes the place of an earlier one."""
    values = [field_of(message, "OBX", 5, number).partition("^")[0] for number in (0, 5)]
    return field_of(message, "OBR", 3).partition("^")[0], values[0], values[1], field_of(message, "OBX", 11)


TO = Addressee("EHR", "NORTH", advice_pb2.URGENCY_IMPORTANT, sensitive=False)


@pytest.fixture
def database(new_database: Callable[..., str]) -> str:
    return new_database("reasoning")


@pytest.fixture
async def receiver() -> Receiver:
    """Not listening, with a port of its own."""
    made = Receiver()
    async with made.listening():
        return made


def teller(store: Store, receiver: Receiver) -> Teller:
    return Teller(store, adapter.Receiver(f"127.0.0.1:{receiver.port}", None), TO)


@asynccontextmanager
async def telling(store: Store, receiver: Receiver) -> AsyncIterator[None]:
    task = asyncio.create_task(teller(store, receiver).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def concern(
    revision: int = 1, name: str = "", urgency: advice_pb2.Urgency.ValueType = advice_pb2.URGENCY_URGENT
) -> Concern:
    made = Concern(concern_id=name or str(uuid.uuid4()), row="criticals/potassium", version=3, revision=revision)
    made.patient.id, made.patient.authority = f"O-{made.concern_id[:8]}", "NORTH"
    made.state, made.urgency, made.text = pb.CONCERN_STATE_OPEN, urgency, "Potassium 6.7 mmol/L."
    made.opened_at.CopyFrom(times.stamp(NOW))
    made.changed_at.CopyFrom(times.stamp(NOW))
    return made


def event(topic: Topic[Any], of: Concern) -> Outgoing:
    if topic is CONCERN_RESOLVED:
        of.state = pb.CONCERN_STATE_RESOLVED
    name = event_id("concern", of.concern_id, str(of.revision))
    return Outgoing(topic, name, patient_partition_key(of.patient), topic.payload(concern=of), NOW)


async def queue(store: Store, *events: Outgoing) -> None:
    async with store.connection() as conn, conn.transaction():
        await postgres_outward.queue(conn, map(state_of, events))


async def keep(store: Store, *concerns: Concern) -> None:
    """As they are, and nothing of them waits: what the watch does where nobody is told."""
    async with store.connection() as conn, conn.transaction():
        await postgres_concerns.keep(conn, concerns)


def resolved(of: Concern) -> Concern:
    of.revision += 1
    of.state = pb.CONCERN_STATE_RESOLVED
    of.resolved_at.CopyFrom(times.stamp(NOW))
    return of


async def refused(store: Store) -> list[tuple[str, str]]:
    """The dead letters."""
    async with store.connection() as conn:
        rows = await conn.execute("SELECT event_id::text, refused FROM concern_message ORDER BY number")
        return [(row[0], row[1]) for row in await rows.fetchall()]


async def came(receiver: Receiver, many: int) -> bool:
    return len(receiver.messages) >= many


async def test_each_state_leaves_in_its_order_and_an_older_one_not_behind_a_newer(
    store: Store, receiver: Receiver
) -> None:
    one = str(uuid.uuid4())
    opened, changed = event(CONCERN_OPENED, concern(1, one)), event(CONCERN_CHANGED, concern(2, one))
    routine = event(CONCERN_OPENED, concern(urgency=advice_pb2.URGENCY_ROUTINE))
    late, last = event(CONCERN_CHANGED, concern(3, one)), event(CONCERN_OPENED, concern())
    # Queued again, as after a look that was made again.
    await queue(store, opened, opened, changed, event(CONCERN_RESOLVED, concern(4, one)), late, routine, last)
    async with receiver.listening(), telling(store, receiver):
        await until(lambda: came(receiver, 4))
        await until(lambda: is_empty(store))
    assert [told(each) for each in receiver.messages[:3]] == [
        (one, "open", "1", "F"),
        (one, "open", "2", "C"),
        (one, "resolved", "4", "C"),
    ]
    assert field_of(receiver.messages[3], "MSH", 9) == control_id(last.id)
    assert len(receiver.messages) == 4


async def is_empty(store: Store) -> bool:
    return not await refused(store)


async def test_while_the_receiver_is_away_nothing_is_lost(store: Store, receiver: Receiver) -> None:
    waiting = [event(CONCERN_OPENED, concern()) for _ in range(3)]
    await queue(store, *waiting)
    async with telling(store, receiver):
        await asyncio.sleep(1)
        assert receiver.messages == []
        assert len(await refused(store)) == 3
        async with receiver.listening():
            await until(lambda: came(receiver, 3))
            await until(lambda: is_empty(store))
    assert [field_of(each, "MSH", 9) for each in receiver.messages] == [control_id(each.id) for each in waiting]


async def test_what_passes_is_sent_again_under_its_id_and_what_is_refused_is_a_dead_letter(
    store: Store, receiver: Receiver
) -> None:
    again, dead, behind = (event(CONCERN_OPENED, concern()) for _ in range(3))
    receiver.answers += ["AE 207", "hang up", TAKEN, "AR 200"]
    await queue(store, again, dead, behind)
    async with receiver.listening(), telling(store, receiver):
        await until(lambda: came(receiver, 5))
    names = [field_of(each, "MSH", 9) for each in receiver.messages]
    assert names == [control_id(each.id) for each in (again, again, again, dead, behind)]
    assert await refused(store) == [(dead.id, "refused-AR")]


@pytest.mark.parametrize("answer", ["AE 207", "unnamed"])
async def test_what_is_answered_and_not_taken_again_and_again_holds_up_no_other_for_ever(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(outward, "MOST_ATTEMPTS", 3)
    dead, behind = (event(CONCERN_OPENED, concern()) for _ in range(2))
    # No answer is none that counts.
    receiver.answers += [answer, "hang up", answer, answer]
    await queue(store, dead, behind)
    async with receiver.listening(), telling(store, receiver):
        await until(lambda: came(receiver, 5))
    names = [field_of(each, "MSH", 9) for each in receiver.messages]
    assert names == [control_id(dead.id)] * 4 + [control_id(behind.id)]
    assert (dead.id, "refused-AE") in await refused(store)


async def test_two_processes_tell_each_state_once(store: Store, receiver: Receiver) -> None:
    waiting = [event(CONCERN_OPENED, concern()) for _ in range(20)]
    async with receiver.listening(), telling(store, receiver), telling(store, receiver):
        await queue(store, *waiting)
        await until(lambda: is_empty(store))
    assert [field_of(each, "MSH", 9) for each in receiver.messages] == [control_id(each.id) for each in waiting]


async def test_what_changed_while_nothing_was_told_is_told_once_afterwards(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outward, "TOGETHER", 2)
    told_before = sorted((concern() for _ in range(5)), key=lambda each: each.concern_id)
    changed, ended, acted, dead, again = told_before
    async with receiver.listening(), telling(store, receiver):
        receiver.answers += [TAKEN] * 3 + ["AR 200"]
        await keep(store, *told_before)
        await until(lambda: came(receiver, 5))
        await until(lambda: is_told(store, told_before[:3] + told_before[4:]))
    before = len(receiver.messages)
    # Nobody is told: one changes, one ends, a person acts on one, one ends and opens again.
    changed.revision, changed.urgency = 2, advice_pb2.URGENCY_IMPORTANT
    act = pb.ConcernAct(action=pb.CONCERN_ACTION_ACKNOWLEDGE, acted_at=times.stamp(NOW))
    acted.revision = 2
    async with store.connection() as conn, conn.transaction():
        await postgres_concerns.act(conn, acted, act)
    again.revision = 3
    new, routine, over, sensitive = (
        concern(),
        concern(urgency=advice_pb2.URGENCY_ROUTINE),
        resolved(concern()),
        concern(),
    )
    sensitive.sensitive = True
    await keep(store, changed, resolved(ended), again, new, routine, over, sensitive)
    for _ in range(2):
        async with receiver.listening(), telling(store, receiver):
            await until(lambda: came(receiver, before + 4))
            await asyncio.sleep(2)
    expected = {
        (changed.concern_id, "open", "2", "C"),
        (ended.concern_id, "resolved", "2", "C"),
        (again.concern_id, "open", "3", "C"),
        (new.concern_id, "open", "1", "F"),
    }
    assert sorted(map(told, receiver.messages[before:])) == sorted(expected)
    assert [reason for _, reason in await refused(store)] == ["refused-AR"]
    # What a person did is no state: a later one is.
    acted.revision = 3
    await keep(store, acted, resolved(dead))
    async with receiver.listening(), telling(store, receiver):
        await until(lambda: came(receiver, before + 5))
        await asyncio.sleep(1)
    assert list(map(told, receiver.messages[before + 4 :])) == [(acted.concern_id, "open", "3", "C")]


async def is_told(store: Store, concerns: Sequence[Concern]) -> bool:
    async with store.connection() as conn:
        return all([await postgres_outward.last(conn, each.concern_id) == each.revision for each in concerns])


async def test_killed_while_it_tells_what_was_missed_it_tells_each_state_once(
    database: str, store: Store, receiver: Receiver
) -> None:
    await keep(store, *(concern() for _ in range(5)))
    receiver.answers += [TAKEN, TAKEN, "silence"]
    async with receiver.listening():
        with teller_process(database, receiver):
            await until(lambda: came(receiver, 3))
        for _ in range(2):
            with teller_process(database, receiver):
                await until(lambda: came(receiver, 6))
                await until(lambda: is_empty(store))
                await asyncio.sleep(2)
    names = [field_of(each, "MSH", 9) for each in receiver.messages]
    # What had no answer is the same message again, and nothing else is.
    assert names[2] == names[3]
    assert len(set(names)) == 5
    assert len(names) == 6


@contextmanager
def teller_process(database: str, receiver: Receiver) -> Iterator[None]:
    """Who tells, as a process that is killed (SIGKILL)."""
    code = f"""
import asyncio
from reasoning.adapters.postgres import open_store
from reasoning.adapters.receiver import Receiver
from reasoning.domain.outward import Addressee
from reasoning.flows.outward import Teller
async def tell():
    async with open_store({database!r}) as store:
        to = Addressee("EHR", "NORTH", {TO.least}, False)
        await Teller(store, Receiver("127.0.0.1:{receiver.port}", None), to).run()
asyncio.run(tell())
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


async def test_the_service_tells_what_waits(
    kafka: str, database: str, store: Store, objects: ObjectStorage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = EventBus.__init__
    signing = lambda bus, service, bootstrap: begin(bus, service, bootstrap, identity=identity_of(service))  # noqa: E731
    monkeypatch.setattr(eventbus.bus.EventBus, "__init__", signing)
    settings = Settings(
        kafka=kafka,
        postgres=database,
        objects=objects.endpoint,
        objects_access_key=objects.access_key,
        objects_secret_key=objects.secret_key,
        memory="127.0.0.1:1",
        triton="127.0.0.1:1",
        tokenizer=MODELS / "smollm2" / "tokenizer.json",
        grpc_listen="127.0.0.1:0",
        http_listen="127.0.0.1:0",
        concern_workers=0,
        preparation_workers=0,
        concern_receiver=f"127.0.0.1:{receiver.port}",
        concern_receiver_facility="NORTH",
    )
    await queue(store, event(CONCERN_OPENED, concern()))
    process = Process(1.0)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(receiver.listening())
        await stack.enter_async_context(app(settings, process))
        await until(lambda: came(receiver, 1))
        await process.stop_tasks()
    assert field_of(receiver.messages[0], "MSH", 5) == "NORTH"


@pytest.fixture(scope="module")
def remembering(new_stack: Callable[..., Stack]) -> RunningStack:
    stack = new_stack(("kafka", "postgres", "objects", "memory"), elsewhere={"triton": "127.0.0.1:1"})
    return RunningStack(stack, stack.endpoints())


async def test_what_the_rules_see_in_a_record_is_told_and_so_is_its_end(
    remembering: RunningStack, store: Store, receiver: Receiver
) -> None:
    key = PatientKey(id=f"O-{uuid.uuid4().hex[:8]}", authority="NORTHWEST")
    record = RecordBuilder(key)
    today = datetime.now(UTC).date()
    endpoint = remembering.endpoints["LONGITUDE_MEMORY"]
    certificate = Tls.of({**os.environ, **identity_of("reasoning")})
    async with channel_to(endpoint, certificate) as opened, receiver.listening():
        outbox = Outbox(store.connection, lambda _: asyncio.sleep(0))

        async def look(value: str, ago: int, *, tells: bool) -> None:
            record.potassium(value, (today - timedelta(days=ago)).isoformat())
            await send(remembering, message(record))
            await until(partial(knows, Memory(opened), key, 4 - ago))
            async with store.connection() as conn:
                await postgres_concerns.want(conn, [key])
            await Watch(store, Memory(opened), shipped(), outbox, 3, tells=tells).step()

        async with telling(store, receiver):
            for value, ago in (("6.7", 3), ("4.4", 2)):
                await look(value, ago, tells=True)
                await until(lambda: is_empty(store))
        # The receiver is switched off: the danger comes again, and another worse one.
        for value, ago in (("6.8", 1), ("7.1", 0)):
            await look(value, ago, tells=False)
        before = len(receiver.messages)
        async with telling(store, receiver):
            await until(partial(came, receiver, before + 1))
            await asyncio.sleep(2)
    of_potassium = [each for each in receiver.messages if b"criticals/potassium" in each]
    states = [told(each)[1:] for each in of_potassium]
    assert states == [("open", "1", "F"), ("resolved", "2", "C"), ("open", "4", "C")]
    assert field_of(of_potassium[0], "PID", 3) == f"{key.id}^^^{key.authority}"
    texts = [field_of(each, "OBX", 5, 2) for each in of_potassium]
    assert ["6.7 mmol/L" in texts[0], "7.1 mmol/L" in texts[2]] == [True, True]


async def knows(memory: Memory, patient: PatientKey, many: int) -> bool:
    try:
        return len((await memory.timeline(patient)).facts) >= many
    except NotFoundError:
        return False
