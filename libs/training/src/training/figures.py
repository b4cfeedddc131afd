"""What a policy is worth on tasks: figures over the whole, and how sure they are, by drawing patients again."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from training.rollouts import accepted
from training.samples import Group, Rollout
from training.tasks import Task

_DRAWS = 1000
# Of all draws, those outside the bounds on one side.
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Compared:
    """By how much a policy is better than the rules, and where that lies in 95 of 100 draws of as many charts."""

    gain: float
    low: float
    high: float


def of_policy(groups: Sequence[Group]) -> dict[str, float]:
    """Reward, quality (weight of the wanted things that are shown), tokens and turns an answer; how often the rules'
    choice was left as it was.
    """
    played = [rollout for group in groups for rollout in group]
    return {
        "reward": _mean(played, lambda each: each.reward),
        "quality": _mean(played, lambda each: each.quality),
        "tokens": _mean(played, lambda each: float(each.tokens)),
        "turns": _mean(played, lambda each: float(len(each.turns))),
        "left": _mean(played, lambda each: float(len(each.turns) == 1)),
    }


def of_rules(tasks: Sequence[Task]) -> dict[str, float]:
    """The same of what the rules show."""
    worth = [accepted(task) for task in tasks]
    return {
        "reward": sum(each.reward for each in worth) / len(worth),
        "quality": sum(each.quality for each in worth) / len(worth),
    }


def compared(tasks: Sequence[Task], groups: Sequence[Group], seed: int) -> Compared:
    """The reward of the policy's first rollout less that of the rules."""
    pairs = zip(tasks, groups, strict=True)
    return drawn_again([(task.patient, group[0].reward - accepted(task).reward) for task, group in pairs], seed)


def drawn_again(gains: Sequence[tuple[str, float]], seed: int) -> Compared:
    """The mean of what was gained, each with its patient; patients are drawn again 1,000 times."""
    by_patient: dict[str, list[float]] = {}
    for patient, gain in gains:
        by_patient.setdefault(patient, []).append(gain)
    chance, patients = random.Random(seed), list(by_patient)  # noqa: S311 - bounds are drawn, not secret
    draws = sorted(_over(by_patient, chance.choices(patients, k=len(patients))) for _ in range(_DRAWS))
    return Compared(_over(by_patient, patients), draws[int(_TAIL * _DRAWS)], draws[-1 - int(_TAIL * _DRAWS)])


def _over(gains: Mapping[str, Sequence[float]], patients: Sequence[str]) -> float:
    drawn = [each for patient in patients for each in gains[patient]]
    return sum(drawn) / len(drawn)


def _mean(played: Sequence[Rollout], figure: Callable[[Rollout], float]) -> float:
    return sum(map(figure, played)) / len(played)
