"""Looks on a real PostgreSQL: written before the answer, refusals too, and published at last."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, cast

import grpc
import psycopg
import pytest
from contracts.errors import NotFoundError, UnavailableError
from contracts.topics import RECORD_READ
from eventbus import Outgoing
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import (
    MemoryServiceServicer,
    MemoryServiceStub,
    add_MemoryServiceServicer_to_server,
)
from longitude.reasoning.v1.concern_pb2 import Concern, ListConcernsRequest, ListConcernsResponse
from longitude.record.v1.fact_pb2 import FACT_KIND_PROBLEM, PatientKey
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_FAILED, LOOK_OUTCOME_REFUSED, LOOK_OUTCOME_SHOWN, Look
from prometheus_client import REGISTRY
from servicekit import looks
from servicekit.access import Access
from servicekit.grpc import server
from servicekit.limits import Breadth
from servicekit.looks import Looking, Looks
from servicekit.postgres import Pool, open_pool
from servicekit.principal import Person, Principal
from testkit.calls import channel

ANNA = PatientKey(id="1", authority="NORTH")
OPEN = {"physician": frozenset({"GetTimeline", "GetNotes", "GetEvidenceCoverage"})}
# How many different patients a person looks at before it is remarked upon.
FEW = Breadth(1, 60, refuses=False)
PATHS = {rpc: ["patient"] for rpc in ("GetTimeline", "GetNotes", "GetContext", "GetEvidenceCoverage")}


class Record(MemoryServiceServicer):
    """Shows one problem of everybody, and has no notes."""

    async def GetTimeline(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        looks.note([FACT_KIND_PROBLEM], 1, 2)
        return pb.GetTimelineResponse()

    async def GetNotes(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        raise NotFoundError("nobody")

    async def GetEvidenceCoverage(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.GetEvidenceCoverageResponse()


class Broker:
    """Takes events, or is away."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.is_away = False

    async def publish(self, events: Sequence[Outgoing]) -> None:
        if self.is_away:
            raise UnavailableError("kafka")
        self.taken += events


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
async def pool(new_database: Callable[[], str]) -> AsyncIterator[Pool]:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(files("memory").joinpath("migrations/0008_looks.sql").read_bytes())
    async with open_pool(dsn, "public") as opened:
        yield opened


@asynccontextmanager
async def running(*works: Awaitable[Any]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def served(written: Looks) -> AsyncIterator[Any]:
    address = f"127.0.0.1:{free_port()}"
    registration = (add_MemoryServiceServicer_to_server, cast("Any", Record)(), pb.DESCRIPTOR)
    access = Access(roles=OPEN, looks=PATHS)
    async with running(written.write()), server(address, [registration], 1.0, access, written):  # noqa: SIM117
        async with channel(address) as opened:
            yield MemoryServiceStub(opened)


async def rows(pool: Pool) -> list[Look]:
    async with pool.connection() as conn:
        found = await (await conn.execute("SELECT payload FROM look ORDER BY looked_at")).fetchall()
    return [RECORD_READ.payload.FromString(payload).look for (payload,) in found]


async def code_of(call: Awaitable[Any]) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


async def test_when_an_answer_is_here_its_look_is_committed(pool: Pool) -> None:
    async with served(Looks(pool.connection, Broker().publish, RECORD_READ)) as memory:
        for number in range(1, 6):
            await memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))
            assert len(await rows(pool)) == number
    look = (await rows(pool))[0]
    assert (look.patient, look.rpc, look.outcome) == (ANNA, "GetTimeline", LOOK_OUTCOME_SHOWN)
    assert (look.subject, look.process) == ("developer", "command")
    assert "physician" in look.roles


async def test_its_event_says_how_much_was_shown(pool: Pool) -> None:
    broker = Broker()
    written = Looks(pool.connection, broker.publish, RECORD_READ)
    async with served(written) as memory:
        await memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))
        await written.sweep()
    look = cast("Any", broker.taken[0].payload).look
    assert (list(look.kinds), look.shown, look.left_out) == ([FACT_KIND_PROBLEM], 1, 2)
    # Ids, never names.
    assert b"Keller" not in look.SerializeToString()


async def test_who_knows_the_hash_of_a_look_and_all_but_the_patient_finds_nobody(pool: Pool) -> None:
    """The log has the hash, and in the leaf everything else."""
    broker = Broker()
    written = Looks(pool.connection, broker.publish, RECORD_READ)
    async with served(written) as memory:
        for _ in range(2):
            await memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))
        await written.sweep()
    looks_ = [cast("Any", event.payload).look for event in broker.taken]
    assert len({look.salt for look in looks_}) == 2
    assert {len(look.salt) for look in looks_} == {16}
    hashed = hashlib.sha256(broker.taken[0].value()).digest()
    for tried in range(100):
        look = Look()
        look.CopyFrom(looks_[0])
        look.patient.id, look.salt = str(tried), b""
        assert hashlib.sha256(RECORD_READ.payload(look=look).SerializeToString()).digest() != hashed


async def test_what_was_refused_or_failed_is_a_look_too(pool: Pool) -> None:
    broker = Broker()
    written = Looks(pool.connection, broker.publish, RECORD_READ)
    async with served(written) as memory:
        assert await code_of(memory.GetContext(pb.GetContextRequest(patient=ANNA))) == "PERMISSION_DENIED"
        assert await code_of(memory.GetNotes(pb.GetNotesRequest(patient=ANNA))) == "NOT_FOUND"
        await written.sweep()
    refused, failed = (cast("Any", event.payload).look for event in broker.taken)
    assert (refused.patient, refused.subject, refused.outcome) == (ANNA, "developer", LOOK_OUTCOME_REFUSED)
    assert (failed.outcome, failed.status) == (LOOK_OUTCOME_FAILED, "NOT_FOUND")


async def test_who_names_nobody_looks_at_nobody(pool: Pool) -> None:
    async with served(Looks(pool.connection, Broker().publish, RECORD_READ)) as memory:
        await memory.GetEvidenceCoverage(pb.GetEvidenceCoverageRequest())
        await memory.GetEvidenceCoverage(pb.GetEvidenceCoverageRequest(patient=ANNA))
    assert [look.patient for look in await rows(pool)] == [ANNA]


async def test_an_answer_that_shows_several_patients_is_a_look_at_each(pool: Pool) -> None:
    """Also of one that says of nobody who asked for whom."""
    broker = Broker()
    written = Looks(pool.connection, broker.publish, RECORD_READ)
    async with running(written.write()):
        looking = Looking("ListConcerns", ["patient", "answer.concerns.patient"], written, FEW)
        looking.asked(ListConcernsRequest())
        ben = PatientKey(id="2", authority="NORTH")
        concerns = [Concern(patient=ANNA), Concern(patient=ben), Concern(patient=ANNA)]
        await looking.shown(ListConcernsResponse(concerns=concerns))
        assert {look.patient.id for look in await rows(pool)} == {"1", "2"}
        await written.sweep()
    looks_ = [cast("Any", event.payload).look for event in broker.taken]
    assert {(look.patient.id, look.shown, look.outcome, look.beyond_patients) for look in looks_} == {
        ("1", 2, LOOK_OUTCOME_SHOWN, 0),
        ("2", 1, LOOK_OUTCOME_SHOWN, 0),
    }


def named(number: int) -> PatientKey:
    return PatientKey(id=str(number), authority="NORTH")


@pytest.mark.parametrize("refused", [False, True])
async def test_a_look_at_one_patient_too_many_says_so_and_is_refused_where_a_setting_says_it(
    refused: bool,  # noqa: FBT001 - pytest passes it
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("LONGITUDE_PATIENTS_MOST", "3")
    monkeypatch.setenv("LONGITUDE_PATIENTS_REFUSED", str(refused))
    broker, counted = Broker(), "servicekit_looks_beyond_total"
    before = REGISTRY.get_sample_value(counted) or 0
    written = Looks(pool.connection, broker.publish, RECORD_READ)
    async with served(written) as memory:
        # A call begins when it is made: one after the other.
        codes = [
            await code_of(memory.GetTimeline(pb.GetTimelineRequest(patient=named(number))))
            for number in (1, 2, 3, 1, 4)
        ]
        # Who guesses identifiers is told nothing and looks at many all the same.
        codes.append(await code_of(memory.GetNotes(pb.GetNotesRequest(patient=named(5)))))
        codes.append(await code_of(memory.GetTimeline(pb.GetTimelineRequest(patient=named(2)))))
        await written.sweep()
    beyond = ["PERMISSION_DENIED"] * 2 if refused else ["OK", "NOT_FOUND"]
    assert codes == [*["OK"] * 4, *beyond, "OK"]
    looks_ = [cast("Any", event.payload).look for event in broker.taken]
    said = [(look.patient.id, look.beyond_patients, look.within_s) for look in looks_]
    assert said == [(n, 0, 0) for n in "1231"] + [("4", 3, 3600), ("5", 3, 3600), ("2", 0, 0)]
    assert [look.status for look in looks_][4:] == ([*beyond, ""] if refused else ["", "NOT_FOUND", ""])
    assert REGISTRY.get_sample_value(counted) == before + 2
    assert f"look {broker.taken[4].id} goes beyond 3 patients" in caplog.text


async def test_a_call_over_the_rate_is_no_look(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGITUDE_CALLS_AT_ONCE", "2")
    monkeypatch.setenv("LONGITUDE_CALLS_PER_SECOND", "0.01")
    async with served(Looks(pool.connection, Broker().publish, RECORD_READ)) as memory:
        asked = [memory.GetTimeline(pb.GetTimelineRequest(patient=named(number))) for number in range(9)]
        codes = [await code_of(call) for call in asked]
    assert codes.count("RESOURCE_EXHAUSTED") == 7
    assert len(await rows(pool)) == 2


async def test_whom_only_the_answer_names_and_whom_a_stream_asks_for_are_counted(pool: Pool) -> None:
    written = Looks(pool.connection, Broker().publish, RECORD_READ)
    ada = Principal("command", Person("https://issuer", "ada", "", frozenset()))
    async with running(written.write()):
        for number in (1, 2):
            of_answer = Looking("GetConcern", ["concern_id", "answer.concerns.patient"], written, FEW)
            of_answer.by(ada)
            await of_answer.shown(ListConcernsResponse(concerns=[Concern(patient=named(number))]))
            of_stream = Looking("Ask", ["patient"], written, FEW)
            of_stream.by(ada)
            of_stream.asked(ListConcernsRequest(patient=named(number)))
            of_stream.admit()
            await of_stream.shown(None)
    assert [look.beyond_patients for look in await rows(pool)] == [0, 0, 1, 1]


async def test_looks_at_the_same_moment_are_each_written(pool: Pool) -> None:
    async with served(Looks(pool.connection, Broker().publish, RECORD_READ)) as memory:
        asked = [pb.GetTimelineRequest(patient=PatientKey(id=str(n), authority="NORTH")) for n in range(50)]
        await asyncio.gather(*(memory.GetTimeline(one) for one in asked))
    assert {look.patient.id for look in await rows(pool)} == {str(n) for n in range(50)}


async def test_a_look_is_deleted_after_the_broker_has_it(pool: Pool) -> None:
    broker = Broker()
    broker.is_away = True
    written = Looks(pool.connection, broker.publish, RECORD_READ)
    async with served(written) as memory:
        await memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))
        with pytest.raises(UnavailableError):
            await written.sweep()
        assert len(await rows(pool)) == 1
        broker.is_away = False
        # Another life of the process finds it, when nobody can be answering it any more.
        assert await Looks(pool.connection, broker.publish, RECORD_READ).sweep() == 0
        async with pool.connection() as conn:
            await conn.execute("UPDATE look SET looked_at = looked_at - interval '15 s'")
        assert await Looks(pool.connection, broker.publish, RECORD_READ).sweep() == 1
    assert await rows(pool) == []
    assert [cast("Any", event.payload).look.patient for event in broker.taken] == [ANNA]


async def test_nothing_is_shown_while_too_many_looks_wait(pool: Pool) -> None:
    broker = Broker()
    broker.is_away = True
    written = Looks(pool.connection, broker.publish, RECORD_READ, most_waiting=3)
    async with served(written) as memory:
        codes = [await code_of(memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))) for _ in range(5)]
        assert codes == ["OK"] * 3 + ["UNAVAILABLE"] * 2
        broker.is_away = False
        await written.sweep()
        assert await code_of(memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))) == "OK"
    assert len(broker.taken) == 3


async def test_nothing_is_shown_where_looks_cannot_be_written(pool: Pool) -> None:
    async with pool.connection() as conn:
        await conn.execute("ALTER TABLE look RENAME TO gone")
    async with served(Looks(pool.connection, Broker().publish, RECORD_READ)) as memory:
        assert await code_of(memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))) == "INTERNAL"
        # Why stays here, and it is written again as soon as that is possible.
        async with pool.connection() as conn:
            await conn.execute("ALTER TABLE gone RENAME TO look")
        assert await code_of(memory.GetTimeline(pb.GetTimelineRequest(patient=ANNA))) == "OK"


async def test_a_service_that_shows_patients_does_not_start_without_writing_looks_down() -> None:
    registration = (add_MemoryServiceServicer_to_server, cast("Any", Record)(), pb.DESCRIPTOR)
    with pytest.raises(ValueError, match="GetTimeline"):
        async with server(f"127.0.0.1:{free_port()}", [registration], 1.0, Access(roles=OPEN, looks=PATHS)):
            pass
