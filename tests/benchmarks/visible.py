"""Time from a message's ACK to its fact being readable in the timeline, beside a raw Kafka round trip."""

import asyncio
import time
import uuid
from itertools import count

import grpc
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from contracts.kafka import reaching
from longitude.memory.v1 import memory_service_pb2, memory_service_pb2_grpc
from longitude.record.v1.fact_pb2 import PatientKey
from testkit.calls import channel
from testkit.mllp import MllpClient

from tests.benchmarks.load import message, new_feed, patient, percentile
from tests.benchmarks.stacks import Stacks, new_topic
from tests.results import Result

FULL, SHORT = 300, 3
# Messages a second beside, and the connections that send them.
LOAD, CONNECTIONS = 300, 16
PARTS = ("kafka", "postgres", "objects", "triton", "ingestion", "memory")


def run(stacks: Stacks, messages: int = FULL) -> Result:
    """`messages` messages one after the other, each waited for until it can be read; each of another patient."""
    with stacks(PARTS, ("embedder",)) as endpoints:
        facts = sorted(asyncio.run(_facts(endpoints, messages)))
        loaded = sorted(asyncio.run(_under_load(endpoints, messages)))
        raw = sorted(asyncio.run(_round_trips(endpoints["LONGITUDE_KAFKA"], messages)))
    return Result(
        name="visible",
        n=messages,
        figures={
            "ack_to_fact_p50_ms": percentile(facts, 0.5) * 1000,
            "ack_to_fact_p99_ms": percentile(facts, 0.99) * 1000,
            f"ack_to_fact_p99_ms_at_{LOAD}_per_s": percentile(loaded, 0.99) * 1000,
            "ratio_to_kafka_round_trip_p50": percentile(facts, 0.5) / percentile(raw, 0.5),
        },
        peers={
            "raw Kafka round trip (aiokafka, acks=all)": {
                "p50_ms": percentile(raw, 0.5) * 1000,
                "p99_ms": percentile(raw, 0.99) * 1000,
            }
        },
        note="the timeline is polled every 2 ms, so up to 2 ms are the measurement's own",
    )


async def _under_load(endpoints: dict[str, str], messages: int) -> list[float]:
    """The same while a feed sends LOAD messages a second."""
    sending = asyncio.create_task(_send_steadily(endpoints["LONGITUDE_MLLP"]))
    try:
        return await _facts(endpoints, messages)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _send_steadily(endpoint: str) -> None:
    feed = new_feed()

    async def connection(first: int) -> None:
        async with MllpClient(endpoint) as client:
            began = time.perf_counter()
            for number in count():
                await asyncio.sleep(began + number * CONNECTIONS / LOAD - time.perf_counter())
                await client.send(message(first + number * CONNECTIONS, feed))

    await asyncio.gather(*map(connection, range(CONNECTIONS)))


async def _facts(endpoints: dict[str, str], messages: int) -> list[float]:
    seconds, feed = [], new_feed()
    async with (
        channel(endpoints["LONGITUDE_MEMORY"]) as opened,
        MllpClient(endpoints["LONGITUDE_MLLP"]) as client,
    ):
        memory = memory_service_pb2_grpc.MemoryServiceStub(opened)
        for number in range(messages):
            answer = await client.send(message(number, feed))
            assert b"MSA|AA" in answer
            began = time.perf_counter()
            await _until_known(memory, PatientKey(id=patient(number), authority=feed))
            seconds.append(time.perf_counter() - began)
    return seconds


async def _until_known(memory: "memory_service_pb2_grpc.MemoryServiceAsyncStub", key: PatientKey) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await memory.GetTimeline(memory_service_pb2.GetTimelineRequest(patient=key))
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(0.002)
            else:
                return


async def _round_trips(bootstrap: str, messages: int) -> list[float]:
    topic = await new_topic(bootstrap)
    consumer = AIOKafkaConsumer(topic, **reaching(bootstrap), group_id=uuid.uuid4().hex)
    producer = AIOKafkaProducer(**reaching(bootstrap), acks="all", enable_idempotence=True)
    await consumer.start()
    await producer.start()
    try:
        seconds = []
        await consumer.seek_to_end()
        for number in range(messages):
            began = time.perf_counter()
            await producer.send_and_wait(topic, message(number))
            await consumer.getone()
            seconds.append(time.perf_counter() - began)
        return seconds
    finally:
        await producer.stop()
        await consumer.stop()
