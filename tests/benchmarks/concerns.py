"""From an acknowledged message to its concern on Kafka, at two rates, and what a look at a record costs by rows.

Each message is a critical potassium of another patient, so that each opens one concern. The time counts from when the
message was due, so that one that waits for its turn counts so. Growth: the rows twice and four times, over one record.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from consult import Record, Timeline
from consult.dangers import dangers
from contracts.kafka import reaching
from contracts.topics import CONCERN_OPENED
from knowledge import Knowledge, shipped
from longitude.record.v1.context_pb2 import Context
from testkit.kidneys import NOW, failing_kidneys
from testkit.mllp import MllpClient

from tests.benchmarks.load import new_feed, percentile
from tests.benchmarks.stacks import Stacks
from tests.results import Result

PARTS = ("kafka", "postgres", "objects", "ingestion", "memory", "reasoning")
CONNECTIONS = 16
WITHIN_SECONDS = 120.0
TIMES = 20
ROWS = (1, 2, 4)
ROW = "criticals/potassium"


@dataclass(frozen=True, slots=True)
class Size:
    """Messages at each rate (messages a second)."""

    rates: Sequence[tuple[int, int]]
    looks: int = TIMES


FULL, SHORT = Size(((10, 200), (100, 1000))), Size(((10, 5), (100, 10)), looks=2)


def run(stacks: Stacks, size: Size = FULL) -> Result:
    """Latency of each rate, CPU time of reasoning for each message where the kernel tells it, and growth with rows."""
    figures: dict[str, float] = {}
    with stacks(PARTS, ()) as endpoints:
        # The first look of a process loads its tables.
        figures["first_fact_to_concern_ms"] = asyncio.run(_opened(endpoints, 1, 1))[0] * 1000
        for rate, messages in size.rates:
            with _cpu(endpoints) as cpu:
                seconds = sorted(asyncio.run(_opened(endpoints, rate, messages)))
            figures[f"fact_to_concern_p50_ms_at_{rate}_per_s"] = percentile(seconds, 0.5) * 1000
            figures[f"fact_to_concern_p99_ms_at_{rate}_per_s"] = percentile(seconds, 0.99) * 1000
            figures[f"not_opened_at_{rate}_per_s"] = messages - len(seconds)
            if cpu:
                figures[f"reasoning_cpu_ms_per_message_at_{rate}_per_s"] = cpu[0] * 1000 / messages
    looks = {times: _look_ms(times, size.looks) for times in ROWS}
    for times, milliseconds in looks.items():
        figures[f"look_ms_{times}_times_the_rows"] = milliseconds
    return Result(
        name="concerns",
        n=sum(messages for _, messages in size.rates),
        figures=figures,
        note=f"{len(shipped())} rows; a look is at one record of {len(failing_kidneys()[0].facts)} facts, told before",
    )


async def _opened(endpoints: dict[str, str], rate: int, messages: int) -> list[float]:
    """Seconds from when each message was due to its concern, of those whose concern came in time."""
    reading = reaching(endpoints["LONGITUDE_KAFKA"])
    consumer = AIOKafkaConsumer(CONCERN_OPENED.name, **reading, auto_offset_reset="earliest")
    await consumer.start()
    try:
        feed, began = new_feed(), time.perf_counter()
        due = {str(number): began + number / rate for number in range(1, messages + 1)}
        sending = asyncio.create_task(_send(endpoints["LONGITUDE_MLLP"], feed, due))
        seconds = await _heard(consumer, feed, due)
        await sending
        return seconds
    finally:
        await consumer.stop()


async def _heard(consumer: AIOKafkaConsumer, feed: str, due: dict[str, float]) -> list[float]:
    seconds: list[float] = []
    deadline = time.perf_counter() + WITHIN_SECONDS
    while len(seconds) < len(due) and time.perf_counter() < deadline:
        for records in (await consumer.getmany(timeout_ms=100)).values():
            now = time.perf_counter()
            concerns = (CONCERN_OPENED.payload.FromString(record.value).concern for record in records)
            own = (each for each in concerns if each.patient.authority == feed and each.row == ROW)
            seconds += [now - due[each.patient.id] for each in own]
    return seconds


async def _send(endpoint: str, feed: str, due: dict[str, float]) -> None:
    numbers = list(due)

    async def connection(first: int) -> None:
        async with MllpClient(endpoint) as client:
            for number in numbers[first::CONNECTIONS]:
                await asyncio.sleep(max(0.0, due[number] - time.perf_counter()))
                answer = await client.send(_message(number, feed))
                if b"MSA|AA" not in answer:
                    raise RuntimeError(f"not acknowledged: {answer[:200]!r}")

    await asyncio.gather(*map(connection, range(CONNECTIONS)))


def _message(patient: str, feed: str) -> bytes:
    sent = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    return (
        f"MSH|^~\\&|LAB|{feed}|HUB|HUB|{sent}||ORU^R01|C{patient}|P|2.5.1\r"
        f"PID|1||{patient}^^^{feed}^MR||Testperson^Load||19500101|F\r"
        f"OBR|1|P{patient}|F{patient}|24323-8^CMP^LN|||{sent}\r"
        f"OBX|1|NM|2823-3^Potassium^LN||6.8|mmol/L|||||F|||{sent}\r"
    ).encode()


@contextmanager
def _cpu(endpoints: dict[str, str]) -> Iterator[list[float]]:
    """CPU seconds of the reasoning process while inside; nothing where it is not on this machine."""
    spent: list[float] = []
    process = _listening(endpoints["LONGITUDE_REASONING"].rpartition(":")[2])
    before = _cpu_seconds(process) if process else 0.0
    yield spent
    if process:
        spent.append(_cpu_seconds(process) - before)


def _listening(port: str) -> int:
    """The process that has this port in its settings."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environment.read_bytes().split(b"\0")
        except OSError:
            continue
        if f"LONGITUDE_GRPC_LISTEN=127.0.0.1:{port}".encode() in variables:
            return int(environment.parent.name)
    return 0


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _look_ms(times: int, looks: int) -> float:
    """A look at one record whose texts passed before, with the rows so many times."""
    built, _ = failing_kidneys()
    rows = Knowledge(
        {
            family: tuple(
                replace(row, id=f"{row.id}-{copy}" if copy else row.id) for row in own for copy in range(times)
            )
            for family, own in shipped().rows.items()
        }
    )
    record = Record(Timeline(built.facts, [built.patient], built.contradictions), Context(), (), NOW, knowledge=rows)
    passed = {each.text for each in dangers(record)}
    began = time.process_time()
    for _ in range(looks):
        dangers(record, passed)
    return (time.process_time() - began) / looks * 1000
