"""`make eval EVAL=learning [N=n]`: what the editor is worth over the questions that nothing is learned from.

Figures, of 216 authored questions about six charts (or the first N, each chart in turn): `reward`
(`consult.rewards.whole`), `quality` (the weight of the wanted things that stand in front), `tokens` and `turns` an
answer, `left` (answers that it left to the rules), and by how much its reward is above that of the rules, with the
bounds of 95 % (charts drawn again). The network is the one that is served; with `ADAPTER=folder`, adapted. Beside: the
rules, an oracle that knows what is right, six candidates at random, and the six that share the most words with the
question.
"""

import os
import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

from consult.rewards import Rewarded, whole
from engine.llama import load
from harness.roles import MOST_SHOWN
from practice.authored import held_back
from training import adapters, figures
from training.policy import Policy
from training.rollouts import accepted, best, play
from training.tasks import Task

from tests.evals.episodes import folder, tokenizer
from tests.evals.pieces import Json, evenly, measured
from tests.results import Result

QUESTIONS = 216
_TOGETHER = 12
_WORD = re.compile(r"[a-z0-9]+")
Choose = Callable[[Task], Sequence[int]]


def run(n: int | None, seed: int) -> Result:
    """The first N questions."""
    count = min(n or QUESTIONS, QUESTIONS)
    pieces = measured("learning", seed, range(count), evenly(count, _TOGETHER), answered)
    rows = [row for piece in pieces for row in piece["rows"]]
    gains = [(row["patient"], row["editor"]["reward"] - row["rules"]["reward"]) for row in rows]
    gain = figures.drawn_again(gains, seed)
    ours = _means([row["editor"] for row in rows]) | {"gain": gain.gain, "gain, low": gain.low, "gain, high": gain.high}
    names = [name for name in rows[0] if name not in ("patient", "editor")]
    return Result("learning", ours, count, seed, {name: _means([row[name] for row in rows]) for name in names})


def answered(places: range) -> Json:
    """One row of each question, by chooser."""
    tasks = list(islice(held_back(), places.start, places.stop))
    groups = play(tasks, _policy(), tokenizer(), size=1, temperature=0.0, version=0)
    return {"rows": [_row(task, figures.of_policy([group])) for task, group in zip(tasks, groups, strict=True)]}


def _row(task: Task, editor: dict[str, float]) -> Json:
    choosers: dict[str, Choose] = {"words": _by_words, "random": _at_random}
    right = best(task)
    oracle = _worth(task, right) if right else accepted(task)
    peers = {"rules": accepted(task), "oracle": oracle}
    peers |= {name: _worth(task, choose(task)) for name, choose in choosers.items()}
    told = {name: {"reward": each.reward, "quality": each.quality} for name, each in peers.items()}
    return {"patient": task.patient, "editor": editor, **told}


def _worth(task: Task, numbers: Sequence[int]) -> Rewarded:
    shown = [*task.mandatory(), *(task.candidate(number, step) for step, number in enumerate(numbers, 1))]
    return whole(shown, task.known)


def _offered(task: Task) -> list[tuple[int, str]]:
    return [(number, task.inputs.candidates[number - 1].text) for number in task.free()]


def _at_random(task: Task) -> list[int]:
    numbers = [number for number, _ in _offered(task)]
    return random.Random(task.name).sample(numbers, min(MOST_SHOWN, len(numbers)))


def _by_words(task: Task) -> list[int]:
    """Those that share a word, the most first."""
    asked = set(_WORD.findall(task.inputs.question.casefold()))
    shared = [(len(asked & set(_WORD.findall(text.casefold()))), -number) for number, text in _offered(task)]
    return [-number for count, number in sorted(shared, reverse=True) if count][:MOST_SHOWN]


@cache
def _policy() -> Policy:
    network = load(folder(), threads=1)
    adapter = os.environ.get("ADAPTER", "")
    if adapter:
        adapters.adapted(network, Path(adapter))
    return Policy(network, folder(), folder().name)


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
