"""A context pack of a long record, now and as of a past moment, beside the plain SQL for as many of its facts.

The record is years of one patient's results of many analytes, hour by hour, sent through Kafka like any other's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from testkit.calls import channel

from tests.benchmarks.load import new_feed
from tests.benchmarks.stacks import Stacks
from tests.benchmarks.timeline import TIMES, at_each, p50_ms, write
from tests.results import Result

FULL, SHORT = (5_000, 50_000), (200,)
BUDGET = 2_500
RESULTS, _ANALYTES = 10, 40
# As many of each analyte as a pack of a long record is made from.
_PLAIN = """SELECT view FROM (
    SELECT view, row_number() OVER (PARTITION BY kind, concept ORDER BY since DESC) AS nth FROM entry
    WHERE stands AND identifier_no IN (SELECT identifier_no FROM identifier WHERE authority = %s)
) AS newest WHERE nth <= 25"""
# What came last is not known then: the record is replayed without it.
_BEFORE_THE_LAST = """SELECT max(recorded_at) - interval '1 microsecond' FROM fact WHERE identifier_no IN
    (SELECT identifier_no FROM identifier WHERE authority = %s)"""


def run(stacks: Stacks, sizes: Sequence[int] = FULL) -> Result:
    """One patient for each size."""
    figures, peers = at_each(stacks, sizes, _measured, "context", "newest_25_of_each_ms")
    note = f"p50; a question with {BUDGET} tokens, embedder and search included"
    return Result(name="context", n=TIMES, figures=figures, peers=peers, note=note)


async def _measured(endpoints: dict[str, str], size: int) -> dict[str, float]:
    feed = new_feed()
    await write(endpoints, feed, [results(number, feed) for number in range(size // RESULTS)])
    asked = pb.GetContextRequest(
        patient=PatientKey(id="1", authority=feed), question="How did analyte 7 develop?", token_budget=BUDGET
    )
    async with channel(endpoints["LONGITUDE_MEMORY"]) as opened:
        memory = MemoryServiceStub(opened)

        async def context() -> None:
            await memory.GetContext(asked)

        with psycopg.connect(endpoints["LONGITUDE_POSTGRES_MEMORY"], options="-c search_path=memory") as connection:
            past = pb.GetContextRequest()
            past.CopyFrom(asked)
            past.known_at.FromDatetime((connection.execute(_BEFORE_THE_LAST, (feed,)).fetchone() or (None,))[0])

            async def as_of() -> None:
                await memory.GetContext(past)

            async def plain() -> None:
                connection.execute(_PLAIN, (feed,)).fetchall()

            return {
                "context_ms": await p50_ms(context),
                "as_of_ms": await p50_ms(as_of),
                "sql_ms": await p50_ms(plain),
            }


def results(number: int, feed: str) -> bytes:
    """An ORU^R01 with results of some of the analytes, of the same patient, an hour after the one before."""
    drawn = datetime(2015, 1, 1) + timedelta(hours=number)  # noqa: DTZ001 - HL7 local time
    at = f"{drawn:%Y%m%d%H%M%S}"
    head = (
        f"MSH|^~\\&|BENCH|{feed}|HUB|HUB|{at}||ORU^R01^ORU_R01|C{number:09d}|P|2.5.1\r"
        f"PID|1||1^^^{feed}^MR||Testperson^Long||19500101|F\rPV1|1|I|||||||||||||||||V{number // 24}\r"
        f"OBR|1|P{number}|F{number}|PANEL^Panel^L|||{at}\r"
    )
    analytes = [(number * RESULTS + n) % _ANALYTES for n in range(RESULTS)]
    segments = (
        f"OBX|{n}|NM|A{analyte}^Analyte {analyte}^L||{(number + n) % 40 / 4 + 1:.2f}|mg/dL|1-8||||F|||{at}\r"
        for n, analyte in enumerate(analytes, 1)
    )
    return (head + "".join(segments)).encode()
