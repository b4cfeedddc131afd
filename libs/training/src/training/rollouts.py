"""Consultations of the editor as rollouts: many at once through one scheduler, as in serving, rewarded by span.

Guarantee: token ids, log-probabilities and masks are those of the episode's own turns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from consult import Identity, Model, drive
from consult.rewards import Known, Rewarded, Shown, whole
from harness import CallTool, Consultation, Failed, Generate, Generated, ModelPin, Tokenizer
from harness.roles import MOST_SHOWN
from harness.sources import lettered
from longitude.reasoning.v1.episode_pb2 import EpisodeInputs, ModelTurn

from training.samples import Group, Ids, Rollout, Span, Turn
from training.tasks import Task

# What a list must be worth more than the rules' choice, before a demonstration shows it.
_WORTH_A_CHANGE = 0.05


class Masks(Protocol):
    def allowed(self, grammar: str, action: Ids) -> tuple[Ids, ...]: ...


class Player(Model, Masks, Protocol):
    """Who chooses, and can say what was allowed."""


class _NoTools:
    """An editor reads what it is given."""

    def answer(self, call: CallTool) -> Failed:
        return Failed(f"no tool {call.tool}")


@dataclass(slots=True)
class Playing:
    """An episode of an editor on its way."""

    run: Consultation
    at: datetime
    tools: _NoTools = field(default_factory=_NoTools)


@dataclass(slots=True)
class _Listening:
    """Passes on what is asked, and keeps the grammar of each turn by the sequence before it."""

    model: Model
    grammars: dict[Ids, str] = field(default_factory=dict)

    @property
    def pin(self) -> ModelPin:
        return self.model.pin

    def generate(self, asked: Sequence[Generate]) -> Sequence[Generated | Failed]:
        self.grammars |= {each.input_ids: each.grammar for each in asked}
        return self.model.generate(asked)


def play(
    tasks: Sequence[Task],
    player: Player,
    tokenizer: Tokenizer,
    *,
    size: int,
    temperature: float,
    version: int,
    think: int = 0,
) -> list[Group]:
    """A group of `size` rollouts of each task, all driven together; each draws with a seed of its own. `think`: tokens
    of a scratch before the choices; 0: none.
    """
    begun = [
        _begin(task, player.pin, tokenizer, f"{task.name}/{version}/{number}", temperature, think)
        for task in tasks
        for number in range(size)
    ]
    listening = _Listening(player)
    drive(begun, listening)
    played = [
        rollout(task, one, listening.grammars, player, version)
        for task, one in zip((task for task in tasks for _ in range(size)), begun, strict=True)
    ]
    return [tuple(played[start : start + size]) for start in range(0, len(played), size)]


def demonstrated(tasks: Sequence[Task], masks: Masks, tokenizer: Tokenizer) -> list[Group]:
    """One rollout of each task by an oracle that knows what is right: what a warm start imitates."""
    shown: list[Group] = []
    for task in tasks:
        oracle = _Oracle.of(task, tokenizer)
        one = _begin(task, oracle.pin, tokenizer, task.name, 0.0)
        listening = _Listening(oracle)
        drive([one], listening)
        shown.append((rollout(task, one, listening.grammars, masks, 0),))
    return shown


def best(task: Task) -> tuple[int, ...]:
    """The candidates to show, in order, by what the whole is worth; none where the rules' choice is as good."""
    chosen: list[int] = []
    worth = _worth(task, chosen)
    while len(chosen) < MOST_SHOWN:
        left = (number for number in task.free() if number not in chosen)
        ways = [(_worth(task, [*chosen, number]), -number) for number in left]
        if not ways or max(ways)[0] <= worth:
            break
        worth, number = max(ways)
        chosen.append(-number)
    return tuple(chosen) if worth > accepted(task).reward + _WORTH_A_CHANGE else ()


def accepted(task: Task) -> Rewarded:
    """What the rules' choice is worth, as if a step had chosen it."""
    return whole(task.by_rules(1), task.known)


def rollout(task: Task, driven: Playing, grammars: dict[Ids, str], masks: Masks, version: int) -> Rollout:
    """An episode that has ended, with what it is worth."""
    steps = [(each.index, each.turn) for each in driven.run.recorded.steps if each.WhichOneof("content") == "turn"]
    rewarded = _rewarded(task, driven, steps[-1][0] if steps else 0)
    places = {index: place for place, (index, _) in enumerate(steps)}
    spans = tuple(
        Span(places[each.episode_step], each.reward, each.severity)
        for each in rewarded.credits
        if each.episode_step in places
    )
    turns: list[Turn] = []
    before: Ids = ()
    for _, turn in steps:
        before = (*before, *turn.observation_ids)
        grammar = grammars[before]
        # A scratch has none: everything is allowed.
        turns.append(_turn(turn, masks.allowed(grammar, tuple(turn.action_ids)) if grammar else ()))
        before = (*before, *turn.action_ids)
    return Rollout(
        task=task.name,
        turns=tuple(turns),
        reward=rewarded.reward,
        spans=spans,
        quality=rewarded.quality,
        version=version,
        facts=rewarded.facts,
    )


def _rewarded(task: Task, driven: Playing, last: int) -> Rewarded:
    """Where nothing was chosen, the turn that finished chose what the rules show. `last`: the last turn."""
    chosen = driven.run.outcome.shown
    finished = last if any(each.decision.action.HasField("finish") for each in driven.run.recorded.steps) else 0
    if not chosen:
        return whole(task.by_rules(finished), task.known)
    shown = [*task.mandatory(), *(task.candidate(each.number, each.step) for each in chosen)]
    return whole(shown, task.known, finished=finished)


def _worth(task: Task, numbers: Sequence[int]) -> float:
    shown: list[Shown] = [*task.mandatory(), *(task.candidate(number, 1 + n) for n, number in enumerate(numbers))]
    known: Known = task.known
    return whole(shown, known).reward if numbers else 0.0


def _begin(task: Task, pin: ModelPin, tokenizer: Tokenizer, name: str, temperature: float, think: int = 0) -> Playing:
    inputs = EpisodeInputs()
    inputs.CopyFrom(task.inputs)
    inputs.policy.temperature, inputs.policy.think_tokens = temperature, think
    identity = Identity.of(name)
    run = Consultation(identity.episode_id, inputs, pin, tokenizer, seed=identity.seed)
    return Playing(run, task.asked_at)


def _turn(turn: ModelTurn, allowed: tuple[Ids, ...]) -> Turn:
    return Turn(
        observation_ids=tuple(turn.observation_ids),
        action_ids=tuple(turn.action_ids),
        log_probs=tuple(turn.log_probs),
        allowed_mass=tuple(turn.allowed_mass),
        forced=tuple(turn.forced),
        allowed=allowed,
    )


@dataclass(slots=True)
class _Oracle:
    """Writes down actions, then finishes; of its log-probabilities nothing is known."""

    actions: Iterator[str]
    tokenizer: Tokenizer
    pin: ModelPin = field(default_factory=lambda: ModelPin("oracle", "0" * 64))

    @classmethod
    def of(cls, task: Task, tokenizer: Tokenizer) -> "_Oracle":
        letters = lettered(each.mandatory for each in task.inputs.candidates)
        return cls(iter([f"show {letters[number - 1]}" for number in best(task)]), tokenizer)

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        return [self._one() for _ in asked]

    def _one(self) -> Generated:
        ids = tuple(self.tokenizer.encode(next(self.actions, "finish")))
        return Generated(ids, (0.0,) * len(ids), (1.0,) * len(ids), (False,) * len(ids), "grammar_end")
