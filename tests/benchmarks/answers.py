"""From a question to what stands in front of its answer (inquire, find and compose, gate), by the size of the record.

Each question finds the record as memory's answer brings it: parsed anew, nothing remembered. Beside it: parsing and
indexing that record. The records are those of invented charts, told of one patient; a question of each kind is asked.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import count
from statistics import median

from consult import Record, Timeline, gate, merge
from consult.answering import answer, inquire
from consult.front import put_in_front
from grounding import Sources, Verifier
from longitude.record.v1.context_pb2 import Context, RecordedFact
from longitude.record.v1.fact_pb2 import PatientKey
from practice.charts import chart
from testkit.questions import KINDS, questions

from tests.benchmarks.load import percentile
from tests.results import Result

FULL, SHORT = (300, 1_000, 3_000, 10_000), (100, 300)
_PATIENT = PatientKey(id="1", authority="BENCH")
_ASKED_AT = datetime(2026, 9, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one answer, part by part; `read`: of the record before it."""

    read: float
    inquire: float
    find_and_compose: float
    gate: float

    @property
    def whole(self) -> float:
        return self.inquire + self.find_and_compose + self.gate


def run(sizes: Sequence[int] = FULL) -> Result:
    """A question of each kind to a record of each size."""
    timings = {size: _at(size) for size in sizes}
    figures: dict[str, float] = {}
    for size, own in timings.items():
        figures |= {f"{name}_{size}": value for name, value in _figures(own).items()}
    least = sizes[0]
    figures |= {
        f"ratio_of_{size}_to_{least}": figures[f"p50_s_{size}"] / figures[f"p50_s_{least}"] for size in sizes[1:]
    }
    read = {f"p50_s_{size}": median(each.read for each in own) for size, own in timings.items()}
    note = "one after the other, in this process; the rules and the model take no part"
    return Result("answers-by-size", figures, len(KINDS), peers={"parsing and indexing the record": read}, note=note)


def _figures(timings: Sequence[Timing]) -> dict[str, float]:
    whole, parts = sorted(each.whole for each in timings), [each.name for each in fields(Timing) if each.name != "read"]
    shares = {f"share_{part}": sum(getattr(each, part) for each in timings) / sum(whole) for part in parts}
    return {"p50_s": percentile(whole, 0.5), "slowest_s": whole[-1], **shares}


def _at(size: int) -> list[Timing]:
    """The first question is asked once before it counts, so that tables are read."""
    stored = _long_record(size)
    asked = questions("1@BENCH", map(RecordedFact.FromString, stored), 0, len(KINDS))
    timings = [_timed(each.question, stored) for each in (asked[0], *asked)]
    return timings[1:]


def _timed(question: str, stored: Sequence[bytes]) -> Timing:
    began = time.perf_counter()
    sources = _read(stored)
    read = time.perf_counter()
    inquiry = inquire(question, sources)
    inquired = time.perf_counter()
    answered = answer(inquiry, sources)
    composed = time.perf_counter()
    verifier = Verifier(sources)
    gate(merge(put_in_front(answered, [], sources, verifier)), verifier, "bench")
    return Timing(read - began, inquired - read, composed - inquired, time.perf_counter() - composed)


def _read(stored: Sequence[bytes]) -> Sources:
    recorded = [RecordedFact.FromString(each) for each in stored]
    return Record(Timeline(recorded, [_PATIENT]), Context(), (), _ASKED_AT).sources()


def _long_record(size: int) -> list[bytes]:
    """The facts of one chart after the other, as of one patient, until they are enough."""
    stored: list[bytes] = []
    seeds = count()
    while len(stored) < size:
        seed = next(seeds)
        for recorded in chart(seed).facts:
            recorded.fact.fact_id = f"{seed}-{recorded.fact.fact_id}"
            recorded.fact.patient.CopyFrom(_PATIENT)
            stored.append(recorded.SerializeToString())
    return stored[:size]
