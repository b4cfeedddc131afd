"""Every bench runs to its end in a short form, on the system that all tests share; no figure is asserted.

What is measured beside is as short as what is measured, so that both stand for the same work.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from testkit.running import RunningStack

from tests.benchmarks import (
    answers,
    assessment,
    cards,
    concerns,
    context,
    find,
    identity,
    mllp,
    read,
    reasoner,
    record,
    rollouts,
    start,
    timeline,
    training,
    visible,
)
from tests.benchmarks.__main__ import BENCHES
from tests.benchmarks.stacks import Stacks
from tests.results import Result, keep

SHORT: dict[str, Callable[[Stacks], Result]] = {
    "concerns": partial(concerns.run, size=concerns.SHORT),
    "read": lambda _: read.run(read.SHORT),
    "mllp": partial(mllp.run, size=mllp.SHORT),
    "visible": partial(visible.run, messages=visible.SHORT),
    "record": partial(record.run, size=record.SHORT),
    "timeline": partial(timeline.run, sizes=timeline.SHORT),
    "context": partial(context.run, sizes=context.SHORT),
    "find": partial(find.run, sizes=find.SHORT),
    "identity": lambda _: identity.run(identity.SHORT),
    "reasoner": partial(reasoner.run, size=reasoner.SHORT),
    "answers": lambda _: answers.run(answers.SHORT),
    "assessment": partial(assessment.run, questions=assessment.SHORT),
    "cards": partial(cards.run, sizes=cards.SHORT),
    "training": lambda _: training.run(training.SHORT),
    "rollouts": lambda _: rollouts.run(rollouts.SHORT),
    "start": lambda _: start.run(start.SHORT),
}
# What the README tells of each.
FIGURES = {
    "concerns": {
        "fact_to_concern_p50_ms_at_10_per_s",
        "fact_to_concern_p99_ms_at_100_per_s",
        "not_opened_at_100_per_s",
        "look_ms_4_times_the_rows",
    },
    "identity": {"tls_cpu_us", "tls_and_token_cpu_us", "token_verified_cpu_us"},
    "read": {"cpu_ms_per_message", "ratio_to_python_hl7_parse"},
    "mllp": {
        "durable_messages_per_s_16_connections",
        "durable_messages_per_s_128_connections",
        "durable_messages_per_s_16_connections_two_replicas",
        "durable_messages_per_s_one_connection",
        "ack_p99_ms_at_half_rate",
        "ratio_to_hapi_16_connections",
    },
    "visible": {
        "ack_to_fact_p50_ms",
        "ack_to_fact_p99_ms",
        "ack_to_fact_p99_ms_at_300_per_s",
        "ratio_to_kafka_round_trip_p50",
    },
    "record": {"messages_per_s", "facts_per_s", "ratio_to_copy"},
    "timeline": {"page_ms_200", "all_pages_ms_200", "page_ratio_to_sql_200"},
    "context": {"context_ms_200", "as_of_ms_200", "context_ratio_to_sql_200"},
    "find": {"by_code_ms_200", "by_words_ms_200", "by_code_ratio_to_sql_200"},
    "reasoner": {"tokens_per_s_1", "first_token_ms_1", "through_triton_ratio_1"},
    "answers": {"p50_s_100", "slowest_s_300", "ratio_of_300_to_100", "share_inquire_300", "share_gate_300"},
    "assessment": {"p50_s", "first_progress_p50_s", "share_model", "share_verification", "grammar_share_of_a_token"},
    "cards": {"p50_ms_80", "p95_ms_80", "p95_ms_at_once_80"},
    "training": {"cpu_s_per_step", "times_as_fast_as_one_by_one", "ratio_to_bare"},
    "rollouts": {"rollouts_per_cpu_s", "ratio_to_bare"},
    "start": {"install_s", "stack_up_s", "postgres_ready_s"},
}
BESIDE = {
    "answers": 1,
    "cards": 1,
    "read": 1,
    "mllp": 3,
    "visible": 1,
    "record": 1,
    "timeline": 1,
    "context": 1,
    "find": 1,
    "identity": 1,
    "reasoner": 1,
    "training": 2,
    "rollouts": 1,
}


@pytest.fixture
def stacks(stack: RunningStack) -> Stacks:
    """The shared system, whatever parts are asked for."""

    @contextmanager
    def running(parts: Sequence[str], models: Sequence[str]) -> Iterator[dict[str, str]]:
        yield stack.endpoints

    return running


def test_every_bench_has_a_short_form() -> None:
    assert SHORT.keys() == FIGURES.keys() == BENCHES.keys()


@pytest.mark.parametrize("name", list(SHORT))
def test_a_bench_runs_to_its_end_and_leaves_its_figures(name: str, stacks: Stacks, tmp_path: Path) -> None:
    result = SHORT[name](stacks)
    written = json.loads(keep(result, f"make bench BENCH={name}", tmp_path).read_text())
    assert written.keys() >= {"name", "figures", "n", "seed", "commit", "command", "peers"}
    assert written["figures"].keys() >= FIGURES[name]
    assert len(written["peers"]) == BESIDE.get(name, 0)
    beside = [value for figures in written["peers"].values() for value in figures.values()]
    assert all(map(math.isfinite, [*written["figures"].values(), *beside]))
