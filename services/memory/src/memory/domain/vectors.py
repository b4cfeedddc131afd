"""What the semantic index is to this service, whoever keeps it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# Collections.
NOTES = "memory_notes"
EVIDENCE = "memory_evidence"
COLLECTIONS = (NOTES, EVIDENCE)

# The one payload field that searches filter by: the number of the patient identifier.
IDENTIFIER = "identifier"

DIMENSIONS = 384


@dataclass(frozen=True, slots=True)
class Point:
    """A vector under an id (a UUID), with the fields it can be filtered by."""

    id: str
    vector: Sequence[float]
    payload: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A point found. `score` is the cosine of the angle to the query, 1 for the same direction."""

    id: str
    score: float


class VectorIndex(Protocol):
    """Vectors by cosine. Raises UnavailableError when the index cannot be reached."""

    async def ensure(self, collection: str) -> None:
        """Open the collection, and make it if it is not there. Comes before anything else."""

    async def upsert(self, collection: str, points: Sequence[Point]) -> None:
        """Write points, replacing those of the same id; on return they are on disk and found by searches."""

    async def search(
        self,
        collection: str,
        vector: Sequence[float],
        limit: int,
        only: Mapping[str, Collection[int]] | None = None,
    ) -> list[Hit]:
        """The nearest points, best first; `only` keeps those whose field has one of the values."""

    async def count(self, collection: str) -> int:
        """How many points the collection holds."""
