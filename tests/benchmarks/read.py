"""CPU of reading one message: characters, parse, and everything that it says as facts with their ids.

Beside it in the same run: python-hl7's bare parse of the same messages, which says nothing about what they mean.
Batches of both take turns, so that what else runs on the machine slows both.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import TypeVar

import hl7
from ingestion.domain.reading import Feed, read

from tests.benchmarks.load import message
from tests.results import Result

T = TypeVar("T")
FULL, SHORT = 1000, 20
ROUNDS = 9


def run(messages: int = FULL) -> Result:
    """Medians over the rounds, after one that does not count."""
    payloads = [message(number) for number in range(messages)]
    texts = [payload.decode() for payload in payloads]
    feed, now = Feed(), datetime.now(UTC)
    facts = len(read(payloads[0], now, feed).content.facts)
    ours, peer = [], []
    for _ in range(ROUNDS + 1):
        ours.append(_cpu_ms(lambda payload: read(payload, now, feed), payloads))
        peer.append(_cpu_ms(hl7.parse, texts))
    cost, bare = median(ours[1:]), median(peer[1:])
    return Result(
        name="read",
        n=messages * ROUNDS,
        figures={"cpu_ms_per_message": cost, "facts_per_message": facts, "ratio_to_python_hl7_parse": bare / cost},
        peers={"python-hl7 bare parse": {"cpu_ms_per_message": bare}},
        note=f"1.2 kB, 11 results; median of {ROUNDS} rounds that take turns; the ratio is how many times as fast",
    )


def _cpu_ms(work: Callable[[T], object], inputs: Sequence[T]) -> float:
    began = time.process_time()
    for each in inputs:
        work(each)
    return (time.process_time() - began) / len(inputs) * 1000
