"""How much better than its group each action token was.

Guarantees: a forced token has none; a token of no span has the whole's and nothing else; what a span is worth reaches
its own tokens and no token behind them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import tanh
from statistics import fmean, pstdev

from training.samples import Group, Rollout, Span

_SAME = 1e-9  # rewards closer than this are equal


@dataclass(frozen=True, slots=True)
class Length:
    """What brevity is worth (`most`, of the whole's reward) and to whom; what tokens, turns and calls count of it."""

    threshold: float = 0.8
    most: float = 0.1
    per_token: float = 1.0
    per_turn: float = 10.0
    per_call: float = 20.0


@dataclass(frozen=True, slots=True)
class Weighing:
    """How rewards become advantages. Each part can be left out, to measure what it is worth.

    `spans`: weight of what a span alone is worth; 0: one reward an episode. `bound`: no advantage is larger.
    """

    spans: float = 1.0
    step_factors: bool = True
    facts: bool = True
    length: Length | None = None
    kappa: float = 10.0
    width: float = 0.2
    epsilon: float = 1e-4
    bound: float = 5.0


class Dropped(StrEnum):
    """Why a group teaches nothing."""

    EMPTY = "empty"  # of fewer than two rollouts: there is nothing to compare with
    CONSTANT = "constant"  # all were worth the same


def dropped(group: Group, weighing: Weighing) -> Dropped | None:
    """Dynamic sampling of DAPO (arXiv 2503.14476): a group whose rewards are equal has no gradient and is left out."""
    if len(group) < 2:
        return Dropped.EMPTY
    worths = rewards(group, weighing)
    return Dropped.CONSTANT if max(worths) - min(worths) < _SAME else None


def advantages(group: Group, weighing: Weighing) -> list[list[float]]:
    """Of each rollout one number an action token, turn by turn.

    SPAR as published for Baichuan-M3 (arXiv 2602.06570): A_j = (gamma_j R - mu) / (sigma + eps), mu and sigma those of
    the unpenalised rewards of the group. Beside it, for tokens of a span, `spans` times (r_span - b), b the mean of
    what spans of the same turn were worth in the group, shrunk as by one more of 0 (ours).
    """
    worths = rewards(group, weighing)
    middle, spread = fmean(worths), pstdev(worths) + weighing.epsilon
    baselines = _baselines(group)
    return [
        [
            _bounded((factor * worth - middle) / spread + weighing.spans * own, weighing.bound) if chosen else 0.0
            for chosen, factor, own in zip(
                rollout.choices, factors(rollout, weighing), _own(rollout, baselines), strict=True
            )
        ]
        for rollout, worth in zip(group, worths, strict=True)
    ]


def rewards(group: Group, weighing: Weighing) -> list[float]:
    """Of each rollout the whole's reward with what the gates let in, before any step factor; at least 0."""
    worths = [rollout.reward for rollout in group]
    if weighing.facts:
        gates = factual_gates(worths, weighing)
        worths = [worth + gate * rollout.facts for worth, gate, rollout in zip(worths, gates, group, strict=True)]
    if weighing.length:
        worths = [worth + more for worth, more in zip(worths, brevity(group, weighing.length), strict=True)]
    return [max(0.0, worth) for worth in worths]


def factual_gates(tasks: Sequence[float], weighing: Weighing) -> list[float]:
    """R = R_task + lambda R_fact with lambda = sigmoid(kappa (R_task - mu) / Delta).

    Who does not do the task is not taught to say less. Source: Fact-Aware RL of Baichuan-M3 (arXiv 2602.06570), kappa
    10. What we read of it leaves open what mu and Delta are; here mu is the group's mean and Delta the `width`.
    """
    middle = fmean(tasks)
    return [0.5 + 0.5 * tanh(0.5 * weighing.kappa * (task - middle) / weighing.width) for task in tasks]


def brevity(group: Group, length: Length) -> list[float]:
    """R_length = most * (1 - cost / largest cost among the best), and 0 of all others.

    Source: the gate of Baichuan-M2 (arXiv 2509.02208): only of a group whose 80th percentile of quality passes a
    threshold, and only of rollouts that are among its best; what is given there is not stated, the term is ours. It is
    never negative, so that no good rollout is worth less than a bad one for being long.
    """
    line = percentile([rollout.quality for rollout in group], 0.8)
    if line < length.threshold:
        return [0.0] * len(group)
    costs = [cost(rollout, length) if rollout.quality >= line - _SAME else None for rollout in group]
    largest = max(each for each in costs if each is not None) or 1.0
    return [0.0 if each is None else length.most * (1 - each / largest) for each in costs]


def cost(rollout: Rollout, length: Length) -> float:
    return (
        length.per_token * rollout.tokens + length.per_turn * len(rollout.turns) + length.per_call * rollout.tool_calls
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return next(value for place, value in enumerate(ordered, 1) if place >= share * len(ordered) - _SAME)


def factors(rollout: Rollout, weighing: Weighing) -> list[float]:
    """The gamma of each action token: the smallest severity of the spans that it belongs to, else 1."""
    marks = [1.0] * sum(len(turn.action_ids) for turn in rollout.turns)
    if weighing.step_factors:
        for span, place in _places(rollout):
            marks[place] = min(marks[place], span.severity)
    return marks


def _own(rollout: Rollout, baselines: dict[int, float]) -> list[float]:
    """What the spans of each action token alone were worth, beside others of the same turn; 0 of a token of no span."""
    own = [0.0] * sum(len(turn.action_ids) for turn in rollout.turns)
    for span, place in _places(rollout):
        own[place] += span.reward - baselines[span.turn]
    return own


def _baselines(group: Group) -> dict[int, float]:
    worths: dict[int, list[float]] = {}
    for rollout in group:
        for span in rollout.spans:
            worths.setdefault(span.turn, []).append(span.reward)
    return {turn: sum(each) / (len(each) + 1) for turn, each in worths.items()}


def _places(rollout: Rollout) -> Iterator[tuple[Span, int]]:
    """Each span with each of its tokens, by the token's number among all action tokens of the rollout."""
    starts = [0]
    for turn in rollout.turns:
        starts.append(starts[-1] + len(turn.action_ids))
    for span in rollout.spans:
        end = len(rollout.turns[span.turn].action_ids) if span.end is None else span.end
        for place in range(span.start, end):
            yield span, starts[span.turn] + place


def _bounded(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))
