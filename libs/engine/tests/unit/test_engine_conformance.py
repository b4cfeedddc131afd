"""One contract, whichever engine keeps it: torch here; vLLM where there is a GPU and `libs/engine[vllm]`.

The third engine is our whole vLLM path except vLLM: its scheduler, courses and chooser, over a network that is stepped
as vLLM steps one - one token a step, long inputs in parts, rows that move.
"""

import importlib.util
import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from engine import BusyError, Chunk, FinishReason, Request, RequestRefusedError, Sampling, open_folder
from engine.batch import Scheduler
from engine.grammar import GrammarError, Grammars
from engine.llama import Llama, Runner, load, training_log_probs
from engine.sampling import choose
from engine.segment import Segment
from engine.serving import Engine, Running, serve
from engine.serving import grammars as grammars_of
from engine.vllm.chooser import Chooser
from engine.vllm.course import Course
from engine.vllm.sampling import Row, choose_rows
from engine.vllm.scheduler import Stepped, VllmScheduler
from engine.waiting import Capacity
from engine.worker import EngineStoppedError, Worker

SMOLLM2 = Path(__file__).resolve().parents[4] / "var" / "models" / "smollm2"
SETTING = {
    "ENGINE": "vllm",
    "PRECISION": "float32",
    "THREADS": "2",
    "ACTIVE": "4",
    "SLOTS": "6",
    "QUEUE": "3",
    "CONTEXT": "2048",
    "GPU_MEMORY": "0.3",
}
LIMITS = Capacity(active=4, queue=3)
CONTEXT = 2000
GRAMMAR = 'root ::= "yes, " [a-z]{1,6} | "no"'
PROMPT = tuple(range(40, 77))


@dataclass(frozen=True)
class Under:
    """An engine under test, and what it must agree with."""

    engine: Engine
    network: Llama
    grammars: Grammars


class SteppedNetwork:
    """The torch network as vLLM would step it. Rows of the batch are turned round at every step."""

    context = CONTEXT

    def __init__(self, network: Llama, courses: dict[str, Course]) -> None:
        self.vocabulary = network.config.vocab_size
        self._network, self._chooser = network, Chooser(courses)
        self._ids: dict[str, list[int]] = {}
        self._most: dict[str, int] = {}
        self._seen: dict[str, int] = {}

    def add(self, name: str, input_ids: Sequence[int], max_tokens: int) -> None:
        self._ids[name], self._seen[name] = list(input_ids), 0
        self._most[name] = len(input_ids) + max_tokens

    def abort(self, name: str) -> None:
        self._ids.pop(name, None)

    def step(self) -> list[Stepped]:
        names = [*self._ids][::-1]
        self._chooser.requests = dict(enumerate(names))
        for name in names:
            self._seen[name] = min(len(self._ids[name]), self._seen[name] + 24)
        segments = [Segment(0, 0, self._ids[name][: self._seen[name]], 1) for name in names]
        with torch.inference_mode():
            logits = torch.cat([self._network([segment]) for segment in segments])
            tokens = self._chooser.apply(logits).argmax(-1).tolist()
        return [self._made(name, token) for name, token in zip(names, tokens, strict=True) if self._is_read(name)]

    def _is_read(self, name: str) -> bool:
        return self._seen[name] == len(self._ids[name])

    def _made(self, name: str, token: int) -> Stepped:
        self._ids[name].append(token)
        return Stepped(name, [token], finished=len(self._ids[name]) == self._most[name], reused=0)


@pytest.fixture(params=["torch", "ours around vllm", "vllm"])
def under(request: pytest.FixtureRequest, network: Llama, grammars: Grammars) -> Iterator[Under]:
    if request.param == "vllm":
        yield from _on_a_gpu()
        return
    with started(request.param, network, grammars) as engine:
        yield Under(engine, network, grammars)


@contextmanager
def started(name: str, network: Llama, grammars: Grammars) -> Iterator[Engine]:
    if name == "torch":
        with Worker(Scheduler(Runner(network, 6, CONTEXT), grammars, LIMITS)) as worker:
            yield worker
        return
    courses: dict[str, Course] = {}
    around = SteppedNetwork(network.eval(), courses)
    with Worker(VllmScheduler(around, courses, grammars, LIMITS)) as worker:
        yield worker


def _on_a_gpu() -> Iterator[Under]:
    if importlib.util.find_spec("vllm") is None or not torch.cuda.is_available():
        pytest.skip("NOT RUN: vLLM needs a GPU and `uv pip install libs/engine[vllm]`")
    folder = open_folder(SMOLLM2)
    served = serve(SETTING, folder)
    yield Under(served.engine, load(folder), grammars_of(folder))
    served.engine.close()


def ask(engine: Engine, *requests: Request) -> list[Chunk]:
    """All at once; each answer whole."""
    return [joined(received) for received in [submitted(engine, request) for request in requests]]


def submitted(engine: Engine, request: Request) -> "queue.Queue[Chunk | Exception]":
    received: queue.Queue[Chunk | Exception] = queue.Queue()
    engine.submit(request, received.put)
    return received


def joined(received: "queue.Queue[Chunk | Exception]") -> Chunk:
    whole = Chunk()
    while whole.finish_reason is None:
        chunk = received.get(timeout=120)
        if isinstance(chunk, Exception):
            raise chunk
        whole.extend(chunk)
    return whole


def drawn(seed: int, tokens: int = 8, grammar: str = "", prompt: tuple[int, ...] = PROMPT) -> Request:
    return Request(prompt, tokens, Sampling(temperature=0.9, top_p=0.95, seed=seed), grammar)


def test_log_probabilities_are_those_of_the_training_forward(under: Under) -> None:
    asked = [drawn(1), drawn(2, prompt=PROMPT[:9]), drawn(3, grammar=GRAMMAR), Request(PROMPT, 6)]
    for request, answer in zip(asked, ask(under.engine, *asked), strict=True):
        trained = training_log_probs(under.network, request.input_ids, answer.output_ids)
        assert np.abs(np.subtract(trained, answer.log_probs)).max() < 0.01


def test_allowed_mass_is_what_the_full_distribution_gave_the_grammar(under: Under) -> None:
    (answer,) = ask(under.engine, drawn(5, 12, GRAMMAR))
    state, ids = under.grammars.start(GRAMMAR), list(PROMPT)
    for token, mass, forced in zip(answer.output_ids, answer.allowed_mass, answer.forced, strict=True):
        allowed = state.allowed()
        with torch.inference_mode():
            expected = under.network([Segment(0, 0, ids, 1)])[0].softmax(-1)[allowed].sum().item()
        assert token in allowed
        assert mass == pytest.approx(expected, abs=1e-3)
        assert forced == (len(allowed) == 1)
        state.accept(token)
        ids.append(token)
    assert answer.finish_reason is FinishReason.GRAMMAR_END


def test_without_a_grammar_everything_is_allowed_and_nothing_forced(under: Under) -> None:
    (answer,) = ask(under.engine, drawn(7))
    assert set(answer.allowed_mass) == {1.0}
    assert not any(answer.forced)


def test_the_same_seed_gives_the_same_tokens_alone_and_beside_others(under: Under) -> None:
    (alone,) = ask(under.engine, drawn(11))
    together = ask(under.engine, *(drawn(seed) for seed in (11, 12, 13, 11)))
    assert alone.output_ids == together[0].output_ids == together[3].output_ids
    assert len({tuple(answer.output_ids) for answer in together}) == 3


def test_outputs_end_for_the_reason_given(under: Under) -> None:
    (free,) = ask(under.engine, drawn(4, 4))
    assert (free.finish_reason, len(free.output_ids)) == (FinishReason.LENGTH, 4)
    stop = free.output_ids[-1]
    (stopped,) = ask(under.engine, replace(drawn(4, 9), stop_ids=(stop,)))
    assert (stopped.finish_reason, stopped.output_ids[-1]) == (FinishReason.STOP, stop)
    (fixed,) = ask(under.engine, Request(PROMPT, 9, grammar="root ::= Token(17) Token(18) Token(19)"))
    assert (fixed.finish_reason, fixed.output_ids) == (FinishReason.GRAMMAR_END, [17, 18, 19])
    assert fixed.forced == [True, True, True]


def test_tokens_are_streamed_and_a_cancelled_request_ends_while_others_go_on(under: Under) -> None:
    heard: queue.Queue[Chunk | Exception] = queue.Queue()
    running = under.engine.submit(Request(PROMPT, 1900), heard.put)
    other = submitted(under.engine, Request(PROMPT, 12))
    first = heard.get(timeout=60)
    assert isinstance(first, Chunk)
    assert first.finish_reason is None
    running.cancel()
    assert joined(heard).finish_reason is FinishReason.CANCELLED
    assert len(joined(other).output_ids) == 12


def test_more_than_may_wait_are_told_that_it_is_busy(under: Under) -> None:
    running: list[Running] = []
    with pytest.raises(BusyError, match="try again later"):
        running.extend(under.engine.submit(Request(PROMPT, 1900), lambda _: None) for _ in range(50))
    assert len(running) >= LIMITS.active + LIMITS.queue


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"max_tokens": 4000}, RequestRefusedError),
        ({"input_ids": (70000,)}, RequestRefusedError),
        ({"grammar": "root ::= missing"}, GrammarError),
    ],
)
def test_what_can_never_be_served_is_refused_at_once(
    under: Under, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        under.engine.submit(replace(Request((1, 2), 4), **changes), lambda _: None)


def test_closing_ends_what_runs_with_an_error(under: Under) -> None:
    received = [submitted(under.engine, Request(PROMPT, 1900)) for _ in range(6)]
    received[0].get(timeout=60)
    under.engine.close()
    for each in received:
        with pytest.raises(EngineStoppedError):
            joined(each)


def test_the_engines_choose_the_same_tokens(network: Llama, grammars: Grammars) -> None:
    """With one seed: ours around vLLM beside torch. (On a GPU rounding differs, and tokens near a border may too.)"""
    asked = [drawn(seed, 8, GRAMMAR if seed % 2 else "") for seed in range(7)]
    with started("torch", network, grammars) as engine:
        one = ask(engine, *asked)
    with started("ours around vllm", network, grammars) as engine:
        other = ask(engine, *asked)
    assert [chunk.output_ids for chunk in one] == [chunk.output_ids for chunk in other]
    assert [chunk.forced for chunk in one] == [chunk.forced for chunk in other]
    assert [chunk.finish_reason for chunk in one] == [chunk.finish_reason for chunk in other]
    for mine, theirs in zip(one, other, strict=True):
        assert np.allclose(mine.log_probs, theirs.log_probs, atol=1e-3)
        assert np.allclose(mine.allowed_mass, theirs.allowed_mass, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_choosing_in_a_batch_is_choosing_one_by_one(dtype: torch.dtype) -> None:
    chance = np.random.default_rng(8)
    logits = torch.tensor(chance.normal(0, 4, (60, 500)), dtype=dtype)
    samplings = [Sampling(*each) for each in ((0.0, 1.0, 0), (1.0, 1.0, 3), (0.7, 0.9, 4), (1.5, 0.3, 5))]
    rows = [Row(_allowed(chance, number), samplings[number % 4], number) for number in range(60)]
    expected = [choose(mine.numpy(), r.allowed, r.sampling, r.position) for mine, r in zip(logits, rows, strict=True)]
    for mine, theirs in zip(choose_rows(logits, rows), expected, strict=True):
        assert mine.token == theirs.token
        assert mine.log_prob == pytest.approx(theirs.log_prob, abs=1e-5)
        assert mine.allowed_mass == pytest.approx(theirs.allowed_mass, abs=1e-5)


def _allowed(chance: np.random.Generator, number: int) -> npt.NDArray[np.intp] | None:
    """Nothing forbidden, or one, few or many tokens allowed."""
    count = (0, 1, 7, 300)[number // 4 % 4]
    return np.sort(chance.choice(500, count, replace=False)) if count else None
