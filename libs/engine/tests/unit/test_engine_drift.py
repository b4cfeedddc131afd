import asyncio
import json
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import torch
from engine.batch import Scheduler
from engine.drift import Gap, gap
from engine.grammar import Grammars
from engine.llama import Llama, Runner, training_log_probs
from engine.request import Chunk, FinishReason, Request
from engine.rescoring import Rescoring
from engine.versions.check import Ask, CandidateRefusedError, Turn, measure, recorded
from engine.versions.server import Served
from engine.waiting import Capacity
from engine.worker import Worker

TURNS = [Turn(tuple(range(2, 40)), (7, 50, 51, 9)), Turn((60, 61), (62, 63, 64))]
SHA256 = "ab" * 32


@contextmanager
def serving(network: Llama, grammars: Grammars) -> Iterator[Ask]:
    """The engine in this process, asked as Triton would be."""

    async def ask(request: Request) -> Served:
        loop, whole = asyncio.get_running_loop(), Chunk()
        done: asyncio.Future[None] = loop.create_future()

        def emit(chunk: Chunk | Exception) -> None:
            assert isinstance(chunk, Chunk)
            whole.extend(chunk)
            if chunk.finish_reason:
                loop.call_soon_threadsafe(done.set_result, None)

        worker.submit(request, emit)
        await done
        return Served(tuple(whole.output_ids), tuple(whole.log_probs), SHA256, "1")

    with Worker(Scheduler(Runner(network, 6, 200), grammars, Capacity(active=4, prefill=16))) as worker:
        yield ask


def test_the_gap_is_that_of_all_tokens_together() -> None:
    whole = gap([-1.0, -2.0], [-1.0, -2.5]).joined(gap([-3.0], [-2.9]))
    assert whole.tokens == 3
    assert whole.largest == pytest.approx(0.5)
    assert whole.mean == pytest.approx(0.2)


@pytest.mark.parametrize("broken", [math.nan, -math.inf])
def test_a_log_probability_that_is_no_number_is_never_a_small_gap(broken: float) -> None:
    assert not gap([-1.0, broken], [-1.0, -2.0]).small
    assert not Gap().joined(gap([broken], [-1.0])).joined(gap([-1.0], [-1.0])).small


async def test_a_candidate_that_serves_what_was_trained_passes(network: Llama, grammars: Grammars) -> None:
    with serving(network, grammars) as ask:
        found = await measure(ask, partial(training_log_probs, network), SHA256, TURNS)
    assert found.small
    assert found.tokens >= sum(len(turn.action_ids) for turn in TURNS)


async def test_a_candidate_that_serves_other_numbers_is_refused_with_the_figure(
    network: Llama, grammars: Grammars
) -> None:
    trained = Llama(network.config)
    trained.load_state_dict(network.state_dict())
    with torch.no_grad():
        trained.model.norm.weight.mul_(1.01)
    with serving(network, grammars) as ask, pytest.raises(CandidateRefusedError, match=r"largest gap 0\.\d+ over"):
        await measure(ask, partial(training_log_probs, trained), SHA256, TURNS)


async def test_a_server_that_answers_with_another_model_is_refused(network: Llama, grammars: Grammars) -> None:
    with serving(network, grammars) as ask, pytest.raises(CandidateRefusedError, match="serves abababababab where"):
        await measure(ask, partial(training_log_probs, network), "cd" * 32, TURNS)


def test_recorded_turns_of_another_vocabulary_are_refused_with_what_to_do(tmp_path: Path) -> None:
    assert all(turn.observation_ids and turn.action_ids for turn in recorded(None, 49152))
    with pytest.raises(CandidateRefusedError, match="--recorded"):
        recorded(None, 320)
    file = tmp_path / "turns.json"
    file.write_text(json.dumps([{"observation_ids": [1, 2], "action_ids": [3]}]))
    assert recorded(file, 320) == [Turn((1, 2), (3,))]


def finished(*log_probs: float) -> Chunk:
    count = len(log_probs)
    return Chunk([9] * count, list(log_probs), [1.0] * count, [False] * count, FinishReason.LENGTH)


def test_one_in_n_finished_requests_is_scored_again() -> None:
    scored: list[tuple[int, ...]] = []
    done = threading.Event()

    def score(observation_ids: Sequence[int], action_ids: Sequence[int]) -> list[float]:
        scored.append(tuple(observation_ids))
        done.set()
        return [-1.0, -2.5]

    heard: list[object] = []
    rescoring = Rescoring(score, lambda: True, every=3)
    for number in range(5):
        request = Request((number,), 2)
        rescoring.watched(request, heard.append)(finished(-1.0, -2.0))
        rescoring.watched(request, heard.append)(finished(-1.0))  # who only asks which model serves
    assert done.wait(10)
    assert len(heard) == 10
    assert scored == [(2,)]


def test_nothing_is_scored_again_while_requests_run() -> None:
    idle, scored = threading.Event(), threading.Event()

    def score(*_: object) -> list[float]:
        scored.set()
        return [-1.0, -2.0]

    Rescoring(score, idle.is_set, every=1).watched(Request((1,), 2), lambda _: None)(finished(-1.0, -2.0))
    assert not scored.wait(0.3)
    idle.set()
    assert scored.wait(10)


def test_without_a_share_nothing_is_watched() -> None:
    def emit(_: object) -> None: ...

    assert Rescoring(lambda *_: [], lambda: True, every=0).watched(Request((1,), 2), emit) is emit
