"""Everything that was received is read again, once, whatever dies meanwhile: on a real Kafka."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from contracts.errors import ConflictError, UnavailableError
from contracts.topics import MESSAGE_RECEIVED, MESSAGE_REREAD, REREADING_FINISHED, REREADING_STARTED
from eventbus import Outgoing
from ingestion.adapters import kafka as reading
from ingestion.adapters.objects import BUCKET, RawStore
from ingestion.domain.reading import Feed
from ingestion.flows.rereading import Rereading
from longitude.ingestion.v1 import ingestion_service_pb2 as pb
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from longitude.record.v1.fact_pb2 import ClinicalFact
from servicekit.objects import ObjectStore
from testkit import MllpClient
from testkit.backends import ObjectStorage
from testkit.calls import channel
from testkit.signing import publishing

Make = Callable[..., Any]


def result(control_id: str, mrn: str, size: int = 0) -> bytes:
    return (
        f"MSH|^~\\&|LAB|NORTH|||20240301||ORU^R01|{control_id}|P|2.5.1\rPID|1||{mrn}^^^NORTH^MR||Testperson\r"
        f"OBR|1||F1|2160-0^Creatinine^LN\rOBX|1|NM|2160-0^Creatinine^LN||1.2|mg/dL|||||F|||20240301\r"
        f"NTE|1||{'x' * size}\r"
    ).encode()


@pytest.fixture
async def publish(kafka: str) -> AsyncIterator[Callable[[Outgoing], Any]]:
    async with publishing(kafka) as publish:
        yield publish


@pytest.fixture
def rereading(kafka: str, objects: ObjectStorage, publish: Any) -> Make:
    """`rereading()`: as a process has it; `publish` may be another."""
    store = RawStore(ObjectStore(objects.endpoint, objects.access_key, objects.secret_key, BUCKET))

    def made(publish: Any = publish) -> Rereading:
        return Rereading(kafka, publish, store, Feed())

    return made


async def of(kafka: str, rereading_id: str) -> list[Any]:
    """Every message-reread of a rereading."""
    return [e for e in await reading.whole(kafka, MESSAGE_REREAD) if e.payload.rereading_id == rereading_id]


async def finished(kafka: str, rereading_id: str) -> list[Any]:
    return [e for e in await reading.whole(kafka, REREADING_FINISHED) if e.payload.rereading_id == rereading_id]


async def received(kafka: str) -> list[Any]:
    return await reading.whole(kafka, MESSAGE_RECEIVED)


async def test_every_message_is_read_again_as_it_came_and_in_the_order_of_its_patient(
    start: Any, kafka: str, rereading: Make, publish: Any
) -> None:
    async with start() as service, MllpClient(service.mllp) as client:
        for n in range(6):
            await client.send(result(f"A{n}", f"P{n % 2}", size=300_000 if n == 3 else 0))
    older = (await received(kafka))[-1]
    wrong = MessageReceived()
    wrong.CopyFrom(older.payload)
    wrong.header.control_id = "WRONG"
    wrong.facts[0].CopyFrom(ClinicalFact(fact_id="wrong"))
    await publish(Outgoing(MESSAGE_RECEIVED, str(uuid.uuid4()), older.key, wrong, older.time))
    one = rereading()
    rereading_id = await one.start("Tester", "another reader")
    with pytest.raises(ConflictError):
        await rereading().start("Tester", "again")
    async with start() as service, MllpClient(service.mllp) as client:
        await client.send(result("LATER", "P1"))
    assert await one.step()
    assert not await one.step()
    everything = await of(kafka, rereading_id)
    every = await received(kafka)
    times = Counter(event.id for event in every)
    was = {event.id: event for event in every}
    assert not {event.id for event in was.values() if event.payload.header.control_id == "LATER"} & {
        event.payload.event_id for event in everything
    }
    # Other tests send the same message twice, and records that are no events.
    once = [event for event in everything if times[event.payload.event_id] == 1]
    assert len(once) >= 7
    assert all(event.payload.event_id for event in everything)
    for event in once:
        before = was[event.payload.event_id]
        assert (event.key, event.time, event.partition) == (before.key, before.time, before.partition)
        assert event.payload.message.raw == before.payload.raw
        assert "wrong" not in {fact.fact_id for fact in event.payload.message.facts}
    (end,) = await finished(kafka, rereading_id)
    assert end.payload.messages == len(everything) == len({event.id for event in everything})
    ours = [(b.partition, b.offset) for e in once if (b := was[e.payload.event_id])]
    for partition in {place for place, _ in ours}:
        assert [o for p, o in ours if p == partition] == sorted(o for p, o in ours if p == partition)
    last = await one.last()
    assert (last.started.rereading_id, last.finished, last.started.started_by) == (rereading_id, True, "Tester")
    assert rereading_id in {event.payload.rereading_id for event in await reading.whole(kafka, REREADING_STARTED)}


async def test_what_kafka_did_not_take_is_read_again_at_the_next_attempt(
    start: Any, kafka: str, rereading: Make, publish: Any
) -> None:
    async with start() as service, MllpClient(service.mllp) as client:
        for n in range(5):
            await client.send(result(f"B{n}", f"Q{n}"))
    taken = 0

    async def breaks(outgoing: Outgoing) -> None:
        nonlocal taken
        taken += 1
        if taken == 4:
            raise UnavailableError("kafka cannot be reached")
        await publish(outgoing)

    broken = rereading(breaks)
    rereading_id = await broken.start("Tester", "another reader")
    with pytest.raises(UnavailableError):
        await broken.step()
    assert not await finished(kafka, rereading_id)
    await rereading().step()
    (end,) = await finished(kafka, rereading_id)
    ids = {event.id for event in await of(kafka, rereading_id)}
    assert len(ids) == end.payload.messages
    assert {e.id for e in await received(kafka)} <= {e.payload.event_id for e in await of(kafka, rereading_id)}


async def test_a_killed_process_goes_on_with_what_it_had_begun(launch: Any, kafka: str, publish: Any) -> None:
    with launch() as running:
        async with MllpClient(running.address("MLLP_LISTEN")) as client:
            await client.send(result("C1", "R1"))
        kept = (await received(kafka))[-1]
        copies = [Outgoing(MESSAGE_RECEIVED, str(uuid.uuid4()), kept.key, kept.payload, kept.time) for _ in range(3000)]
        # Not all at once: each has seconds to be acknowledged in.
        for first in range(0, len(copies), 250):
            await asyncio.gather(*map(publish, copies[first : first + 250]))
        async with channel(running.address("GRPC_LISTEN")) as opened:
            request = pb.StartRereadingRequest(started_by="Tester", reason="another reader")
            rereading_id = (await IngestionServiceStub(opened).StartRereading(request)).rereading_id
        while not await of(kafka, rereading_id):
            await asyncio.sleep(0.05)
        running.process.kill()
        running.process.wait()
    assert not await finished(kafka, rereading_id), "killed too late to say anything"
    with launch() as running:
        async with asyncio.timeout(90), channel(running.address("GRPC_LISTEN")) as opened:
            while not (await IngestionServiceStub(opened).GetRereading(pb.GetRereadingRequest())).finished:
                await asyncio.sleep(0.5)
    (end,) = await finished(kafka, rereading_id)
    assert len({event.id for event in await of(kafka, rereading_id)}) == end.payload.messages
    assert {e.id for e in await received(kafka)} <= {e.payload.event_id for e in await of(kafka, rereading_id)}
