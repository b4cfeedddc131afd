"""A page of a long timeline, and all its pages, beside the plain SQL for the same facts.

The long record is one patient's messages, sent through Kafka like any other's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from contracts.topics import MESSAGE_RECEIVED
from eventbus import Outgoing
from ingestion.domain.reading import Feed, read
from ingestion.domain.reception import partition_key, received_event
from longitude.ingestion.v1.events_pb2 import Payload
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from testkit.calls import channel
from testkit.signing import publishing

from tests.benchmarks.load import PATIENTS, message, new_feed, patient, percentile
from tests.benchmarks.stacks import Stacks
from tests.results import Result

FULL, SHORT = (5_000, 50_000), (200,)
PARTS = ("kafka", "postgres", "objects", "triton", "memory")
TIMES = 15
# Facts of one message of the load: eleven results, birth date and sex.
_NEW_FACTS = 11
_WRITTEN = """SELECT count(*) FROM fact WHERE identifier_no IN
    (SELECT identifier_no FROM identifier WHERE authority = %s)"""
_PLAIN = """SELECT view FROM entry WHERE stands AND identifier_no IN
    (SELECT identifier_no FROM identifier WHERE authority = %s) ORDER BY starts, recorded_at, fact_id LIMIT 1000"""


def run(stacks: Stacks, sizes: Sequence[int] = FULL) -> Result:
    """One patient for each size."""
    figures, peers = at_each(stacks, sizes, _measured, "page", "page_ms")
    return Result(
        name="timeline",
        n=TIMES,
        figures=figures,
        peers=peers,
        note="p50; a page is 1,000 facts, all pages are 10,000 each, superseded statements included",
    )


def at_each(
    stacks: Stacks,
    sizes: Sequence[int],
    measured: Callable[[dict[str, str], int], Coroutine[Any, Any, dict[str, float]]],
    name: str,
    plain: str,
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Figures of a patient of each size, and of the plain SQL (`sql_ms`) beside `name`_ms, told as `plain`."""
    figures: dict[str, float] = {}
    peers: dict[str, dict[str, float]] = {}
    with stacks(PARTS, ("embedder",)) as endpoints:
        for size in sizes:
            of_size = asyncio.run(measured(endpoints, size))
            sql = of_size.pop("sql_ms")
            peers[f"plain SQL, {size} facts"] = {plain: sql}
            figures |= {f"{each}_{size}": value for each, value in of_size.items()}
            figures[f"{name}_ratio_to_sql_{size}"] = of_size[f"{name}_ms"] / sql
    return figures, peers


async def _measured(endpoints: dict[str, str], size: int) -> dict[str, float]:
    feed = new_feed()
    await write(endpoints, feed, [message(number * PATIENTS, feed) for number in range(size // _NEW_FACTS)])
    key = PatientKey(id=patient(0), authority=feed)
    async with channel(endpoints["LONGITUDE_MEMORY"]) as opened:
        memory = MemoryServiceStub(opened)

        async def page() -> None:
            await memory.GetTimeline(pb.GetTimelineRequest(patient=key))

        async def everything() -> None:
            asked = pb.GetTimelineRequest(patient=key, include_superseded=True, page_size=10_000)
            asked.page_token = (await memory.GetTimeline(asked)).next_page_token
            while asked.page_token:
                asked.page_token = (await memory.GetTimeline(asked)).next_page_token

        with psycopg.connect(endpoints["LONGITUDE_POSTGRES_MEMORY"], options="-c search_path=memory") as connection:

            async def plain() -> None:
                connection.execute(_PLAIN, (feed,)).fetchall()

            return {
                "page_ms": await p50_ms(page),
                "all_pages_ms": await p50_ms(everything),
                "sql_ms": await p50_ms(plain),
            }


async def p50_ms(work: Callable[[], Awaitable[None]]) -> float:
    """Of TIMES runs, one after another."""
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await work()
        seconds.append(time.perf_counter() - began)
    return percentile(sorted(seconds), 0.5) * 1000


async def write(endpoints: dict[str, str], feed: str, messages: Sequence[bytes]) -> None:
    """Send a feed's messages through Kafka and wait until all of their facts are in the record."""
    facts = 0
    async with publishing(endpoints["LONGITUDE_KAFKA"]) as publish:
        for payload in messages:
            now = datetime.now(UTC)
            reading = read(payload, now, Feed())
            event = received_event(reading, Payload(inline=payload), now)
            facts += len(event.facts)
            await publish(Outgoing(MESSAGE_RECEIVED, reading.event_id, partition_key(event.patient.key), event, now))
    with psycopg.connect(
        endpoints["LONGITUDE_POSTGRES_MEMORY"], options="-c search_path=memory", autocommit=True
    ) as connection:
        while (connection.execute(_WRITTEN, (feed,)).fetchone() or (0,))[0] < facts:
            await asyncio.sleep(0.1)
