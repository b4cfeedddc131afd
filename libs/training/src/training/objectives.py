"""What a step makes larger: one number of each action token, from its log-probabilities and its advantage.

All of them see log-probabilities under the grammar. Forced tokens are no part of a sum or a count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Tokens:
    """Action tokens that were a choice, of some rollouts one after the other.

    Log-probabilities under the grammar: `now`, with gradients; `before`, by the training forward when the step began;
    as `served`. `rollout` numbers the rollout of each, from 0.
    """

    now: Tensor
    before: Tensor
    served: Tensor
    advantages: Tensor
    rollout: Tensor

    @property
    def ratio(self) -> Tensor:
        return (self.now - self.before).exp()


class Objective(Protocol):
    """`gains` are to be made larger. `per_rollout`: their mean is taken in each rollout first, then over rollouts; else
    over all tokens at once. `compares`: it needs groups that differ, by weights that are known.
    """

    @property
    def per_rollout(self) -> bool: ...

    @property
    def compares(self) -> bool: ...

    def gains(self, tokens: Tokens) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Supervised:
    """The gain is A log p(a): the likelihood of what an oracle chose under the grammar, weighted by its advantage."""

    per_rollout: bool = False
    compares: bool = False

    def gains(self, tokens: Tokens) -> Tensor:
        return tokens.now * tokens.advantages


@dataclass(frozen=True, slots=True)
class Sapo:
    """The gain is f(r) A with f(r) = 4 / tau * sigmoid(tau (r - 1)), tau_neg where A is below 0.

    Source: Soft Adaptive Policy Optimization (arXiv 2511.20347). The gradient fades softly on both sides of r = 1,
    where it is that of the plain policy gradient, and faster of what is made less likely.
    """

    positive: float = 1.0
    negative: float = 1.05
    per_rollout: bool = True
    compares: bool = True

    def gains(self, tokens: Tokens) -> Tensor:
        tau = torch.where(tokens.advantages >= 0, self.positive, self.negative)
        return 4 / tau * torch.sigmoid(tau * (tokens.ratio - 1)) * tokens.advantages


@dataclass(frozen=True, slots=True)
class Gspo:
    """The gain is min(s A, clip(s, 1 - low, 1 + high) A) with s = exp(mean of log ratio over the rollout).

    Source: Group Sequence Policy Optimization (arXiv 2507.18071), in its form for advantages of tokens: the value of s
    is the rollout's, its gradient at a token that token's.
    """

    low: float = 3e-4
    high: float = 4e-4
    per_rollout: bool = True
    compares: bool = True

    def gains(self, tokens: Tokens) -> Tensor:
        logs = _mean_by(tokens.rollout, (tokens.now - tokens.before).detach())[tokens.rollout]
        ratio = logs.exp() * (tokens.now - tokens.now.detach()).exp()
        return _clipped(ratio, tokens.advantages, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Dapo:
    """The gain is min(r A, clip(r, 1 - low, 1 + high) A), the upper bound further away, mean over all tokens.

    Source: DAPO (arXiv 2503.14476): clip-higher and the token-level mean.
    """

    low: float = 0.2
    high: float = 0.28
    per_rollout: bool = False
    compares: bool = True

    def gains(self, tokens: Tokens) -> Tensor:
        return _clipped(tokens.ratio, tokens.advantages, self.low, self.high)


def importance(tokens: Tokens, cap: float) -> Tensor:
    """The weight min(exp(before - served), cap): from what served to what trains, without gradients.

    Source: truncated importance sampling (Ionides, 2008; between engines: Yao et al., 2025), with a cap of 2 in verl.
    It is also what corrects a group that weights of one step before chose.
    """
    return (tokens.before - tokens.served).detach().exp().clamp(max=cap)


def k3(now: Tensor, reference: Tensor) -> Tensor:
    """The estimate exp(q - p) - 1 - (q - p), q the reference: of no token below 0, in the mean KL(p, q).

    Source: Schulman, Approximating KL divergence (2020).
    """
    gap = reference - now
    return gap.exp() - 1 - gap


def shares(counts: Sequence[int], *, per_rollout: bool) -> list[float]:
    """What each token of each rollout counts of the whole, from how many choices each has; all tokens together 1."""
    if not per_rollout:
        return [1 / max(1, sum(counts))] * len(counts)
    rollouts = sum(count > 0 for count in counts)
    return [1 / (count * rollouts) if count else 0.0 for count in counts]


def _clipped(ratio: Tensor, advantages: Tensor, low: float, high: float) -> Tensor:
    return torch.minimum(ratio * advantages, ratio.clamp(1 - low, 1 + high) * advantages)


def _mean_by(rollout: Tensor, values: Tensor) -> Tensor:
    sums = values.new_zeros(int(rollout.max()) + 1).index_add(0, rollout, values)
    return sums / torch.bincount(rollout).clamp(min=1)
