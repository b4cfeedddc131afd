"""What rules, grammar and verification cost by themselves: the same code over the same stories, in this process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from consult import assess, draft_rules, gate, merge, speak
from engine.grammar import Grammars
from grounding import Verifier
from harness import Consultation, Generate, Generated, ModelPin
from testkit.stories import Story

from tests.evals.episodes import Case, case, folder, play
from tests.evals.players import Chooser, at_random


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one assessment for `rules` and `verification`, of one token for `compile` and `mask`."""

    rules_s: float
    verification_s: float
    compile_s: float
    mask_s: float


class Recorder:
    """Plays at random and keeps what was asked and answered."""

    def __init__(self, player: Chooser) -> None:
        self.pin: ModelPin = player.pin
        self.played: list[tuple[Generate, Generated]] = []
        self._player = player

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        answers = self._player.generate(asked)
        self.played += zip(asked, answers, strict=True)
        return answers


def costs(stories: Sequence[Story]) -> Costs:
    """Means over the stories. Episodes are played at random: their grammars are those of the service."""
    cases, recorder = [case(told.seed) for told in stories], Recorder(at_random())
    rules = sum(_seconds(partial(_speak, owner)) for owner in cases)
    runs = play(cases, recorder)
    verification = sum(_seconds(partial(_verify, owner, run)) for owner, run in zip(cases, runs, strict=True))
    compiling, filling, tokens = _grammar(recorder.played)
    return Costs(rules / len(cases), verification / len(cases), compiling / tokens, filling / tokens)


def _speak(owner: Case) -> None:
    record, sources = owner.record, owner.prepared.sources
    merge(draft_rules(speak(sources, owner.story.question, record.concerning, record.signed_at), sources))


def _verify(owner: Case, run: Consultation) -> None:
    """What the rules said, before the model reads it; then everything."""
    gate(owner.prepared.drafted, Verifier(owner.prepared.sources), "rules")
    assess(owner.prepared, run.outcome)


def _grammar(played: Sequence[tuple[Generate, Generated]]) -> tuple[float, float, int]:
    """Seconds to compile and to fill masks, and over how many tokens. A grammar is compiled once, as in the service.

    Free text has no grammar, and so costs nothing here; its tokens count.
    """
    config = folder().config
    grammars = Grammars(folder().tokenizer, config.vocab_size, [config.eos_token_id])
    compiling = filling = 0.0
    tokens = 0
    for asked, answer in played:
        tokens += len(answer.output_ids)
        if not asked.grammar:
            continue
        began = time.perf_counter()
        state = grammars.start(asked.grammar)
        compiling += time.perf_counter() - began
        for token in answer.output_ids:
            filling += _seconds(state.allowed)
            state.accept(token)
    return compiling, filling, tokens


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
