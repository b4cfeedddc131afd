"""`make eval EVAL=hallucination`: what share of the released claims is false or baseless, and how much was said.

Stories with traps go from HL7 through ingestion, imaging, memory and reasoning (their domains, in process) to released
statements; a judge that knows the truth reads the text. `rate`: false or baseless claims of all; `coverage`: rubric
items that a released sentence meets. Beside, on the same stories: the rules alone, random choices among what the
grammar allows instead of the model, all that was drafted without the gate, and the same network writing freely, with
the gate and without. The traps that were fallen into are named.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grounding import Verifier, decide
from harness import Consultation
from longitude.reasoning.v1 import assessment_pb2 as wire
from reasoning.consultation import _of_model
from reasoning.domain.drafting import assess, merge

from tests.evals.chain import library
from tests.evals.episodes import Case, Player, case, play
from tests.evals.judge import Claim, Judge
from tests.evals.players import Engine, at_random, served
from tests.evals.prose import write
from tests.evals.rubric import rubric
from tests.results import Result

STORIES = 4
_TOGETHER = 8
OURS = "longitude"


@dataclass
class Score:
    """Claims and rubric items of one system."""

    claims: int = 0
    wrong: int = 0
    items: int = 0
    met: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str, str]] = field(default_factory=list)
    unmet: Counter[str] = field(default_factory=Counter)

    def add(self, owner: Case, said: Sequence[str]) -> None:
        """Judges one answer."""
        judge = Judge(owner.story.truth, " ".join(passage.text for passage in library()))
        claims: list[Claim] = [claim for text in said for claim in judge.claims(text)]
        self.claims += len(claims)
        for claim in (each for each in claims if each.problem):
            self.wrong += 1
            self.problems[f"{claim.kind}: {claim.problem}"] += 1
            self.examples.append((owner.story.seed, claim.problem, claim.text))
        items = rubric(owner.story)
        unmet = [item.name for item in items if not item.met(said)]
        self.items += len(items)
        self.met += len(items) - len(unmet)
        self.unmet.update(unmet)

    @property
    def figures(self) -> dict[str, float]:
        return {
            "rate": self.wrong / max(self.claims, 1),
            "coverage": self.met / max(self.items, 1),
            "claims": float(self.claims),
        }


def run(n: int | None, seed: int) -> Result:
    """N stories; every system on all of them."""
    count = n or STORIES
    scores = measure(range(seed * 100_000, seed * 100_000 + count), served())
    ours = scores.pop(OURS)
    note = "; ".join(f"{problem} {times}" for problem, times in ours.problems.most_common(5))
    return Result(
        "hallucination", ours.figures, count, seed, {name: each.figures for name, each in scores.items()}, note
    )


def measure(seeds: range, engine: Engine | None) -> dict[str, Score]:
    """Scores by system. Without an engine only the systems that need no network."""
    scores: dict[str, Score] = {}
    for start in range(seeds.start, seeds.stop, _TOGETHER):
        cases = [case(each) for each in range(start, min(start + _TOGETHER, seeds.stop))]
        for name, answers in _systems(cases, engine).items():
            score = scores.setdefault(name, Score())
            for owner, said in zip(cases, answers, strict=True):
                score.add(owner, said)
    return scores


def _systems(cases: Sequence[Case], engine: Engine | None) -> Mapping[str, list[list[str]]]:
    """What each system says about each case."""
    systems = {
        "rules alone": [released(each.checked) for each in cases],
        "random among allowed": [released(each) for each in _answers(cases, at_random())],
    }
    if engine is None:
        return systems
    ours = _answers(cases, engine)
    prose = write(cases, engine)
    return {
        OURS: [released(each) for each in ours],
        **systems,
        "without the gate": [[statement.text for statement in each] for each in ours],
        "free prose": [_gated(each, text) for each, text in zip(cases, prose, strict=True)],
        "free prose, no gate": [[text] for text in prose],
    }


def released(statements: Iterable[wire.Statement]) -> list[str]:
    """What a physician is shown as said. Marked questions count: they are shown too."""
    return [each.text for each in statements if each.released]


def _answers(cases: Sequence[Case], player: Player) -> list[list[wire.Statement]]:
    runs = play(cases, player)
    return [_conclude(owner, run) for owner, run in zip(cases, runs, strict=True)]


def _conclude(owner: Case, run: Consultation) -> list[wire.Statement]:
    """Rules and agents through the gate, as the service does it."""
    outcome = run.outcome
    sources = owner.record.sources(tuple(outcome.facts.values()), tuple(outcome.passages.values()))
    model = _of_model(outcome, sources, owner.prepared)
    return assess(merge(owner.said, model), Verifier(sources), f"eval-{owner.story.seed}")


def _gated(owner: Case, text: str) -> list[str]:
    """Free prose, sentence by sentence, against the whole record."""
    verifier = Verifier(owner.sources)
    sentences = [each.strip() for each in text.replace("\n", ". ").split(". ") if each.strip()]
    kind = wire.STATEMENT_KIND_PROSE
    return [each for each in sentences if decide(kind, verifier.verify_uncited(each)).released]
