"""How far log-probabilities as served are from those of the training forward, over the same tokens.

What was trained is what is served only while this gap is small: a trainer takes the exponential of such differences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

LIMIT = 0.01  # of one token, in natural logarithms, for float32


@dataclass(frozen=True)
class Gap:
    """Largest and mean absolute difference over `tokens` tokens."""

    largest: float = 0.0
    mean: float = 0.0
    tokens: int = 0

    def joined(self, other: "Gap") -> "Gap":
        """Of both together."""
        tokens = self.tokens + other.tokens
        mean = (self.mean * self.tokens + other.mean * other.tokens) / max(1, tokens)
        return Gap(max(self.largest, other.largest), mean, tokens)

    @property
    def small(self) -> bool:
        """False also when a log-probability is no number."""
        return self.largest < LIMIT


def gap(served: Sequence[float], trained: Sequence[float]) -> Gap:
    """Of one sequence; the two have one length."""
    differences = np.abs(np.subtract(served, trained, dtype=np.float64))
    if not len(differences):
        return Gap()
    largest = float(differences.max())  # nan wins over every number
    return Gap(largest if np.isfinite(largest) else float("inf"), float(differences.mean()), len(differences))


def joined(gaps: Iterable[Gap]) -> Gap:
    whole = Gap()
    for each in gaps:
        whole = whole.joined(each)
    return whole
