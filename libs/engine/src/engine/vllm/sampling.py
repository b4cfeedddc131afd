"""`engine.sampling.choose` for a whole batch of logits, on the device where they lie.

The same logits, mask, sampling and position give the same token as there: weights and sums are double precision, chance
is the same function of seed and position.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.sampling import Choice, Sampling, draw


@dataclass(frozen=True)
class Row:
    """What one row of logits is asked for; `allowed` holds ascending token ids, None allows all."""

    allowed: npt.NDArray[np.intp] | None
    sampling: Sampling
    position: int


def choose_rows(logits: Tensor, rows: Sequence[Row]) -> list[Choice]:
    """One choice for each row of `logits` ([rows, vocabulary])."""
    wide = logits.to(torch.float64)
    normalisers = wide.logsumexp(-1)
    candidates = wide.masked_fill(_forbidden(logits, rows), -torch.inf)
    masses = (candidates.logsumexp(-1) - normalisers).exp().clamp(max=1.0)
    tokens = _picked(candidates, [row.sampling for row in rows], [row.position for row in rows])
    log_probs = wide.gather(1, tokens[:, None])[:, 0] - normalisers
    return [Choice(*each) for each in zip(tokens.tolist(), log_probs.tolist(), masses.tolist(), strict=True)]


def _forbidden(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    forbidden = np.zeros(logits.shape, dtype=np.bool_)
    for number, row in enumerate(rows):
        if row.allowed is not None:
            forbidden[number] = True
            forbidden[number, row.allowed] = False
    return torch.from_numpy(forbidden).to(logits.device)


def _picked(candidates: Tensor, samplings: Sequence[Sampling], positions: Sequence[int]) -> Tensor:
    """Token ids [rows]; temperature 0 takes the likeliest."""
    greedy = candidates.argmax(-1)
    if all(sampling.temperature == 0.0 for sampling in samplings):
        return greedy
    temperatures = _column([sampling.temperature or 1.0 for sampling in samplings], candidates)
    weights = ((candidates - candidates.amax(-1, keepdim=True)) / temperatures).exp()
    weights = weights.masked_fill(_outside_nucleus(weights, samplings), 0.0)
    cumulated = weights.cumsum(-1)
    seeds = zip(samplings, positions, strict=True)
    draws = _column([draw(sampling.seed, position) for sampling, position in seeds], candidates)
    drawn = torch.searchsorted(cumulated, draws * cumulated[:, -1:], right=True)[:, 0]
    return torch.where(_column([s.temperature for s in samplings], candidates)[:, 0] == 0.0, greedy, drawn)


def _outside_nucleus(weights: Tensor, samplings: Sequence[Sampling]) -> Tensor:
    """What is not in the smallest set of largest weights that holds the share `top_p` (Holtzman et al., 2020)."""
    shares = [sampling.top_p for sampling in samplings]
    if all(share == 1.0 for share in shares):
        return torch.zeros_like(weights, dtype=torch.bool)
    ordered, order = weights.sort(dim=-1, descending=True, stable=True)
    cumulated = ordered.cumsum(-1)
    share = _column(shares, weights)
    last = torch.searchsorted(cumulated, share * cumulated[:, -1:])
    places = torch.arange(weights.shape[1], device=weights.device)
    outside = (places > last) & (share < 1.0)
    return torch.zeros_like(outside).scatter(1, order, outside)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, device=like.device)[:, None]
