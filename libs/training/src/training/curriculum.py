"""Which tasks come when: first questions that one thing answers, then more at once; success opens the next stage.

The stage follows from the curve alone, so that a training that is resumed is where it was.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

T = TypeVar("T")
REWARD = "reward"


@dataclass(frozen=True, slots=True)
class Curriculum:
    """`stages`: things that a question of each stage may want, at most. The next begins where the mean reward of the
    last `window` steps is at least `enough`. One stage is no curriculum.
    """

    stages: tuple[int, ...] = (1, 2, 6)
    window: int = 10
    enough: float = 0.7

    def stage(self, curve: Sequence[Mapping[str, float]]) -> int:
        """The place of the stage after the steps of a curve."""
        stage, since = 0, list[float]()
        for figures in curve:
            since.append(figures.get(REWARD, 0.0))
            succeeded = len(since) >= self.window and fmean(since[-self.window :]) >= self.enough
            if succeeded and stage < len(self.stages) - 1:
                stage, since = stage + 1, []
        return stage

    def open(self, tasks: Sequence[T], size: Callable[[T], int], curve: Sequence[Mapping[str, float]]) -> list[T]:
        """The tasks of the stage and of those before it, by how many things each wants; all, where none is so small."""
        most = self.stages[self.stage(curve)]
        return [each for each in tasks if size(each) <= most] or list(tasks)


def drawn(tasks: Sequence[T], count: int, seed: int, step: int) -> list[T]:
    """Other tasks at each step, the same of the same seed; no task twice in one."""
    chance = random.Random(f"{seed}/{step}")  # noqa: S311 - an order, not a secret
    return chance.sample(tasks, min(count, len(tasks)))
