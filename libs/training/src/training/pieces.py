"""What one forward of a step holds: rollouts of one group, with what each of their tokens counts of the whole step."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import torch
from engine.llama import Llama
from torch import Tensor

from training.batches import Batch, Sample
from training.objectives import Tokens, shares
from training.scoring import scores, served


@dataclass(slots=True)
class Piece:
    """Numbers stand for choices alone, sample by sample. `before` and `reference` are filled in by the first pass."""

    samples: list[Sample]
    shares: list[float]
    before: Tensor | None = None
    reference: Tensor | None = None

    def scored(self, network: Llama) -> Tensor:
        """Log-probabilities under the grammar."""
        numbers = scores(network, [sample.rollout for sample in self.samples])
        return torch.cat(
            [part[torch.tensor(one.rollout.choices)] for part, one in zip(numbers, self.samples, strict=True)]
        )

    def tokens(self, network: Llama) -> Tokens:
        now = self.scored(network)
        if self.before is None:
            self.before = now.detach()
        return Tokens(
            now,
            self.before,
            now.new_tensor([value for sample in self.samples for value in _of_choices(sample, served(sample.rollout))]),
            now.new_tensor([value for sample in self.samples for value in _of_choices(sample, sample.advantages)]),
            torch.tensor(
                [n for n, one in enumerate(self.samples) for _ in range(one.rollout.tokens)], device=now.device
            ),
        )


def pieces_of(batch: Batch, size: int, *, per_rollout: bool) -> list[Piece]:
    """The batch in pieces of at most `size` rollouts of one group; however it is cut, the step is the same."""
    parts = list(batch.parts(size))
    counts = [sample.rollout.tokens for part in parts for sample in part]
    share = iter(shares(counts, per_rollout=per_rollout))
    return [Piece(part, [one for sample in part for one in [next(share)] * sample.rollout.tokens]) for part in parts]


def _of_choices(sample: Sample, values: Sequence[float]) -> list[float]:
    return list(compress(values, sample.rollout.choices))
