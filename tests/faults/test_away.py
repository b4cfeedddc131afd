"""Each server away from each service that uses it: UNAVAILABLE from every RPC that needs it, and only from those."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer
from contracts.kafka import reaching
from contracts.topics import MESSAGE_RECEIVED, dead_letter_topic
from eventbus import metrics
from google.protobuf.message import Message
from longitude.memory.v1 import memory_service_pb2 as memory_pb
from longitude.record.v1.fact_pb2 import PatientKey
from native_stack import Stack
from testkit.calls import channel

from tests.faults.away import FILES, SERVERS, System, answers, asking, free_port, requests, running, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Away:
    """What one service is left with while one server is away."""

    # RPCs that cannot be answered without it.
    unavailable: frozenset[str] = frozenset()
    # What its /readyz says.
    page: tuple[int, str] = (200, "ok\n")


def away(*rpcs: str, page: tuple[int, str]) -> Away:
    return Away(frozenset(rpcs), page)


ALL = {
    name: {method.name for service in file.services_by_name.values() for method in service.methods}
    for name, file in FILES.items()
}
PAIRS = {
    ("auditing", "postgres"): away(*ALL["auditing"], page=(503, "checkpoint\n")),
    ("auditing", "kafka"): away("GetCompleteness", page=(200, "ok\nwithout kafka\n")),
    ("auditing", "objects"): away(page=(200, "ok\nwithout objects\n")),
    ("imaging", "postgres"): away(*ALL["imaging"], page=(503, "postgres\n")),
    ("imaging", "kafka"): away(page=(200, "ok\nwithout kafka\n")),
    ("imaging", "objects"): away(page=(200, "ok\nwithout objects\n")),
    ("imaging", "triton"): away(page=(200, "ok\nwithout triton\n")),
    ("learning", "postgres"): away(*ALL["learning"], page=(503, "postgres\n")),
    ("learning", "kafka"): away(page=(200, "ok\nwithout kafka\n")),
    ("learning", "objects"): away(page=(200, "ok\nwithout objects\n")),
    ("memory", "postgres"): away(*ALL["memory"], page=(503, "postgres\n")),
    ("memory", "kafka"): away(page=(200, "ok\nwithout kafka\n")),
    # Timeline, context, notes and evidence are served without the embedder, and say what they lack.
    ("memory", "triton"): away(page=(200, "ok\nwithout triton\n")),
    # A check needs the record alone, and memory has that; but nobody is shown what cannot be recorded as a look.
    ("reasoning", "postgres"): away(*ALL["reasoning"], page=(503, "postgres\n")),
    ("reasoning", "kafka"): away(page=(200, "ok\nwithout kafka\n")),
    ("reasoning", "objects"): away("Ask", "Replay", page=(200, "ok\nwithout objects\n")),
    ("reasoning", "triton"): away("Ask", "Replay", page=(200, "ok\nwithout triton\n")),
}
MODELS_NEEDED = ("embedder", "reasoner", "chest_film", "page_reader")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(
    new_stack: Callable[..., Stack], triton: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    shared = {"triton": triton(*MODELS_NEEDED)}
    stack = new_stack([server for server in SERVERS if server not in shared], elsewhere=shared)
    with pytest.MonkeyPatch.context() as patched:
        async with running(stack, tmp_path_factory.mktemp("away"), patched) as made:
            yield made


async def test_every_rpc_of_every_service_is_asked(system: System) -> None:
    assert {name: set(rpcs) for name, rpcs in requests(system).items()} == ALL


@pytest.mark.parametrize(("service", "server"), PAIRS)
async def test_a_server_that_is_away_is_unavailable_from_every_rpc_that_needs_it(
    system: System, service: str, server: str
) -> None:
    normal, expected = requests(system)[service], PAIRS[service, server]
    asked = {rpc: request_for(rpc, request, expected) for rpc, (request, _) in normal.items()}
    # A replay takes the model many seconds: it is asked for where it must fail.
    if "Replay" not in expected.unavailable:
        asked.pop("Replay", None)
    proxy = system.proxies[service, server]
    await proxy.refuse()
    try:
        page, *statuses = await asyncio.gather(
            until_page(system, service, expected.page),
            *(system.call(service, rpc, request) for rpc, request in asked.items()),
        )
    finally:
        proxy.forward()
    assert dict(zip(asked, statuses, strict=True)) == {
        rpc: "UNAVAILABLE" if rpc in expected.unavailable else normal[rpc][1] for rpc in asked
    }
    assert page == expected.page
    for rpc in asked:
        await until(partial(answers, system, service, rpc, normal[rpc]))


def request_for(rpc: str, request: Message, expected: Away) -> Message:
    """A question that was answered is answered from the store: one that must fail is a new one."""
    if rpc == "Ask" and rpc in expected.unavailable:
        return asking(str(uuid.uuid4()))
    return request


async def until_page(system: System, service: str, expected: tuple[int, str]) -> tuple[int, str]:
    """What /readyz says; a client may notice a moment later that its server is away."""
    for _ in range(20):
        page = await system.processes[service].health.page()
        if page == expected:
            break
        await asyncio.sleep(0.2)
    return page


async def test_without_qdrant_notes_are_unavailable_and_the_rest_of_memory_answers(system: System) -> None:
    """The client of a Qdrant server, and no server: the engine of the others lives in their process."""
    normal, port = requests(system)["memory"], f"127.0.0.1:{free_port()}"
    nobody = f"https://127.0.0.1:{free_port()}"
    async with system.serving("memory", qdrant=nobody, grpc_listen=port) as process, channel(port) as opened:
        other = replace(system, channels=system.channels | {"memory": opened})
        statuses = {rpc: await other.call("memory", rpc, request) for rpc, (request, _) in normal.items()}
        page = await process.health.page()
    expected = {rpc: status for rpc, (_, status) in normal.items()}
    assert statuses == expected | {"SearchNotes": "UNAVAILABLE"}
    assert page == (200, "ok\nwithout qdrant\n")


@pytest.mark.parametrize(
    ("server", "answer", "page"),
    [
        ("kafka", "AE 207", (200, "ok\nwithout kafka\n")),
        ("objects", "AA", (200, "ok\nwithout objects\n")),
    ],
)
async def test_ingestion_stays_ready_and_answers_every_sender(
    system: System, server: str, answer: str, page: tuple[int, str]
) -> None:
    proxy, control_id = system.proxies["ingestion", server], f"AWAY-{server}"
    await proxy.refuse()
    try:
        answered = await system.send(control_id)
        told = await until_page(system, "ingestion", page)
    finally:
        proxy.forward()
    assert (answered, told) == (answer, page)
    await until(partial(is_taken, system, control_id))


async def is_taken(system: System, control_id: str) -> bool:
    return await system.send(control_id) == "AA"


async def test_an_event_that_meets_a_lost_database_waits_in_place_and_is_no_dead_letter(system: System) -> None:
    waited = metrics.RETRIED.labels("memory", MESSAGE_RECEIVED.name)
    before, mrn = waited._value.get(), f"LATE{uuid.uuid4().hex[:6]}"
    proxy = system.proxies["memory", "postgres"]
    await proxy.refuse()
    try:
        assert await system.send("AWAY-late", mrn) == "AA"
        await until(partial(is_greater, waited, before))
    finally:
        proxy.forward()
    request = memory_pb.GetTimelineRequest(patient=PatientKey(id=mrn, authority="NORTH"))
    await until(partial(answers, system, "memory", "GetTimeline", (request, "OK")))
    assert await records(system, dead_letter_topic("memory", MESSAGE_RECEIVED)) == 0


async def is_greater(counter: Any, before: float) -> bool:
    return bool(counter._value.get() > before)


async def records(system: System, topic: str) -> int:
    async with AIOKafkaConsumer(topic, **reaching(system.lines["LONGITUDE_KAFKA"])) as consumer:
        assert consumer.assignment(), topic
        return sum((await consumer.end_offsets(consumer.assignment())).values())
