"""Durable MLLP messages per second: acknowledged only after Kafka has them on every replica (`acks=all`).

By one process, and by two: as many replicas as a deployment has unless told otherwise, since a process uses one core.
Beside it in the same run: a receiver of HAPI, the HL7 library of Java, that publishes to the same Kafka as durably;
Kafka's own producer-perf with records of the same size; and python-hl7's MLLP server, which parses and acknowledges but
keeps nothing.
"""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import median

from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server
from native_stack.layout import SHARED
from testkit.mllp import MllpClient

from tests.benchmarks.hapi_receiver import receiving
from tests.benchmarks.java import properties
from tests.benchmarks.load import acknowledged_at, acknowledged_per_second, message, percentile
from tests.benchmarks.stacks import Stacks, new_topic, replica
from tests.results import Result


@dataclass(frozen=True, slots=True)
class Size:
    """Messages of each run, those sent before it, one by one, and to python-hl7; Kafka's records; rounds."""

    messages: int = 3200
    warm: int = 640
    one_by_one: int = 800
    beside: int = 2000
    records: int = 100_000
    rounds: int = 3


FULL, SHORT = Size(), Size(128, 128, 4, 16, 100, 1)
CONNECTIONS, MANY = 16, 128
NEEDS = ("kafka", "objects")


@dataclass(frozen=True, slots=True)
class _Rates:
    """Medians over the rounds: messages/s over few and many connections, and the ACK's seconds over few, ascending."""

    few: float
    many: float
    seconds: list[float]


def run(stacks: Stacks, size: Size = FULL) -> Result:
    """Measure one after the other on the same machine; rounds of ingestion and of HAPI take turns."""
    with stacks((*NEEDS, "ingestion"), ()) as endpoints:
        mllp, kafka = endpoints["LONGITUDE_MLLP"], endpoints["LONGITUDE_KAFKA"]
        with receiving(kafka, asyncio.run(new_topic(kafka))) as hapi, replica("ingestion", NEEDS, endpoints) as other:
            ours, both, theirs = _take_turns(((mllp,), (mllp, other["LONGITUDE_MLLP"]), (hapi,)), size)
        one_by_one, _ = asyncio.run(acknowledged_per_second((mllp,), size.one_by_one, 1))
        paced = asyncio.run(acknowledged_at(mllp, ours.few / 2, size.messages, CONNECTIONS))
        producer = _producer_perf(kafka, asyncio.run(new_topic(kafka)), size.records)
    python_hl7 = asyncio.run(_python_hl7(size.beside))
    return Result(
        name="mllp",
        n=size.messages * size.rounds,
        figures={
            f"durable_messages_per_s_{CONNECTIONS}_connections": ours.few,
            f"durable_messages_per_s_{MANY}_connections": ours.many,
            f"durable_messages_per_s_{CONNECTIONS}_connections_two_replicas": both.few,
            f"durable_messages_per_s_{MANY}_connections_two_replicas": both.many,
            "durable_messages_per_s_one_connection": one_by_one,
            "ack_p50_ms": percentile(ours.seconds, 0.5) * 1000,
            "ack_p99_ms": percentile(ours.seconds, 0.99) * 1000,
            "ack_p99_ms_two_replicas": percentile(both.seconds, 0.99) * 1000,
            "ack_p99_ms_at_half_rate": percentile(paced, 0.99) * 1000,
            f"ratio_to_hapi_{CONNECTIONS}_connections": ours.few / theirs.few,
            f"ratio_to_hapi_{MANY}_connections": ours.many / theirs.many,
            f"ratio_to_hapi_{CONNECTIONS}_connections_two_replicas": both.few / theirs.few,
            f"ratio_to_hapi_{MANY}_connections_two_replicas": both.many / theirs.many,
            "ratio_to_kafka_producer_perf": ours.few / producer,
            "ratio_to_python_hl7": ours.few / python_hl7,
        },
        peers={
            "HAPI receiver, same Kafka, acks=all": {
                f"messages_per_s_{CONNECTIONS}_connections": theirs.few,
                f"messages_per_s_{MANY}_connections": theirs.many,
            },
            "kafka producer-perf, acks=all, 1200 B": {"records_per_s": producer},
            "python-hl7 server, keeps nothing": {"messages_per_s": python_hl7},
        },
        note=f"one message outstanding on each connection; median of {size.rounds}; all share the cores",
    )


def _take_turns(receivers: Sequence[Sequence[str]], size: Size) -> list[_Rates]:
    for endpoints in receivers:
        asyncio.run(acknowledged_per_second(endpoints, size.warm, CONNECTIONS))
    rounds = [
        [
            asyncio.run(acknowledged_per_second(endpoints, size.messages, connections))
            for endpoints in receivers
            for connections in (CONNECTIONS, MANY)
        ]
        for _ in range(size.rounds)
    ]
    few = [sorted((each[2 * at] for each in rounds), key=itemgetter(0)) for at in range(len(receivers))]
    many = [median(each[2 * at + 1][0] for each in rounds) for at in range(len(receivers))]
    middle = size.rounds // 2
    return [_Rates(runs[middle][0], rate, runs[middle][1]) for runs, rate in zip(few, many, strict=True)]


def _producer_perf(bootstrap: str, topic: str, records: int) -> float:
    java = shutil.which("java")
    assert java is not None
    with properties(bootstrap) as told:
        out = subprocess.run(
            [
                *(java, "-cp", f"{SHARED / 'kafka-jars'}/*", "org.apache.kafka.tools.ProducerPerformance"),
                *("--topic", topic, "--num-records", str(records), "--record-size", "1200"),
                *("--throughput", "-1", "--producer.config", told, "--producer-props", "linger.ms=5"),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout
    return float(re.findall(r"([\d.]+) records/sec", out)[-1])


async def _python_hl7(count: int) -> float:
    async def serve(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        while not reader.at_eof():
            try:
                received = await reader.readmessage()
            except asyncio.IncompleteReadError:
                break
            writer.writemessage(received.create_ack())
            await writer.drain()

    server = await start_hl7_server(serve, host="127.0.0.1", port=0, limit=2**22)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with MllpClient(f"127.0.0.1:{port}") as client:
            await client.send(message(0))
        rate, _ = await acknowledged_per_second((f"127.0.0.1:{port}",), count, CONNECTIONS)
    return rate
