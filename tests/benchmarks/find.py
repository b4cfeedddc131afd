"""Finding in a long record, by words, by code and all that stands, beside the plain SQL for the same facts.

The record is that of the bench of context packs: one patient's results of many analytes, hour by hour.
"""

from collections.abc import Sequence

import psycopg
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.fact_pb2 import CodedConcept, PatientKey
from testkit.calls import channel

from tests.benchmarks.context import RESULTS, results
from tests.benchmarks.load import new_feed
from tests.benchmarks.stacks import Stacks
from tests.benchmarks.timeline import TIMES, at_each, p50_ms, write
from tests.results import Result

FULL, SHORT = (8_000,), (200,)
# All values of one analyte, newest first.
_PLAIN = """SELECT view FROM entry WHERE stands AND concept LIKE %s AND identifier_no IN
    (SELECT identifier_no FROM identifier WHERE authority = %s) ORDER BY since DESC"""


def run(stacks: Stacks, sizes: Sequence[int] = FULL) -> Result:
    """One patient for each size."""
    figures, peers = at_each(stacks, sizes, _measured, "by_code", "one_analyte_ms")
    return Result(name="find", n=TIMES, figures=figures, peers=peers, note="p50; one analyte of 40, all of its values")


async def _measured(endpoints: dict[str, str], size: int) -> dict[str, float]:
    feed = new_feed()
    await write(endpoints, feed, [results(number, feed) for number in range(size // RESULTS)])
    key = PatientKey(id="1", authority=feed)
    async with channel(endpoints["LONGITUDE_MEMORY"]) as opened:
        memory = MemoryServiceStub(opened)
        kinds = pb.FindRequest(patient=key, page_size=1)
        known = (await memory.Find(kinds)).facts[0].fact.code
        by_code = pb.FindRequest(patient=key, concepts=[CodedConcept(system=known.system, code=known.code)])

        async def code() -> None:
            await memory.Find(by_code)

        async def words() -> None:
            await memory.Find(pb.FindRequest(patient=key, words=known.display, form=pb.FIND_FORM_LATEST))

        with psycopg.connect(endpoints["LONGITUDE_POSTGRES_MEMORY"], options="-c search_path=memory") as connection:

            async def plain() -> None:
                connection.execute(_PLAIN, (f"{known.system}|{known.code}|%", feed)).fetchall()

            return {"by_code_ms": await p50_ms(code), "by_words_ms": await p50_ms(words), "sql_ms": await p50_ms(plain)}
