"""CPU of one training step over a group of rollouts that share their beginning.

Beside it in the same run: the same step rollout by rollout, and a bare forward and backward over as many tokens as the
step computes. CPU seconds, so that what else runs on the machine counts little.
"""

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from engine import ModelFolder, open_folder
from engine.llama import Llama, load
from engine.segment import Segment
from training import adapters
from training.loop import Recipe, Training
from training.packing import pack, sequence
from training.samples import Group, Ids, Rollout, Span, Turn

from tests.results import ROOT, Result


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens before the first choice, rollouts of a group, choices of each, ways on at each, and rounds."""

    beginning: int = 600
    rollouts: int = 8
    choices: int = 6
    ways: int = 30
    rounds: int = 2


FULL, SHORT = Size(), Size(40, 2, 2, 4, 1)


def run(size: Size = FULL) -> Result:
    """Medians over rounds that take turns, after one that does not count."""
    folder, group = open_folder(ROOT / "var" / "models" / "smollm2"), made(size)
    packed = pack([sequence(rollout)[:-1] for rollout in group]).length
    with tempfile.TemporaryDirectory() as scratch:
        ways: dict[str, Callable[[], object]] = {
            "step": _step(folder, group, size.rollouts, Path(scratch) / "step"),
            "one_by_one": _step(folder, group, 1, Path(scratch) / "one_by_one"),
            "bare": _bare(folder, packed),
        }
        seen = [{name: _cpu_s(work) for name, work in ways.items()} for _ in range(size.rounds + 1)]
    costs = {name: median(each[name] for each in seen[1:]) for name in ways}
    return Result(
        name="training",
        n=size.rounds,
        figures={
            "cpu_s_per_step": costs["step"],
            "times_as_fast_as_one_by_one": costs["one_by_one"] / costs["step"],
            "ratio_to_bare": costs["step"] / costs["bare"],
            "tokens_packed": packed,
            "tokens_one_by_one": sum(len(sequence(rollout)) - 1 for rollout in group),
        },
        peers={
            "rollout by rollout": {"cpu_s_per_step": costs["one_by_one"]},
            "bare forward and backward of the packed tokens": {"cpu_s": costs["bare"]},
        },
        note=f"SmolLM2-135M, LoRA of rank 8, {size.rollouts} rollouts of {size.choices} choices each, 1 thread",
    )


def made(size: Size) -> Group:
    """Rollouts that begin alike and part at their choices, as of one question."""
    chance = random.Random(3)
    beginning = tuple(chance.randrange(100, 40000) for _ in range(size.beginning))
    return tuple(_rollout(beginning, size, random.Random(number)) for number in range(size.rollouts))


def _rollout(beginning: Ids, size: Size, chance: random.Random) -> Rollout:
    ways, observed, turns = tuple(range(1000, 1000 + size.ways)), beginning, list[Turn]()
    for _ in range(size.choices):
        action = (900, chance.choice(ways[:5]), 901)
        masses, forced, allowed = (1.0, 0.5, 1.0), (True, False, True), ((900,), ways, (901,))
        turns.append(Turn(observed, action, (-0.1, -3.0, -0.1), masses, forced, allowed))
        observed = tuple(100 + (31 * action[1] + place) % 5000 for place in range(4))
    reward = chance.random()
    return Rollout("bench", tuple(turns), reward, (Span(0, reward),), reward)


def _step(folder: ModelFolder, group: Group, micro: int, state: Path) -> Callable[[], object]:
    network = _adapted(folder)
    training = Training(network, Recipe(micro=micro, kl_every=0), state)

    def step() -> object:
        training.state.step = 0  # so that the group is never of too old a version
        return training.step([group])

    return step


def _bare(folder: ModelFolder, tokens: int) -> Callable[[], object]:
    network = _adapted(folder)
    segment = Segment(0, 0, [100 + place % 1000 for place in range(tokens)], 0)
    return lambda: torch.autograd.backward(network.states([segment]).sum())


def _adapted(folder: ModelFolder) -> Llama:
    return adapters.inject(load(folder, threads=1), adapters.Shape(), seed=1)


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
