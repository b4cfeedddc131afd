"""Cards while a drug is signed: CDS Hooks over HTTPS, from the request to the last byte, by the size of the record.

Beside it, in the same run: memory's answer for the same record, which each call reads. The record is that of the bench
of context packs, with an allergy and an order in it.
"""

import asyncio
import os
import ssl
import time
import uuid
from collections.abc import Sequence
from typing import Any

import aiohttp
from client import people
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from testkit.calls import channel

from tests.benchmarks.context import RESULTS, results
from tests.benchmarks.load import new_feed, percentile
from tests.benchmarks.stacks import Stacks
from tests.benchmarks.timeline import p50_ms, write
from tests.results import Result

FULL, SHORT = (300, 3_000), (80,)
PARTS = ("kafka", "postgres", "objects", "triton", "memory", "reasoning", "gateway")
TIMES, AT_ONCE, WARM = 60, 4, 5
_SERVICE = "/cds-services/longitude-order-sign"
_HEAD = "MSH|^~\\&|BENCH|{feed}|X|X|20260301||{kind}|{control}|P|2.5.1\rPID|1||1^^^{feed}^MR||Test^Card||19500101|F\r"
_ALLERGY = "PV1|1|I\rAL1|1|DA|7980^Penicillin^RXNORM|SV|anaphylaxis\r"
_ORDER = "ORC|NW|C1|||||||20260301\rRXE||11289^warfarin^RXNORM|5||mg||||||||||||||||||||||||||\r"
_DRUGS = ("amoxicillin 500 mg", "naproxen 500 mg", "omeprazole 20 mg")


def run(stacks: Stacks, sizes: Sequence[int] = FULL) -> Result:
    """One patient for each size."""
    figures: dict[str, float] = {}
    peers: dict[str, dict[str, float]] = {}
    with stacks(PARTS, ()) as endpoints:
        for size in sizes:
            of_size, read_ms = asyncio.run(_measured(endpoints, size))
            figures |= {f"{name}_{size}": value for name, value in of_size.items()}
            peers[f"memory's answer, {size} facts"] = {"read_p50_ms": read_ms}
    return Result(
        "cards", figures, TIMES, peers=peers, note=f"three draft orders; one at a time, and {AT_ONCE} at once"
    )


async def _measured(endpoints: dict[str, str], size: int) -> tuple[dict[str, float], float]:
    feed = new_feed()
    asked = ((_ALLERGY, "ADT^A01"), (_ORDER, "RDE^O11"))
    extra = [
        (_HEAD.format(feed=feed, kind=kind, control=f"C{number}") + body).encode()
        for number, (body, kind) in enumerate(asked)
    ]
    await write(endpoints, feed, [*extra, *(results(number, feed) for number in range(size // RESULTS))])
    trust = ssl.create_default_context(cafile=os.environ["LONGITUDE_TLS_AUTHORITY"])
    token = people.bearer(os.environ | endpoints)
    async with aiohttp.ClientSession(
        f"https://{endpoints['LONGITUDE_HTTPS']}",
        connector=aiohttp.TCPConnector(ssl=trust),
        headers={"Authorization": f"Bearer {token}"},
        raise_for_status=True,
    ) as http:
        first = await _signed(http, feed)
        for _ in range(WARM):
            await _signed(http, feed)
        alone = sorted([await _signed(http, feed) for _ in range(TIMES)])
        together = sorted(await _at_once(http, feed))
    key = PatientKey(id="1", authority=feed)
    async with channel(endpoints["LONGITUDE_MEMORY"]) as opened:
        memory = MemoryServiceStub(opened)

        async def read() -> None:
            await memory.GetTimeline(pb.GetTimelineRequest(patient=key, include_superseded=True, page_size=10_000))

        read_ms = await p50_ms(read)
    return {
        "p50_ms": percentile(alone, 0.5) * 1000,
        "p95_ms": percentile(alone, 0.95) * 1000,
        "p95_ms_at_once": percentile(together, 0.95) * 1000,
        "first_s": first,
    }, read_ms


async def _at_once(http: aiohttp.ClientSession, feed: str) -> list[float]:
    async def several() -> list[float]:
        return [await _signed(http, feed) for _ in range(TIMES // AT_ONCE)]

    return [seconds for own in await asyncio.gather(*(several() for _ in range(AT_ONCE))) for seconds in own]


async def _signed(http: aiohttp.ClientSession, feed: str) -> float:
    """Seconds of one call; RuntimeError where the dangerous drugs have no cards."""
    began = time.perf_counter()
    async with http.post(_SERVICE, json=_request(feed)) as answer:
        cards = (await answer.json())["cards"]
    seconds = time.perf_counter() - began
    if not {"critical", "warning"} <= {each["indicator"] for each in cards}:
        raise RuntimeError("the drugs have no cards")
    return seconds


def _request(feed: str) -> dict[str, Any]:
    drafts = [
        {"resourceType": "MedicationRequest", "id": str(n), "medicationCodeableConcept": {"text": drug}}
        for n, drug in enumerate(_DRUGS)
    ]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": each} for each in drafts]}
    context = {"userId": "Practitioner/1", "patientId": f"1@{feed}", "draftOrders": bundle}
    return {"hook": "order-sign", "hookInstance": str(uuid.uuid4()), "context": context}
