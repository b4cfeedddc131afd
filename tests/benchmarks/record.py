"""Messages from Kafka into committed facts, with every service running, beside COPY of the same rows.

The events are made beforehand by ingestion's own reader, so that the reading of HL7 takes no part in the figure.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString

import psycopg
from contracts.topics import MESSAGE_RECEIVED
from eventbus import Outgoing
from ingestion.domain.reading import Feed, read
from ingestion.domain.reception import partition_key, received_event
from longitude.ingestion.v1.events_pb2 import Payload
from testkit.signing import publishing

from tests.benchmarks.load import PATIENTS, message, new_feed
from tests.benchmarks.stacks import Stacks
from tests.results import Result

PARTS = ("kafka", "postgres", "objects", "triton", "ingestion", "imaging", "memory", "auditing", "reasoning")
MODELS = ("embedder",)
# Events that are in flight to the broker at once.
TOGETHER = 500
_FACTS = """SELECT count(*) FROM fact WHERE identifier_no IN
    (SELECT identifier_no FROM identifier WHERE authority = %s)"""
_TAKEN = "SELECT count(*) FROM inbox WHERE consumer = %s AND event_id = ANY(%s::uuid[])"
_COPIED = "CREATE TABLE copied (LIKE fact INCLUDING ALL)"


@dataclass(frozen=True, slots=True)
class Size:
    """Messages that are measured, and before that to warm up."""

    messages: int = 8_000
    warm: int = 800


FULL, SHORT = Size(), Size(40, 10)


def run(stacks: Stacks, size: Size = FULL) -> Result:
    """Publish as fast as the broker takes it; count until every fact is committed."""
    with stacks(PARTS, MODELS) as endpoints:
        asyncio.run(_recorded(endpoints, size.warm))
        seconds, facts = asyncio.run(_recorded(endpoints, size.messages))
        copied = _copied_per_second(endpoints["LONGITUDE_POSTGRES_MEMORY"], size.messages)
    return Result(
        name="record",
        n=size.messages,
        figures={
            "messages_per_s": size.messages / seconds,
            "facts_per_s": facts / seconds,
            "ratio_to_copy": facts / seconds / copied,
        },
        peers={"COPY of the same rows, in batches of 1,000": {"facts_per_s": copied}},
        note="publisher, broker, database and every service share the cores",
    )


def events(count: int, feed: str) -> Iterator[tuple[Outgoing, int]]:
    """What ingestion publishes for the load, each with the number of its facts."""
    for number in range(count):
        payload, now = message(number, feed), datetime.now(UTC)
        reading = read(payload, now, Feed())
        event = received_event(reading, Payload(inline=payload), now)
        patient = reading.content.patient
        assert patient is not None
        outgoing = Outgoing(MESSAGE_RECEIVED, reading.event_id, partition_key(patient.key), event, now)
        yield outgoing, len(event.facts)


async def _recorded(endpoints: dict[str, str], count: int) -> tuple[float, int]:
    """Seconds from the first publish to the last commit, and how many facts that were."""
    feed = new_feed()
    made = list(events(count, feed))
    facts = sum(number for _, number in made)
    async with publishing(endpoints["LONGITUDE_KAFKA"]) as publish:
        began = time.perf_counter()
        for start in range(0, count, TOGETHER):
            await asyncio.gather(*(publish(each) for each, _ in made[start : start + TOGETHER]))
        with psycopg.connect(endpoints["LONGITUDE_POSTGRES_MEMORY"], options="-c search_path=memory") as connection:
            # Each patient's messages are taken in order: with the last of everybody's all are. Counting the facts
            # themselves again and again would take the cores from what is measured.
            last = [each.id for each, _ in made[-PATIENTS:]]
            while _count(connection, _TAKEN, f":{MESSAGE_RECEIVED.name}", last) < len(last):
                await asyncio.sleep(0.05)
            seconds = time.perf_counter() - began
            assert _count(connection, _FACTS, feed) == facts
        return seconds, facts


def _count(connection: psycopg.Connection, query: LiteralString, *asked: object) -> int:
    row = connection.execute(query, asked).fetchone()
    connection.rollback()
    assert row is not None
    return int(row[0])


def _copied_per_second(dsn: str, messages: int) -> float:
    """The newest facts of the record, copied into a table like theirs: in batches, each committed."""
    with psycopg.connect(dsn, options="-c search_path=memory", autocommit=True) as connection:
        connection.execute(_COPIED)
        try:
            columns = "SELECT * FROM fact ORDER BY recorded_at DESC LIMIT %s"
            rows = connection.execute(columns, (11 * messages,)).fetchall()
            began = time.perf_counter()
            for start in range(0, len(rows), 1000):
                with connection.cursor() as cursor, cursor.copy("COPY copied FROM STDIN") as copy:
                    for row in rows[start : start + 1000]:
                        copy.write_row(row)
            return len(rows) / (time.perf_counter() - began)
        finally:
            connection.execute("DROP TABLE copied")
