"""The cross-encoder: a sentence and its evidence, read together, to three logits.

Guarantee: what `trained` gives and `load` takes is all that training changed (adapters and head, 2.7 MB).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from entailment.encoder import WIDTH, Encoder, published

LABELS = ("supported", "contradicted", "unsupported")
# Tokens of sentence and evidence together; of a longer pair the end of the longer part is not read.
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs as token ids, mask and segment ids `[n, t]`, padded to the longest."""

    ids: Tensor
    mask: Tensor
    segments: Tensor


class Reader:
    """Pairs to batches, with the tokenizer of the published network."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(published() / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST, strategy="longest_first")
        self._tokenizer.enable_padding()

    def read(self, pairs: Sequence[tuple[str, str]], device: str = "cpu") -> Batch:
        return _batch(self._tokenizer.encode_batch([*pairs]), device)

    def read_alone(self, texts: Sequence[str]) -> Batch:
        """Single texts, as the published network reads them."""
        return _batch(self._tokenizer.encode_batch([*texts]), "cpu")


def _batch(encoded: Sequence[Encoding], device: str) -> Batch:
    columns = ("ids", "attention_mask", "type_ids")
    return Batch(*(torch.tensor([getattr(one, each) for one in encoded], device=device) for each in columns))


class CrossEncoder(nn.Module):
    """The means of both parts' states, their distance and product, and one linear map to logits in LABELS' order."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder.pretrained()
        self.head = nn.Linear(4 * WIDTH, len(LABELS))

    def forward(self, batch: Batch) -> Tensor:
        states = self.encoder(batch.ids, batch.mask, batch.segments)
        sentence = _mean(states, batch.mask * (1 - batch.segments))
        evidence = _mean(states, batch.mask * batch.segments)
        logits: Tensor = self.head(
            torch.cat([sentence, evidence, (sentence - evidence).abs(), sentence * evidence], dim=1)
        )
        return logits

    def trained(self) -> dict[str, Tensor]:
        """Adapters and head, in half precision."""
        return {name: each.detach().half().contiguous() for name, each in self.named_parameters() if each.requires_grad}

    def load(self, trained: dict[str, Tensor]) -> None:
        """ValueError if a tensor is missing or of another network."""
        wanted = {name for name, each in self.named_parameters() if each.requires_grad}
        if wanted != trained.keys():
            raise ValueError("these are not the weights of this network")
        self.load_state_dict({name: each.float() for name, each in trained.items()}, strict=False)


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)
