"""Citations counted: right, wrong and missing ones, by system and collection."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from tests.evals.pieces import Json
from tests.evals.questions import Asked

AUTHORED = "authored"


@dataclass
class Tally:
    """Citations of one system in one collection."""

    right: int = 0
    wrong: int = 0
    found: int = 0
    answering: int = 0
    unanswerable: int = 0
    silent: int = 0

    def add(self, asked: Asked, cited: Iterable[str], accepted: frozenset[str] = frozenset()) -> None:
        """Counts the citations of one answer. `accepted`: right although they do not answer the question."""
        counted = {each for each in cited if asked.judged is None or each in asked.judged}
        self.right += len(counted & (asked.passages | accepted))
        self.wrong += len(counted - asked.passages - accepted)
        self.found += len(counted & asked.passages)
        self.answering += len(asked.passages)
        self.unanswerable += not asked.passages
        self.silent += not asked.passages and not counted - accepted

    def take(self, other: "Tally") -> None:
        """Adds what another counted."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def figures(self) -> dict[str, float]:
        """Citing nothing is never wrong."""
        cited = self.right + self.wrong
        found = {"precision": self.right / cited if cited else 1.0, "recall": self.found / max(self.answering, 1)}
        return found | ({"silent": self.silent / self.unanswerable} if self.unanswerable else {})


Tallies = dict[str, Tally]


def tallies(recorded: Json) -> Tallies:
    """As a piece of the measurement wrote them."""
    return {name: Tally(**each) for name, each in recorded.items()}


def take(mine: Tallies, others: Tallies) -> None:
    """Adds what others counted."""
    for name, tally in others.items():
        mine.setdefault(name, Tally()).take(tally)


def figures(measured: Mapping[str, Tally]) -> dict[str, float]:
    """Those of the authored set by their plain names."""
    return {
        figure if name == AUTHORED else f"{figure}, {name}": value
        for name, tally in measured.items()
        for figure, value in tally.figures.items()
    }
