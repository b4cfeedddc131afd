"""Which of the groups of a step are learned from, with their advantages; every other one is counted by its reason."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from training.advantages import Weighing, advantages, dropped
from training.samples import Group, Rollout
from training.scoring import SampleError, check

# How many steps the weights that chose a group may be behind those that learn from it.
STALENESS = 1
STALE, BROKEN = "stale", "broken"


@dataclass(frozen=True, slots=True)
class Sample:
    """A rollout with the advantage of each of its action tokens."""

    rollout: Rollout
    advantages: Sequence[float]


@dataclass(slots=True)
class Batch:
    """Samples group by group, what was left out, and figures of all groups that were not refused."""

    groups: list[list[Sample]] = field(default_factory=list)
    out: Counter[str] = field(default_factory=Counter)
    figures: dict[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.groups)

    def parts(self, size: int) -> Iterator[list[Sample]]:
        """At most `size` rollouts of one group each: they share their beginning."""
        for group in self.groups:
            for start in range(0, len(group), size):
                yield group[start : start + size]


def compared(groups: Iterable[Group], version: int, weighing: Weighing) -> Batch:
    """For objectives that compare the rollouts of a group."""
    batch, admitted = Batch(), list[Rollout]()
    for group in groups:
        reason = refused(group, version)
        if not reason:
            admitted += group
            reason = dropped(group, weighing)
        if reason:
            batch.out[reason] += 1
        else:
            own = advantages(group, weighing)
            batch.groups.append([Sample(rollout, each) for rollout, each in zip(group, own, strict=True)])
    batch.figures = _figures(admitted)
    return batch


def imitated(groups: Iterable[Group]) -> Batch:
    """For a supervised objective: every choice of every rollout counts alike, whoever made it and when."""
    batch, admitted = Batch(), list[Rollout]()
    for group in groups:
        reason = _broken(group)
        if reason or not group:
            batch.out[reason or "empty"] += 1
            continue
        admitted += group
        batch.groups.append([Sample(rollout, _ones(rollout)) for rollout in group])
    batch.figures = _figures(admitted)
    return batch


def refused(group: Group, version: int) -> str | None:
    """Why a group is not looked at: of too old weights, of weights that are not there yet, or not whole."""
    if any(not version - STALENESS <= rollout.version <= version for rollout in group):
        return STALE
    return _broken(group)


def _broken(group: Group) -> str | None:
    try:
        for rollout in group:
            check(rollout)
    except SampleError:
        return BROKEN
    return None


def _ones(rollout: Rollout) -> list[float]:
    return [float(chosen) for chosen in rollout.choices]


def _figures(rollouts: Sequence[Rollout]) -> dict[str, float]:
    if not rollouts:
        return {}
    return {
        "reward": fmean(rollout.reward for rollout in rollouts),
        "quality": fmean(rollout.quality for rollout in rollouts),
        "tokens": fmean(rollout.tokens for rollout in rollouts),
        "turns": fmean(len(rollout.turns) for rollout in rollouts),
        "tool_calls": fmean(rollout.tool_calls for rollout in rollouts),
    }
