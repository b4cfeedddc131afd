"""What the semantic index is to this service, whoever keeps it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from memory.domain.words import EDITION, Weights

# Collections.
NOTES = "memory_notes"
EVIDENCE = "memory_evidence"
COLLECTIONS = (NOTES, EVIDENCE)

# The one payload field that searches filter by: the number of the patient identifier.
IDENTIFIER = "identifier"

# The two vectors of a point: its direction (Qdrant's unnamed vector) and its words.
MEANING = ""
WORDS = "words"
# The payload field with the edition (domain.words) that a point's words are of; those from before the second have none.
WORDS_EDITION = "words_edition"

DIMENSIONS = 384
# Of reciprocal rank fusion (Cormack et al. 2009): Qdrant's constant, for few pieces that answer. Words weigh a little
# more: where the first of one way is the second of the other they decide, since Qdrant leaves a tie to chance.
RANK = 2
BY_WORDS, BY_MEANING = 1.05, 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """What is known of a text under an id (a UUID), with the fields it can be filtered by.

    Either vector may be None: the words come before the embedder has seen the text, and evidence has none.
    """

    id: str
    vector: Sequence[float] | None
    payload: Mapping[str, int | str]
    words: Weights | None = None

    def stored(self) -> dict[str, int | str]:
        """The payload as it is kept."""
        return dict(self.payload) if self.words is None else {**self.payload, WORDS_EDITION: EDITION}


@dataclass(frozen=True, slots=True)
class Hit:
    """A point found. `score`: the cosine of the angle to the query, or the sum of the reciprocal ranks."""

    id: str
    score: float


Only = Mapping[str, Collection[int]]


class VectorIndex(Protocol):
    """Vectors by cosine and by words. Raises UnavailableError when the index cannot be reached."""

    async def ensure(self, collection: str) -> None:
        """Open the collection, make it if it is not there, and let one from before there were words have them.

        Comes before anything else.
        """

    async def upsert(self, collection: str, points: Sequence[Point]) -> None:
        """Write points, replacing those of the same id; on return they are on disk and found by searches."""

    async def add_words(self, collection: str, points: Sequence[Point]) -> None:
        """Write the words of points: those that are there keep their direction, the others have none yet.

        Words of an older edition are found until they are replaced.
        """

    async def search(self, collection: str, vector: Sequence[float], limit: int, only: Only | None = None) -> list[Hit]:
        """The nearest points, best first; `only` keeps those whose field has one of the values."""

    async def fused(
        self, collection: str, vector: Sequence[float] | None, words: Weights, limit: int, only: Only
    ) -> list[Hit]:
        """The best points by direction and by words, their ranks fused; without a direction, by words alone.

        How rare a word is, is counted among the points that `only` keeps: nobody's search depends on others' texts.
        """

    async def count(self, collection: str, vector: str = MEANING) -> int:
        """How many points of the collection have this vector; of WORDS, in today's edition."""
