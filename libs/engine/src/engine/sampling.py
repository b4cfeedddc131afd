"""Choosing one token from logits: greedy, temperature and top-p, under a grammar's mask, repeatable by seed.

What is reported is measured *before* the mask, the temperature and top-p: the log-probability of the chosen token under
the network's full distribution, and the probability mass the mask left allowed. A trainer needs both; a renormalised
probability would put a term into its ratio that the network never had.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Sampling:
    """Temperature 0 is greedy. `top_p` keeps the smallest set of likeliest allowed tokens with that share."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def problem(self) -> str:
        """Why these parameters cannot be used; empty when they can."""
        if not 0.0 <= self.temperature <= 10.0:
            return "TEMPERATURE must be between 0 and 10"
        if not 0.0 < self.top_p <= 1.0:
            return "TOP_P must be above 0 and at most 1"
        return "" if 0 <= self.seed < 2**63 else "SEED must be between 0 and 2^63 - 1"


@dataclass(frozen=True)
class Choice:
    """A token, its natural log-probability before the mask, and the mass 0..1 that the mask allowed."""

    token: int
    log_prob: float
    allowed_mass: float


def log_normaliser(logits: Logits) -> float:
    """log(sum(exp(logits))), summed in double precision."""
    top = logits.max()
    return float(top) + float(np.log(np.exp(logits - top).sum(dtype=np.float64)))


def choose(logits: Logits, allowed: npt.NDArray[np.intp] | None, sampling: Sampling, position: int) -> Choice:
    """Picks the token that follows; `allowed` holds ascending token ids, None allows all.

    The same logits, mask, sampling and position give the same token: chance is a function of seed and position.
    """
    normaliser = log_normaliser(logits)
    candidates = logits if allowed is None else logits[allowed]
    index = _pick(candidates.astype(np.float64), sampling, position)
    token = index if allowed is None else int(allowed[index])
    mass = 1.0 if allowed is None else min(1.0, float(np.exp(candidates - normaliser).sum(dtype=np.float64)))
    return Choice(token, float(logits[token]) - normaliser, mass)


def scored(logits: Logits, token: int) -> Choice:
    """What is reported of a token the grammar forced: the mask allowed exactly that token's probability."""
    log_prob = float(logits[token]) - log_normaliser(logits)
    return Choice(token, log_prob, float(np.exp(log_prob)))


def draw(seed: int, position: int) -> float:
    """Chance: a number in [0, 1) that is a function of seed and position."""
    return float(np.random.Generator(np.random.Philox(key=seed, counter=position)).random())


def _pick(candidates: npt.NDArray[np.float64], sampling: Sampling, position: int) -> int:
    if sampling.temperature == 0.0 or len(candidates) == 1:
        return int(candidates.argmax())
    weights = np.exp((candidates - candidates.max()) / sampling.temperature)
    if sampling.top_p < 1.0:
        weights = np.where(_nucleus(weights, sampling.top_p), weights, 0.0)
    cumulated = weights.cumsum()
    return int(np.searchsorted(cumulated, draw(sampling.seed, position) * cumulated[-1], side="right"))


def _nucleus(weights: npt.NDArray[np.float64], top_p: float) -> npt.NDArray[np.bool_]:
    """The smallest set of largest weights that holds the share `top_p` (Holtzman et al., 2020)."""
    order = np.argsort(-weights, kind="stable")
    cumulated = weights[order].cumsum()
    kept = order[: int(np.searchsorted(cumulated, top_p * cumulated[-1])) + 1]
    inside = np.zeros(len(weights), dtype=np.bool_)
    inside[kept] = True
    return inside
