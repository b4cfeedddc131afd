"""The runtime with the real tokenizer, the real masks and the real model, in process."""

import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from engine import Chunk, ModelFolder, Request, Sampling, open_folder
from engine.batch import Scheduler
from engine.convert import convert
from engine.grammar import Grammars
from engine.llama import Runner, load
from engine.sampling import Logits
from engine.segment import Segment
from engine.waiting import Capacity
from harness import CallTool, Consultation, Generate, Generated, ModelPin, Replay, Tokenizer, ToolResult
from harness.protocol import Answer, Round
from longitude.record.v1.context_pb2 import Context

AT = datetime(2026, 3, 1, tzinfo=UTC)
MODELS = Path(__file__).resolve().parents[4] / "var" / "models"


@pytest.fixture(scope="module")
def folder() -> ModelFolder:
    return open_folder(convert(MODELS))


@pytest.fixture(scope="module")
def smollm2(folder: ModelFolder) -> Tokenizer:
    return Tokenizer.from_json(folder.tokenizer.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def grammars(folder: ModelFolder) -> Grammars:
    return Grammars(folder.tokenizer, folder.config.vocab_size, [folder.config.eos_token_id])


@pytest.fixture(scope="module")
def runner(folder: ModelFolder) -> Runner:
    return Runner(load(folder), slots=8, context=2048)


class Contrary:
    """The network with its preferences turned round: greedy decoding takes the worst allowed token."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.slots, self.context, self.vocabulary = runner.slots, runner.context, runner.vocabulary

    def forward(self, segments: list[Segment]) -> list[Logits]:
        return [-logits for logits in self._runner.forward(segments)]

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        self._runner.copy_prefix(source, target, length)


class Engine:
    """Answers a round by running all its requests in one batch."""

    def __init__(self, network: Any, grammars: Grammars) -> None:
        self._scheduler = Scheduler(network, grammars, Capacity(active=6))
        self.tokens = 0

    def answers(self, pending: Round) -> list[Answer]:
        chunks = [Chunk() for _ in pending.requests]
        for request, chunk in zip(pending.requests, chunks, strict=True):
            if isinstance(request, Generate):
                prepared = self._scheduler.prepare(_asked(request), chunk.extend)  # type: ignore[arg-type]
                self._scheduler.submit(prepared)
        while self._scheduler.step():
            pass
        self.tokens += sum(len(chunk.output_ids) for chunk in chunks)
        return [_answer(request, chunk) for request, chunk in zip(pending.requests, chunks, strict=True)]


def _asked(request: Generate) -> Request:
    sampling = Sampling(request.temperature, request.top_p, request.seed)
    return Request(request.input_ids, request.max_tokens, sampling, request.grammar, request.stop_ids)


def _answer(request: Generate | CallTool, chunk: Chunk) -> Answer:
    if isinstance(request, CallTool):
        return ToolResult(Context())
    return Generated(
        output_ids=tuple(chunk.output_ids),
        log_probs=tuple(chunk.log_probs),
        allowed_mass=tuple(chunk.allowed_mass),
        forced=tuple(chunk.forced),
        finish_reason=str(chunk.finish_reason),
    )


def consultation(story: Any, folder: ModelFolder, tokenizer: Tokenizer, seed: int = 0) -> Consultation:
    return Consultation("episode-1", story.inputs, ModelPin(folder.name, folder.sha256), tokenizer, seed=seed)


def refusals(run: Consultation) -> list[str]:
    return [step.decision.reason for step in run.recorded.steps if step.decision.what.startswith("refused")]


def drive_with(run: Consultation, engine: Engine) -> Consultation:
    pending = run.start(AT)
    while not pending.finished:
        pending = run.resume(engine.answers(pending), AT)
    return run


def test_the_mask_allows_exactly_what_the_guard_lets_through(
    any_story: Any, folder: ModelFolder, smollm2: Tokenizer, grammars: Grammars, drive: Any
) -> None:
    """Random walks through xgrammar's masks, without a network: each is an action, none is refused."""
    actions = 0
    for seed in range(150):
        chance = random.Random(seed)

        def choose(request: Generate, chance: random.Random = chance) -> Generated:
            if not request.grammar:
                return Generated((), (), (), (), "stop")
            state, ids = grammars.start(request.grammar), []
            while not state.ended:
                ids.append(int(chance.choice(state.allowed())))
                state.accept(ids[-1])
            assert len(ids) <= request.max_tokens
            count = len(ids)
            return Generated(tuple(ids), (0.0,) * count, (1.0,) * count, (False,) * count, "grammar_end")

        run = drive(choose).drive(consultation(any_story(seed), folder, smollm2, seed))
        assert refusals(run) == []
        actions += sum(step.decision.reason == "allowed" for step in run.recorded.steps)
    assert actions > 300


def test_the_worst_tokens_of_the_model_are_still_allowed_actions(
    story: Any, folder: ModelFolder, smollm2: Tokenizer, grammars: Grammars, runner: Runner
) -> None:
    run = drive_with(consultation(story, folder, smollm2), Engine(Contrary(runner), grammars))
    assert refusals(run) == []
    assert any(step.decision.reason == "allowed" for step in run.recorded.steps)


def test_an_episode_of_the_model_replays_token_for_token(
    story: Any, folder: ModelFolder, smollm2: Tokenizer, grammars: Grammars, runner: Runner
) -> None:
    story.inputs.policy.temperature = 0.9
    story.inputs.policy.prose_tokens = 20
    run = drive_with(consultation(story, folder, smollm2, seed=3), Engine(runner, grammars))
    assert refusals(run) == []
    episode = run.close(AT)
    again, engine = Replay(episode, ModelPin(folder.name, folder.sha256), smollm2), Engine(runner, grammars)
    pending = again.start()
    while not pending.finished:
        pending = again.resume(engine.answers(pending))


def test_a_follow_up_is_drafted_within_its_budgets(
    story: Any, folder: ModelFolder, smollm2: Tokenizer, grammars: Grammars, runner: Runner
) -> None:
    engine, started = Engine(runner, grammars), time.perf_counter()
    run = drive_with(consultation(story, folder, smollm2), engine)
    seconds = time.perf_counter() - started
    turns = sum(step.WhichOneof("content") == "turn" for step in run.recorded.steps)
    print(f"a follow-up in process: {seconds:.1f} s, {turns} turns, {engine.tokens} tokens")
    assert run.outcome.statements
    assert run.outcome.degraded == ()
