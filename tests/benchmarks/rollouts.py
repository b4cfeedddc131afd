"""CPU of rollouts of the editor, beside the bare scheduler on the same tokens.

A rollout is a whole consultation as it is trained from: its grammar made, its tokens chosen, the guard, the record of
it, what each step is worth, and what was allowed at each token. Beside it in the same run: the same requests, in the
same order and rounds, to a scheduler of its own that knows nothing of consultations, with grammars of its own; it must
choose the same tokens. CPU seconds, so that what else runs on the machine counts little.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import median

from engine import ModelFolder, open_folder
from engine.llama import load
from harness import Generate, Generated, ModelPin, Tokenizer
from practice.authored import held_back
from training.policy import Policy
from training.rollouts import play
from training.samples import Group, Ids
from training.tasks import Task

from tests.results import ROOT, Result

Rounds = list[tuple[Sequence[Generate], Sequence[Generated]]]


@dataclass(frozen=True, slots=True)
class Size:
    """Questions that are played at once, rollouts of each, and how often both are measured."""

    tasks: int = 4
    rollouts: int = 6
    rounds: int = 3


FULL, SHORT = Size(), Size(1, 2, 1)


class DifferentTokensError(Exception):
    """Both did not do the same work: nothing can be compared."""


@dataclass(slots=True)
class _Noting:
    """Keeps what was asked and answered, round by round."""

    policy: Policy
    rounds: Rounds = field(default_factory=list)

    @property
    def pin(self) -> ModelPin:
        return self.policy.pin

    def generate(self, asked: Sequence[Generate]) -> list[Generated]:
        answers = self.policy.generate(asked)
        self.rounds.append((asked, answers))
        return answers

    def allowed(self, grammar: str, action: Ids) -> tuple[Ids, ...]:
        return self.policy.allowed(grammar, action)


def run(size: Size = FULL) -> Result:
    """Medians over rounds that take turns, after one that does not count."""
    folder = open_folder(ROOT / "var" / "models" / "smollm2")
    tasks = list(islice(held_back(), size.tasks))
    seen = [_once(folder, tasks, size.rollouts) for _ in range(size.rounds + 1)]
    rollouts, bare = (median(each[place] for each in seen[1:]) for place in (0, 1))
    tokens, played = seen[0][2], size.tasks * size.rollouts
    return Result(
        name="rollouts",
        n=played,
        figures={
            "rollouts_per_cpu_s": played / rollouts,
            "ratio_to_bare": bare / rollouts,
            "tokens": float(tokens),
        },
        peers={"the bare scheduler on the same requests": {"rollouts_per_cpu_s": played / bare}},
        note=f"SmolLM2-135M, {size.tasks} questions, {size.rollouts} rollouts of each, 1 thread, temperature 1",
    )


def _once(folder: ModelFolder, tasks: Sequence[Task], size: int) -> tuple[float, float, int]:
    """CPU seconds of the rollouts and of the bare scheduler, each with nothing kept, and the tokens of both."""
    network, spelt = load(folder, threads=1), Tokenizer.from_json(folder.tokenizer.read_text(encoding="utf-8"))
    noting = _Noting(Policy(network, folder, folder.name))
    began = time.process_time()
    groups = play(tasks, noting, spelt, size=size, temperature=1.0, version=0)
    rollouts = time.process_time() - began
    bare = Policy(network, folder, folder.name)
    began = time.process_time()
    again = [bare.generate(asked) for asked, _ in noting.rounds]
    seconds = time.process_time() - began
    if [[each.output_ids for each in one] for one in again] != [
        [each.output_ids for each in answers] for _, answers in noting.rounds
    ]:
        raise DifferentTokensError
    return rollouts, seconds, _tokens(groups)


def _tokens(groups: Sequence[Group]) -> int:
    """What all rollouts read and wrote, each for itself."""
    turns = (turn for group in groups for rollout in group for turn in rollout.turns)
    return sum(len(turn.observation_ids) + len(turn.action_ids) for turn in turns)
