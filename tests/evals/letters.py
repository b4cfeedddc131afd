"""`make eval EVAL=letters`: does a search of a patient's letters find the piece that answers?

The pieces are cut as memory cuts them, and searched as memory searches them: by meaning (all-MiniLM-L6-v2) and by
words, as Qdrant weighs them, fused by their reciprocal ranks. Beside: by meaning alone, and by words alone, as they are
found while the embedder is away. Figures: questions whose piece is the first, or among the first three or five, over
the letters and questions of `authored/letters.jsonl`, and `later` of `letters_later.jsonl`: another patient's, one of
them in German, written when all but the constant of the ranks was chosen.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from memory.domain.chunks import cut
from memory.domain.vectors import BY_MEANING, BY_WORDS, RANK
from memory.domain.words import asked, weighed

from tests.evals.retrieval import embed
from tests.results import Result

_FILES = {"": "letters.jsonl", "later, ": "letters_later.jsonl"}
_FOLDER = Path(__file__).parent / "authored"
_AMONG = (1, 3, 5)
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
    near = embed([question for question, _ in questions]) @ embed(pieces).T
    ranks: dict[str, list[int]] = {"fused": [], "by meaning": [], "by words": []}
    for (question, holds), cosines in zip(questions, near, strict=True):
        meaning = [int(place) for place in np.argsort(-cosines, kind="stable")]
        words = by_words(question, pieces)
        for way, ranking in (("fused", fused(meaning, words)), ("by meaning", meaning), ("by words", words)):
            ranks[way].append(_rank(holds, ranking, pieces))
    return ranks


def by_words(question: str, pieces: Sequence[str]) -> Ranking:
    """By the weights of the words in common, each times how rare it is among the pieces, as Qdrant counts that."""
    weights = [weighed(piece) for piece in pieces]
    holding = Counter(word for each in weights for word in each)
    rarity = {word: math.log(1 + (len(pieces) - many + 0.5) / (many + 0.5)) for word, many in holding.items()}
    scores = [math.fsum(rarity[word] * each[word] for word in asked(question) if word in each) for each in weights]
    return [place for place in sorted(range(len(pieces)), key=lambda place: -scores[place]) if scores[place] > 0]


def fused(meaning: Ranking, words: Ranking) -> Ranking:
    """By the sum of the reciprocal ranks, with the constants of memory's search."""
    scores: dict[int, float] = {}
    for ranking, weight in ((meaning, BY_MEANING), (words, BY_WORDS)):
        for rank, place in enumerate(ranking, 1):
            scores[place] = scores.get(place, 0.0) + 1 / (rank / weight + RANK - 1)
    return sorted(scores, key=lambda place: -scores[place])


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
