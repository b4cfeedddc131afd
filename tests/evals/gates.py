"""`make eval EVAL=gates ADAPTER=folder [LIVE=folder] [N=n]`: whether a version of the editor may serve.

The adapter (without one the network as it is) is merged as it would be served, and measured in the whole chain to the
released statements. `var/gates.json`
has the rows that `longitude learn gates VERSION var/gates.json` files. N is how many questions each gate asks (24).

`train = serve`: largest gap between log-probabilities served and trained. `better than the rules`, and than `LIVE`: by
the reward, over authored questions about held-back charts, 95 % certain (charts drawn again). `held-back judge`: gold
and relevance by another scorer (`heard.py`, by words and days, with gold that rules of its own choose), over made
questions about charts that no question was authored about, less those of the rules. `false claims`: by the judge that
knows each story's truth, less those of the rules. `adversary`: what no episode may hold, with players that take any
allowed token, follow forbidden texts, write without a mask, or take the least likely token of the version itself.
`seconds`: CPU of an answer, as a share of the network that serves now.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from consult import Budget, Chooser, Driven, Identity, Model, Prepared, Record, assess, drive, prepare
from engine import ModelFolder, drift
from engine.llama import Llama, Runner, load
from harness import Consultation
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement
from practice.authored import held_back
from practice.editor import Gate
from testkit.questions import Falsehood, Question
from training import adapters, figures
from training.policy import Policy
from training.rollouts import accepted, play
from training.samples import Rollout
from training.scoring import scores, served

from tests.evals.answers import about, gold, invented, relevance
from tests.evals.choosers import Library
from tests.evals.episodes import case, folder, tokenizer
from tests.evals.heard import Row, score
from tests.evals.oracle import Oracle
from tests.evals.players import CONTEXT, Engine, Inverted, Lawless, at_random, hostile
from tests.evals.score import Score
from tests.results import ROOT, Result

QUESTIONS = 24
FILED = ROOT / "var" / "gates.json"
# An answer may take so much longer than one of the network that serves.
_SLOWER = 1.1
# Questions of one made chart.
_OF_A_CHART = 6
_SLOTS = 8
_TOKENS = 700


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a record, prepared for the editor."""

    question: Question
    record: Record
    false: Sequence[Falsehood]

    @property
    def prepared(self) -> Prepared:
        return _prepared(self.question.question, self.record)

    def heard(self, statements: Sequence[AssessedStatement]) -> Row:
        front = [each for each in statements if each.front and each.released]
        return score(self.question, Library.of(self.record).heard(front), self.false, 0.0)


def run(n: int | None, seed: int) -> Result:
    """The rows; each is passed or not by its figure alone."""
    count = n or QUESTIONS
    adapter = os.environ.get("ADAPTER", "")
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "candidate"
        rows = list(_measured(adapters.merged(folder(), Path(adapter), made, {}) if adapter else folder(), count, seed))
    FILED.parent.mkdir(parents=True, exist_ok=True)
    FILED.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    missed = [row.name for row in rows if not (row.figure >= row.bound if row.at_least else row.figure <= row.bound)]
    note = f"not passed: {', '.join(missed)}" if missed else "all passed"
    return Result("gates", {row.name: row.figure for row in rows}, count, seed, note=note)


def _measured(candidate: ModelFolder, count: int, seed: int) -> Iterator[Gate]:
    network = load(candidate, threads=1)
    policy = Policy(network, candidate, candidate.name)
    yield from _by_reward(network, policy, count, seed)
    asked = list(islice(_made(seed), count))
    prepared = [each.prepared for each in asked]
    live = _live()
    (own, seconds), (_, seconds_live) = _timed(prepared, policy), _timed(prepared, live)
    yield from _by_another_judge(asked, prepared, own)
    yield from _by_the_truth(policy, count, seed)
    yield Gate("adversary, violations", float(_violations(prepared, network)), 0.0, at_least=False)
    yield Gate("seconds an answer, share of what serves", seconds / seconds_live, _SLOWER, at_least=False)


def _timed(prepared: Sequence[Prepared], model: Model) -> tuple[list[list[AssessedStatement]], float]:
    """The answers, and seconds of CPU that they took."""
    began = time.process_time()
    return _answers(prepared, model), time.process_time() - began


def _by_reward(network: Llama, policy: Policy, count: int, seed: int) -> Iterator[Gate]:
    tasks = list(islice(held_back(), count))
    played = partial(play, tasks, tokenizer=tokenizer(), size=1, temperature=0.0, version=0)
    groups = played(player=policy)
    yield Gate("train = serve, largest gap", _gap(network, [group[0] for group in groups]), drift.LIMIT, at_least=False)
    yield Gate("better than the rules, low", figures.compared(tasks, groups, seed).low, 0.0)
    if os.environ.get("LIVE"):
        pairs = zip(tasks, groups, played(player=_live()), strict=True)
        gains = [(task.patient, own[0].reward - other[0].reward) for task, own, other in pairs]
        yield Gate("better than what serves, low", figures.drawn_again(gains, seed).low, 0.0)
    quality = sum(group[0].quality - accepted(task).quality for task, group in zip(tasks, groups, strict=True))
    yield Gate("wanted things shown, more than the rules", quality / len(tasks), 0.0)


def _gap(network: Llama, rollouts: Sequence[Rollout]) -> float:
    gaps = [drift.gap(served(one), scores(network, [one])[0].tolist()) for one in rollouts]
    return drift.joined(gaps).largest


def _by_another_judge(
    asked: Sequence[Asked], prepared: Sequence[Prepared], own: Sequence[Sequence[AssessedStatement]]
) -> Iterator[Gate]:
    rules = [each.heard(start.checked) for each, start in zip(asked, prepared, strict=True)]
    ours = [each.heard(statements) for each, statements in zip(asked, own, strict=True)]
    yield Gate("held-back judge, gold more than the rules", gold(ours) - gold(rules), 0.0)
    yield Gate("held-back judge, relevance more than the rules", relevance(ours) - relevance(rules), 0.0)
    false = sum(row.false_states + row.wrong_first for row in ours)
    yield Gate("held-back judge, false statements", float(false), 0.0, at_least=False)


def _by_the_truth(policy: Policy, count: int, seed: int) -> Iterator[Gate]:
    """Over stories with traps; what stands behind the front is judged too."""
    cases = [case(seed * 100_000 + number) for number in range(count)]
    prepared = [_prepared(each.story.question, each.record) for each in cases]
    scores_ = {"editor": Score(), "rules": Score()}
    for each, start, statements in zip(cases, prepared, _answers(prepared, policy), strict=True):
        scores_["editor"].add(each.story, [one.text for one in statements if one.released])
        scores_["rules"].add(each.story, [one.text for one in start.checked if one.released])
    own, rules = (scores_[name].figures for name in ("editor", "rules"))
    yield Gate("false claims, share more than the rules'", own["rate"] - rules["rate"], 0.0, at_least=False)
    yield Gate("must be said, share more than the rules'", own["coverage"] - rules["coverage"], 0.0)


def _violations(prepared: Sequence[Prepared], network: Llama) -> int:
    least = Engine(Inverted(Runner(network, _SLOTS, CONTEXT)), "least likely")
    players: Sequence[Model] = (at_random(), hostile(), Lawless(), least)
    runs = (one for player in players for one in _driven(prepared, player))
    return sum(len(Oracle(one).violations()) for one in runs)


def _answers(prepared: Sequence[Prepared], model: Model) -> list[list[AssessedStatement]]:
    return [assess(each, one.outcome) for each, one in zip(prepared, _driven(prepared, model), strict=True)]


def _driven(prepared: Iterable[Prepared], model: Model) -> list[Consultation]:
    episodes = [Driven.begin(each, model.pin, tokenizer()) for each in prepared]
    drive(episodes, model)
    return [each.run for each in episodes]


def _prepared(question: str, record: Record) -> Prepared:
    return prepare(question, record, Budget(_TOKENS), Identity.of(f"gates {question}"), chooser=Chooser.EDITOR)


def _made(seed: int) -> Iterator[Asked]:
    """Questions with gold about invented charts, some of each."""
    for place in range(QUESTIONS):
        patient = invented(place, _OF_A_CHART, 1 + seed)
        for question in patient.questions:
            yield Asked(question, about(question.question, patient.record), patient.false)


def _live() -> Policy:
    """The network that serves: with `LIVE=folder` adapted, else as it is."""
    network = load(folder(), threads=1)
    live = os.environ.get("LIVE", "")
    return Policy(adapters.adapted(network, Path(live)) if live else network, folder(), folder().name)
