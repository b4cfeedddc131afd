"""`make eval EVAL=letters`: does a search of a patient's letters find the piece that answers?

The pieces are cut as memory cuts them, and searched as memory searches them: in Qdrant's engine, by meaning
(all-MiniLM-L6-v2) and by words, fused by their reciprocal ranks. Beside: by meaning alone, and by words alone, as they
are found while the embedder is away. Figures: questions whose piece is the first, or among the first three or five,
over the letters and questions of `authored/letters.jsonl`, and `later` of `letters_later.jsonl`: another patient's, one
of them in German, written when all but the constant of the ranks was chosen.
"""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from memory.adapters.qdrant_edge import QdrantEdge
from memory.domain.chunks import cut
from memory.domain.vectors import IDENTIFIER, NOTES, Point
from memory.domain.words import asked, weighed

from tests.evals.retrieval import embed
from tests.results import Result

_FILES = {"": "letters.jsonl", "later, ": "letters_later.jsonl"}
_FOLDER = Path(__file__).parent / "authored"
_AMONG = (1, 3, 5)
_ONLY = {IDENTIFIER: [1]}
# The places of the pieces that were found, the best first.
Ranking = list[int]


def run(n: int | None, seed: int) -> Result:
    """All questions, or the first N of each patient; nothing is drawn."""
    figures: dict[str, dict[str, float]] = {}
    many = 0
    for name, file in _FILES.items():
        pieces, questions = _authored(_FOLDER / file)
        many += len(questions[:n])
        for way, ranks in _ranks(pieces, questions[:n]).items():
            shares = {f"{name}first {most}": _share(ranks, most) for most in _AMONG}
            figures.setdefault(way, {}).update(shares)
    return Result("letters", figures.pop("fused"), many, seed, figures)


def _ranks(pieces: Sequence[str], questions: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """Of each question's piece, by the way it is searched."""
    found = asyncio.run(_search(pieces, [question for question, _ in questions]))
    return {
        way: [_rank(holds, ranking, pieces) for (_, holds), ranking in zip(questions, rankings, strict=True)]
        for way, rankings in found.items()
    }


async def _search(pieces: Sequence[str], questions: Sequence[str]) -> dict[str, list[Ranking]]:
    """What memory's index finds for each question, by the way it is searched."""
    with tempfile.TemporaryDirectory() as folder:
        async with QdrantEdge.open(Path(folder)) as index:
            await index.ensure(NOTES)
            await index.upsert(NOTES, _points(pieces))
            found: dict[str, list[Ranking]] = {"fused": [], "by meaning": [], "by words": []}
            for question, direction in zip(questions, embed(questions).tolist(), strict=True):
                ways = {"fused": (direction, asked(question)), "by meaning": (direction, {})}
                for way, (vector, words) in (ways | {"by words": (None, asked(question))}).items():
                    hits = await index.fused(NOTES, vector, words, len(pieces), _ONLY)
                    found[way].append([UUID(hit.id).int for hit in hits])
            return found


def _points(pieces: Sequence[str]) -> list[Point]:
    """Each under its place."""
    vectors = embed(pieces).tolist()
    return [
        Point(str(UUID(int=place)), vector, {IDENTIFIER: 1}, weighed(piece))
        for place, (piece, vector) in enumerate(zip(pieces, vectors, strict=True))
    ]


def _rank(holds: str, ranking: Ranking, pieces: Sequence[str]) -> int:
    """The rank of the piece that answers, behind all where it was not found."""
    return next((rank for rank, place in enumerate(ranking, 1) if holds in pieces[place]), len(pieces) + 1)


def _share(ranks: Sequence[int], most: int) -> float:
    return sum(rank <= most for rank in ranks) / len(ranks)


def _authored(file: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The pieces of the letters; each question with words of the piece that answers it."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    pieces = [piece.text for row in rows if "text" in row for piece in cut(row["text"])]
    return pieces, [(row["question"], row["holds"]) for row in rows if "question" in row]
