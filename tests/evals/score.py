"""What was said well and badly: claims judged by the truth and rubric items met, added up over stories and pieces."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache

from testkit.stories import Story

from tests.evals.chain import library
from tests.evals.judge import Claim, Judge
from tests.evals.pieces import Json
from tests.evals.rubric import rubric


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

    def add(self, story: Story, sentences: Sequence[str]) -> None:
        """Judges one answer."""
        judge = judge_of(story)
        claims: list[Claim] = [claim for text in sentences for claim in judge.claims(text)]
        self.claims += len(claims)
        for claim in (each for each in claims if each.problem):
            self.wrong += 1
            self.problems[f"{claim.kind}: {claim.problem}"] += 1
            self.examples.append((story.seed, claim.problem, claim.text))
        items = rubric(story)
        unmet = [item.name for item in items if not item.met(sentences)]
        self.items += len(items)
        self.met += len(items) - len(unmet)
        self.unmet.update(unmet)

    def take(self, other: "Score") -> None:
        """Adds what another counted."""
        self.claims += other.claims
        self.wrong += other.wrong
        self.items += other.items
        self.met += other.met
        self.problems.update(other.problems)
        self.examples += other.examples
        self.unmet.update(other.unmet)

    def to_json(self) -> Json:
        counted = {"problems": dict(self.problems), "unmet": dict(self.unmet)}
        return {each.name: getattr(self, each.name) for each in fields(self)} | counted

    @classmethod
    def of(cls, recorded: Json) -> "Score":
        return cls(**recorded | {"problems": Counter(recorded["problems"]), "unmet": Counter(recorded["unmet"])})

    @property
    def figures(self) -> dict[str, float]:
        return {
            "rate": self.wrong / max(self.claims, 1),
            "coverage": self.met / max(self.items, 1),
            "claims": float(self.claims),
        }


def merged(pieces: Iterable[Json]) -> dict[str, Score]:
    """The scores by system over all pieces."""
    whole: dict[str, Score] = {}
    for piece in pieces:
        for name, told in piece.items():
            whole.setdefault(name, Score()).take(Score.of(told))
    return whole


def judge_of(story: Story) -> Judge:
    """Knows the story's truth, and what the shipped library says."""
    return Judge(story.truth, _library_words())


@cache
def _library_words() -> str:
    return " ".join(passage.text for passage in library())
