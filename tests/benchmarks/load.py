"""A load of result messages for MLLP, and connections that send it and wait for every acknowledgement."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from testkit.mllp import MllpClient

# Of a feed; they take turns.
PATIENTS = 500
# 1.2 kB, the size of a small panel: what Kafka's own producer is measured with beside it.
_OBX = "OBX|{n}|NM|2160-0^Creatinine^LN|{n}|{value:.2f}|mg/dL|0.5-1.1||||F|||20260301103000\r"


def new_feed() -> str:
    """A sending hospital that no stack has heard of: nothing that it sends is known already."""
    return uuid.uuid4().hex[:8].upper()


def patient(number: int) -> str:
    """The record number of the patient whom a message of the load is about."""
    return f"{number % PATIENTS + 1:06d}"


def message(number: int, feed: str = "BENCH", size: int = 1200) -> bytes:
    """An ORU^R01 of `size` bytes with its own control id and one of the feed's patients, who take turns."""
    sent = datetime(2026, 3, 1, 10, 30) + timedelta(seconds=number // PATIENTS)  # noqa: DTZ001 - HL7 local time
    head = (
        f"MSH|^~\\&|BENCH|{feed}|HUB|HUB|{sent:%Y%m%d%H%M%S}||ORU^R01^ORU_R01|B{number:09d}|P|2.5.1\r"
        f"PID|1||{patient(number)}^^^{feed}^MR||Testperson^Load||19500101|F\r"
        f"OBR|1|P{number}|F{number}|24323-8^Comprehensive metabolic panel^LN|||20260301103000\r"
    )
    results = "".join(_OBX.format(n=n, value=0.8 + (number + n) % 40 / 10) for n in range(1, 12))
    text = head + results
    return (text + "NTE|1||" + "." * max(0, size - len(text) - 8) + "\r").encode()[:size]


async def acknowledged_per_second(endpoints: Sequence[str], count: int, connections: int) -> tuple[float, list[float]]:
    """Messages per second over all connections, one outstanding on each, and every message's seconds to its ACK.

    Several endpoints are replicas, which share the connections.
    """
    seconds: list[float] = []
    feed = new_feed()

    async def connection(numbers: range, endpoint: str) -> None:
        async with MllpClient(endpoint) as client:
            for number in numbers:
                began = time.perf_counter()
                answer = await client.send(message(number, feed))
                seconds.append(time.perf_counter() - began)
                if b"MSA|AA" not in answer:
                    raise RuntimeError(f"not acknowledged: {answer[:200]!r}")

    share = count // connections
    began = time.perf_counter()
    await asyncio.gather(
        *(connection(range(n * share, (n + 1) * share), endpoints[n % len(endpoints)]) for n in range(connections))
    )
    return share * connections / (time.perf_counter() - began), sorted(seconds)


async def acknowledged_at(endpoint: str, per_second: float, count: int, connections: int) -> list[float]:
    """Every message's seconds from when it was due at this rate to its ACK, ascending; one that waits counts so."""
    seconds: list[float] = []
    feed = new_feed()
    began = time.perf_counter()

    async def connection(first: int) -> None:
        async with MllpClient(endpoint) as client:
            for number in range(first, count, connections):
                due = began + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await client.send(message(number, feed))
                seconds.append(time.perf_counter() - due)

    await asyncio.gather(*map(connection, range(connections)))
    return sorted(seconds)


def percentile(ordered: list[float], share: float) -> float:
    """The value below which `share` of them lie."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
