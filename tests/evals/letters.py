"""`make eval EVAL=letters`: does a search of a patient's letters find the piece that answers?

The pieces are cut as memory cuts them. By meaning (all-MiniLM-L6-v2, as memory searches), by words (weights of BM25
with the inverse document frequency of the patient's pieces, as a sparse vector would hold them) and both fused by their
reciprocal ranks. Figures: questions whose piece is the first, or among the first three or five, over the letters and
questions of `authored/letters.jsonl`.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from consult.context.relevance import terms
from memory.domain.chunks import cut

from tests.evals.retrieval import embed
from tests.results import Result

_FILE = Path(__file__).parent / "authored" / "letters.jsonl"
_AMONG = (1, 3, 5)
# BM25 (Robertson and Zaragoza 2009) and reciprocal rank fusion (Cormack et al. 2009), with their authors' constants.
_SATURATION, _BY_LENGTH, _RANK = 1.2, 0.75, 60
Ranking = list[int]


def run(n: int | None, seed: int) -> Result:
    """All questions; nothing is drawn."""
    pieces, asked = _authored()
    asked = asked[:n]
    found: dict[str, list[int]] = {name: [] for name in ("by meaning", "by words", "fused")}
    for question, holds in asked:
        meaning, words = by_meaning(question, pieces), by_words(question, pieces)
        for name, ranking in (("by meaning", meaning), ("by words", words), ("fused", fused(meaning, words))):
            found[name].append(_rank(holds, ranking, pieces))
    figures = {name: {f"first {most}": _share(ranks, most) for most in _AMONG} for name, ranks in found.items()}
    return Result("letters", figures.pop("by meaning"), len(asked), seed, figures)


def by_meaning(question: str, pieces: Sequence[str]) -> Ranking:
    """By the cosine."""
    return [int(place) for place in np.argsort(-(_vectors(tuple(pieces)) @ embed([question])[0]), kind="stable")]


def by_words(question: str, pieces: Sequence[str]) -> Ranking:
    """By the sum of the weights of the words in common."""
    spoken = [_counted(piece) for piece in pieces]
    mean = sum(words.total() for words in spoken) / len(spoken)
    held = Counter(word for words in spoken for word in words)
    asked = terms(question)

    def weight(words: Counter[str]) -> float:
        length = 1 - _BY_LENGTH + _BY_LENGTH * words.total() / mean
        return math.fsum(
            math.log(1 + (len(spoken) - held[word] + 0.5) / (held[word] + 0.5))
            * words[word]
            * (_SATURATION + 1)
            / (words[word] + _SATURATION * length)
            for word in asked & words.keys()
        )

    weights = [weight(words) for words in spoken]
    return [place for place in sorted(range(len(pieces)), key=lambda place: -weights[place]) if weights[place] > 0]


def fused(*rankings: Ranking) -> Ranking:
    """By the sum of the reciprocal ranks."""
    scores: Counter[int] = Counter()
    for ranking in rankings:
        for rank, place in enumerate(ranking, 1):
            scores[place] += 1 / (_RANK + rank)  # type: ignore[assignment]
    return sorted(scores, key=lambda place: -scores[place])


def _counted(piece: str) -> Counter[str]:
    return Counter(stem for word in piece.split() for stem in terms(word))


def _rank(holds: str, ranking: Ranking, pieces: Sequence[str]) -> int:
    """The rank of the piece that answers, behind all where it was not found."""
    return next((rank for rank, place in enumerate(ranking, 1) if holds in pieces[place]), len(pieces) + 1)


def _share(ranks: Sequence[int], most: int) -> float:
    return sum(rank <= most for rank in ranks) / len(ranks)


@cache
def _vectors(pieces: tuple[str, ...]) -> np.ndarray:  # type: ignore[type-arg]
    return embed(pieces)


def _authored() -> tuple[list[str], list[tuple[str, str]]]:
    """The pieces of the letters; each question with words of the piece that answers it."""
    rows = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]
    pieces = [piece.text for row in rows if "text" in row for piece in cut(row["text"])]
    return pieces, [(row["question"], row["holds"]) for row in rows if "question" in row]
