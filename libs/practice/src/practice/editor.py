"""The recipe `editor`: the reasoner learns which of the statements that rules made stand in front of an answer.

A warm start imitates an oracle that knows what is right; then groups of its own episodes, rewarded by span. The charts
of the questions that are held back are never learned from; by them the candidate is judged. As a trainer it keeps the
protocol of the service `learning`, which it does not know.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from engine import ModelFolder, drift, open_folder
from engine.llama import Llama, load
from harness import Tokenizer
from training import adapters, figures
from training.adapters import Shape
from training.advantages import Length, Weighing
from training.checkpoints import Figures
from training.curriculum import Curriculum, drawn
from training.loop import Recipe, Training
from training.objectives import Sapo, Supervised
from training.policy import Policy
from training.rollouts import demonstrated, play
from training.samples import Group
from training.scoring import scores, served
from training.tasks import Task

from practice.authored import HELD_BACK, Authored, held_back, task_of, written_questions
from practice.reviewed import tasks

# The environment names the folder of models; of it, the one that is adapted: that which the reasoner serves.
MODELS, BASE = "LONGITUDE_MODELS_DIR", "LONGITUDE_BASE_MODEL"
# Of all steps, how many imitate.
_WARM = 0.6
# No answer may take more tokens than this share of the 87 that the team of roles took.
_TOKENS = 87 / 3


@dataclass(frozen=True, slots=True)
class Gate:
    """A figure that a version must reach."""

    name: str
    figure: float
    bound: float
    at_least: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """An adapter with what it is made of and worth."""

    artifact: Path
    base_model: str
    adapter: str
    data: str
    figures: Mapping[str, float]
    gates: Sequence[Gate]


@dataclass(frozen=True, slots=True)
class Editor:
    """`learned` and `judged`: how many tasks are learned from and judged by; none: all that there are. `shown` and
    `compared`: tasks of a step that imitates, and of one that compares `rollouts` of each. `think`: tokens of a scratch
    that it may write before it chooses. `length`: what brevity is worth, where quality is enough.
    """

    shape: Shape = field(default_factory=Shape)
    curriculum: Curriculum = field(default_factory=Curriculum)
    learned: int | None = None
    judged: int | None = None
    shown: int = 8
    compared: int = 4
    rollouts: int = 6
    think: int = 0
    length: Length | None = None

    def run(self, job: Any, report: Callable[[int, Mapping[str, float]], None]) -> Candidate:
        """From wherever the job's folder says that it came to. FileNotFoundError without converted weights."""
        folder = open_folder(Path(os.environ.get(MODELS, "var/models")) / os.environ.get(BASE, "smollm2"))
        network = adapters.inject(load(folder), self.shape, job.seed)
        reviewed = list(tasks(job.samples()))
        studio = _Studio(folder, network, job.seed, [*self._questions(), *reviewed], self)
        warm = max(1, round(_WARM * job.steps))
        _train(studio, Recipe(Supervised(), steps=warm, learning_rate=5e-4, kl_every=0), job.folder / "warm", report, 0)
        rest = Recipe(Sapo(), Weighing(length=self.length), steps=job.steps - warm, learning_rate=1e-4, kl_most=5.0)
        _train(studio, rest, job.folder / "compared", report, warm)
        return self._candidate(studio, job)

    def _questions(self) -> list[Authored]:
        return [each for each in written_questions() if each.chart not in HELD_BACK][: self.learned]

    def _candidate(self, studio: "_Studio", job: Any) -> Candidate:
        judged = list(islice(held_back(), self.judged))
        groups = studio.judged(judged)
        than = figures.compared(judged, groups, job.seed)
        own, rules = figures.of_policy(groups), figures.of_rules(judged)
        path = adapters.save(studio.network, self.shape, job.folder / "adapter", studio.folder.name)
        gap = studio.gap(groups)
        return Candidate(
            artifact=path / adapters.WEIGHTS,
            base_model=f"{studio.folder.name} {studio.folder.sha256}",
            adapter=f"LoRA of rank {self.shape.rank} at {', '.join(self.shape.targets)}",
            data=f"{studio.described}; judged by {len(judged)} about other charts",
            figures={**own, **{f"rules, {name}": figure for name, figure in rules.items()}, "gain": than.gain},
            gates=(
                Gate("train = serve, largest gap", gap, drift.LIMIT, at_least=False),
                Gate("better than the rules, low", than.low, 0.0),
                Gate("tokens an answer", own["tokens"], _TOKENS, at_least=False),
            ),
        )


def short() -> Editor:
    """A training of minutes, from nothing to a candidate: it shows the way and makes nobody better."""
    return Editor(learned=16, judged=4, shown=2, compared=1, rollouts=3)


@dataclass(slots=True)
class _Studio:
    """The network with what it is played by."""

    folder: ModelFolder
    network: Llama
    seed: int
    # Authored ones, and those that physicians reviewed.
    asked: list[Authored | Task]
    recipe: Editor
    policy: Policy = field(init=False)
    tokenizer: Tokenizer = field(init=False)

    def __post_init__(self) -> None:
        self.policy = Policy(self.network, self.folder, self.folder.name)
        self.tokenizer = Tokenizer.from_json(self.folder.tokenizer.read_text(encoding="utf-8"))

    @property
    def described(self) -> str:
        """What is learned from."""
        reviewed = sum(isinstance(each, Task) for each in self.asked)
        return f"{len(self.asked) - reviewed} authored questions, {reviewed} reviewed answers"

    def judged(self, of: Sequence[Task]) -> list[Group]:
        """Greedy, one rollout of each."""
        self.policy.renewed()
        return play(of, self.policy, self.tokenizer, size=1, temperature=0.0, version=0, think=self.recipe.think)

    def gap(self, groups: Sequence[Group]) -> float:
        """Between what was served and what training says of the same tokens."""
        rollouts = [each for group in groups for each in group]
        trained = (each for rollout in rollouts for each in scores(self.network, [rollout]))
        gaps = (drift.gap(served(one), own.tolist()) for one, own in zip(rollouts, trained, strict=True))
        return drift.joined(gaps).largest


@dataclass(slots=True)
class _Source:
    """The groups of a step, by the weights as they are."""

    studio: _Studio
    training: Training

    def groups(self, step: int) -> list[Group]:
        studio, recipe, curve = self.studio, self.studio.recipe, self.training.state.curve
        if not self.training.recipe.objective.compares:
            shown = map(_task, drawn(studio.asked, recipe.shown, studio.seed, step))
            return demonstrated(list(shown), studio.policy, studio.tokenizer)
        studio.policy.renewed()
        opened = recipe.curriculum.open(studio.asked, _size, curve)
        few = list(map(_task, drawn(opened, recipe.compared, studio.seed, step)))
        return play(
            few,
            studio.policy,
            studio.tokenizer,
            size=recipe.rollouts,
            temperature=1.0,
            version=step,
            think=recipe.think,
        )


def _task(asked: Authored | Task) -> Task:
    return asked if isinstance(asked, Task) else task_of(asked)


def _size(asked: Authored | Task) -> int:
    """Things that it wants."""
    return len(asked.known.wanted if isinstance(asked, Task) else asked.show)


def _train(
    studio: _Studio, recipe: Recipe, path: Path, report: Callable[[int, Mapping[str, float]], None], before: int
) -> None:
    """`before`: steps of the job that were made before these."""
    training = Training(studio.network, recipe, path)

    def told(figures_: Figures) -> None:
        report(before + int(figures_["step"]) + 1, figures_)

    training.run(_Source(studio, training), told)
