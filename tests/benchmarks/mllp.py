"""Durable MLLP messages per second: acknowledged only after Kafka has them on every replica (`acks=all`).

Beside it in the same run: Kafka's own producer-perf with records of the same size, and python-hl7's MLLP server, which
parses and acknowledges but keeps nothing.
"""

import asyncio
import re
import shutil
import subprocess
from dataclasses import dataclass

from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server
from native_stack.layout import SHARED
from testkit.mllp import MllpClient

from tests.benchmarks.load import acknowledged_per_second, message, percentile
from tests.benchmarks.stacks import Stacks, new_topic
from tests.results import Result


@dataclass(frozen=True, slots=True)
class Size:
    """How many messages are sent over all connections, before that, one by one, and to python-hl7; Kafka's records."""

    messages: int = 4000
    warm: int = 400
    one_by_one: int = 800
    beside: int = 2000
    records: int = 100_000


FULL, SHORT = Size(), Size(32, 16, 4, 16, 100)
CONNECTIONS = 16


def run(stacks: Stacks, size: Size = FULL) -> Result:
    """Measure one after the other on the same machine."""
    with stacks(("kafka", "objects", "ingestion"), ()) as endpoints:
        mllp, kafka = endpoints["LONGITUDE_MLLP"], endpoints["LONGITUDE_KAFKA"]
        asyncio.run(acknowledged_per_second(mllp, size.warm, CONNECTIONS))
        durable, seconds = asyncio.run(acknowledged_per_second(mllp, size.messages, CONNECTIONS))
        one_by_one, _ = asyncio.run(acknowledged_per_second(mllp, size.one_by_one, 1))
        producer = _producer_perf(kafka, asyncio.run(new_topic(kafka)), size.records)
    python_hl7 = asyncio.run(_python_hl7(size.beside))
    return Result(
        name="mllp",
        n=size.messages,
        figures={
            "durable_messages_per_s": durable,
            "durable_messages_per_s_one_connection": one_by_one,
            "ack_p50_ms": percentile(seconds, 0.5) * 1000,
            "ack_p99_ms": percentile(seconds, 0.99) * 1000,
            "ratio_to_kafka_producer_perf": durable / producer,
            "ratio_to_python_hl7": durable / python_hl7,
        },
        peers={
            "kafka producer-perf, acks=all, 1200 B": {"records_per_s": producer},
            "python-hl7 server, keeps nothing": {"messages_per_s": python_hl7},
        },
        note=f"{CONNECTIONS} connections, one message outstanding on each; client, services and broker share the cores",
    )


def _producer_perf(bootstrap: str, topic: str, records: int) -> float:
    java = shutil.which("java")
    assert java is not None
    properties = [f"bootstrap.servers={bootstrap}", "acks=all", "linger.ms=5"]
    out = subprocess.run(
        [
            *(java, "-cp", f"{SHARED / 'kafka-jars'}/*", "org.apache.kafka.tools.ProducerPerformance"),
            *("--topic", topic, "--num-records", str(records), "--record-size", "1200"),
            *("--throughput", "-1", "--producer-props", *properties),
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
        rate, _ = await acknowledged_per_second(f"127.0.0.1:{port}", count, CONNECTIONS)
    return rate
