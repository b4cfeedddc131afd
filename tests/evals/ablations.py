"""`make eval EVAL=ablations [N=steps] [SEED=s]`: what each part of the training does, in its short form.

A llama network of 17,000 random weights, trained by the library's own loop and rewards (`consult.rewards.whole`): a
question is one of nine topics, of which each wants one to three of eight things; an action shows one of them, or ends.
Minutes of one core, three seeds a variant, the same questions for all. It says what the parts do to learning, and
nothing of what SmolLM2 would do. Figures, over all topics after N steps (200): `quality`, `reward`, `tokens` and
`turns` an answer; `steps` until the mean quality of ten steps of its own answers passed 0.8. Pictures: quality, and
tokens, over training.

`spans`: as it is trained by default. Beside: one reward an episode; clipping in SAPO's place (DAPO); a warm start of
half the steps alone, and before as many of comparison; a curriculum (topics of one thing, then of two, then of all).
`compressed` and `not compressed`: where an idle statement costs nothing, with the gated length term and without it.
"""

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import torch
from consult.rewards import Item, Known, Prices, Shown, whole
from engine.folder import LlamaConfig
from engine.llama import Llama
from engine.segment import Segment
from training import adapters
from training.adapters import Shape
from training.advantages import Length, Weighing
from training.curriculum import Curriculum, drawn
from training.loop import Recipe, Training
from training.objectives import Dapo, Objective, Sapo, Supervised
from training.samples import Group, Rollout, Span, Turn
from training.tasks import WEIGHTS

from tests.results import Curve, Result

STEPS, SEEDS = 200, 3
OURS = "spans"
_PASSED, _WINDOW = 0.8, 10
CONFIG = LlamaConfig(
    vocab_size=48,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    rope_theta=10000.0,
    rms_norm_eps=1e-5,
    tie_word_embeddings=True,
    eos_token_id=1,
)
_END, _THINGS, _TOPICS = 2, tuple(range(10, 18)), tuple(range(20, 29))
_MOST, _GROUPS, _ROLLOUTS = 6, 3, 8
# Of a training in which an idle statement is free.
_FREE = Prices(idle=0.0, off_topic=0.0)


@dataclass(frozen=True, slots=True)
class Question:
    """A topic, and the things that it wants, the most important first."""

    topic: int
    wants: tuple[int, ...]

    @property
    def known(self) -> Known:
        weighed = zip(self.wants, WEIGHTS, strict=False)
        return Known(tuple(Item(str(thing), weight, frozenset({str(thing)})) for thing, weight in weighed))


@dataclass(frozen=True, slots=True)
class Variant:
    objective: Objective = field(default_factory=Sapo)
    weighing: Weighing = field(default_factory=Weighing)
    curriculum: Curriculum = field(default_factory=lambda: Curriculum(stages=(3,)))
    prices: Prices = field(default_factory=Prices)
    # Share of the steps that imitate, and of those that compare.
    imitates: float = 0.0
    compares: float = 1.0


VARIANTS: Mapping[str, Variant] = {
    OURS: Variant(),
    "one reward an episode": Variant(weighing=Weighing(spans=0.0, step_factors=False)),
    "clipping": Variant(objective=Dapo()),
    "warm start alone": Variant(imitates=0.5, compares=0.0),
    "warm start, then spans": Variant(imitates=0.5, compares=0.5),
    "curriculum": Variant(curriculum=Curriculum(stages=(1, 2, 3), enough=0.6)),
    "not compressed": Variant(prices=_FREE),
    "compressed": Variant(prices=_FREE, weighing=Weighing(length=Length(threshold=0.8, most=0.2))),
}


def run(n: int | None, seed: int) -> Result:
    """Means over the seeds."""
    torch.set_num_threads(1)
    seen = {
        name: [_trained(variant, n or STEPS, 100 * seed + place) for place in range(SEEDS)]
        for name, variant in VARIANTS.items()
    }
    figures = {name: _mean([each for each, _ in runs]) for name, runs in seen.items()}
    ours = figures.pop(OURS)
    curves = {
        "quality": Curve("step", "quality", {name: _line(runs, "quality") for name, runs in seen.items()}),
        "tokens": Curve(
            "step", "tokens", {name: _line(seen[name], "tokens") for name in ("not compressed", "compressed")}
        ),
    }
    return Result("ablations", ours, n or STEPS, seed, figures, "a network of 17,000 random weights", curves)


@dataclass(slots=True)
class _Source:
    """Groups of the network's own answers, or of an oracle's."""

    network: Llama
    variant: Variant
    questions: Sequence[Question]
    seed: int
    imitates: bool
    training: Training | None = None

    def groups(self, step: int) -> list[Group]:
        curve = self.training.state.curve if self.training else ()
        opened = self.variant.curriculum.open(self.questions, lambda each: len(each.wants), curve)
        few = drawn(opened, _GROUPS, self.seed, step)
        if self.imitates:
            return [(_answered(each, [*each.wants, _END], self.variant.prices, step),) for each in few]
        return [_played(self.network, each, self.variant.prices, _ROLLOUTS, (self.seed, step)) for each in few]


def _trained(variant: Variant, steps: int, seed: int) -> tuple[dict[str, float], list[dict[str, float]]]:
    """The figures at the end, and the curve of what was compared."""
    torch.manual_seed(seed)
    network = Llama(CONFIG)
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    adapters.inject(network, Shape(), seed)
    questions = _questions(seed)
    curve, own = list[dict[str, float]](), list[dict[str, float]]()
    for share, objective in ((variant.imitates, Supervised()), (variant.compares, variant.objective)):
        recipe = Recipe(
            objective, variant.weighing, round(share * steps), learning_rate=5e-3, warm_up=1, kl_every=0, kl_most=1e9
        )
        if recipe.steps:
            with tempfile.TemporaryDirectory() as folder:
                training = Training(network, recipe, Path(folder))
                source = _Source(network, variant, questions, seed, not objective.compares, training)
                curve += training.run(source)
                own = training.state.curve if objective.compares else []
    ended = [one for each in questions for one in _played(network, each, variant.prices, _ROLLOUTS, (seed, -1))]
    began = len(curve) - len(own)
    passed = (step for step in range(_WINDOW, len(own)) if _quality(own[step - _WINDOW : step]) >= _PASSED)
    figures = {
        "quality": fmean(each.quality for each in ended),
        "reward": fmean(each.reward for each in ended),
        "tokens": fmean(each.tokens for each in ended),
        "turns": fmean(len(each.turns) for each in ended),
        "steps": float(began + next(passed, len(own))),
    }
    return figures, curve


def _questions(seed: int) -> list[Question]:
    chance = random.Random(seed)
    return [Question(topic, tuple(chance.sample(_THINGS, 1 + place % 3))) for place, topic in enumerate(_TOPICS)]


def _played(network: Llama, asked: Question, prices: Prices, size: int, seed: tuple[int, int]) -> Group:
    """Answers that the network draws at temperature 1, all together; nothing is shown twice."""
    chance = torch.Generator().manual_seed(hash((*seed, asked.topic)) % 2**31)
    chosen: list[list[int]] = [[] for _ in range(size)]
    log_probs: list[list[tuple[float, float]]] = [[] for _ in range(size)]
    network.eval()
    for _ in range(_MOST):
        going = [place for place in range(size) if _END not in chosen[place]]
        if not going:
            break
        with torch.no_grad():
            logits = network([_read(asked, chosen[place]) for place in going])
        for place, row in zip(going, logits.log_softmax(-1), strict=True):
            ways = torch.tensor(_allowed(chosen[place]))
            mass = row[ways].exp()
            drawn_ = int(ways[torch.multinomial(mass, 1, generator=chance)])
            log_probs[place].append((float(row[drawn_]), float(mass.sum())))
            chosen[place].append(drawn_)
    version = max(0, seed[1])
    return tuple(
        _answered(asked, own, prices, version, numbers) for own, numbers in zip(chosen, log_probs, strict=True)
    )


def _read(asked: Question, chosen: Sequence[int]) -> Segment:
    ids = [1, asked.topic, 3, *(each for action in chosen for each in (action, 4))]
    return Segment(0, 0, ids, 1)


def _allowed(chosen: Sequence[int]) -> tuple[int, ...]:
    return (_END, *(thing for thing in _THINGS if thing not in chosen))


def _answered(
    asked: Question,
    chosen: Sequence[int],
    prices: Prices,
    version: int,
    numbers: Sequence[tuple[float, float]] = (),
) -> Rollout:
    """An answer with what it is worth; step n of the episode is turn n - 1."""
    numbers = numbers or [(0.0, 1.0)] * len(chosen)
    turns = tuple(
        Turn(
            (1, asked.topic, 3) if place == 0 else (4,),
            (action,),
            (number,),
            (mass,),
            (False,),
            (_allowed(chosen[:place]),),
        )
        for place, (action, (number, mass)) in enumerate(zip(chosen, numbers, strict=True))
    )
    wanted = frozenset(map(str, asked.wants))
    said = [
        Shown(place, frozenset({str(action)}), on_topic=str(action) in wanted)
        for place, action in enumerate(chosen, 1)
        if action != _END
    ]
    finished = len(chosen) if _END in chosen else 0
    worth = whole(said, asked.known, finished=finished, prices=prices)
    spans = tuple(Span(each.episode_step - 1, each.reward, each.severity) for each in worth.credits)
    return Rollout(str(asked.topic), turns, worth.reward, spans, worth.quality, version=version)


def _quality(curve: Sequence[Mapping[str, float]]) -> float:
    return fmean(each.get("quality", 0.0) for each in curve)


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


def _line(
    runs: Sequence[tuple[Mapping[str, float], Sequence[Mapping[str, float]]]], name: str
) -> list[tuple[float, float]]:
    """Means of ten steps over all seeds."""
    curves = [curve for _, curve in runs]
    ends = range(min(_WINDOW, len(curves[0])), len(curves[0]) + 1, _WINDOW)
    return [
        (float(end), fmean(each.get(name, 0.0) for curve in curves for each in curve[max(0, end - _WINDOW) : end]))
        for end in ends
    ]
