"""The llama network in torch: one forward for serving (with a key-value cache) and for training (with gradients). With
the biases that its configuration may ask for it is that of Qwen2.

Beside the vLLM path and `checkpoint` the only module that imports torch. A forward takes *segments*, runs of tokens of
different sequences, so that prefill and decoding of many requests share one pass; each segment attends to its own slot
of the cache. Weights carry the names transformers gives them. `float64` is the deterministic mode: whatever the batch,
the chunks or the cache, log-probabilities agree to far below float32's resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from engine.folder import LlamaConfig, ModelFolder
from engine.sampling import Logits
from engine.segment import Segment

Precision = Literal["float32", "float64"]
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class Cache:
    """Keys and values of every layer for a fixed number of slots, allocated once."""

    def __init__(self, config: LlamaConfig, slots: int, context: int, precision: Precision = "float32") -> None:
        shape = (config.num_hidden_layers, slots, config.num_key_value_heads, context, config.head_size)
        self.keys = torch.empty(shape, dtype=_DTYPES[precision])
        self.values = torch.empty(shape, dtype=_DTYPES[precision])

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Gives slot `target` the first `length` positions of slot `source`."""
        for held in (self.keys, self.values):
            held[:, target, :, :length] = held[:, source, :, :length]

    def put(self, layer: int, segment: Segment, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores a segment's keys and values ([kv heads, tokens, size]) and returns the slot's up to its end."""
        held_keys, held_values = self.keys[layer, segment.slot], self.values[layer, segment.slot]
        held_keys[:, segment.start : segment.end] = keys
        held_values[:, segment.start : segment.end] = values
        return held_keys[:, : segment.end], held_values[:, : segment.end]


class Norm(nn.Module):
    """Root mean square normalisation (Zhang and Sennrich, 2019)."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding (Su et al., 2021) of [tokens, heads, size]."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Attention(nn.Module):
    """Grouped-query attention; the queries of one group ride together, so that keys are never copied."""

    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        self.layer, self.size = layer, config.head_size
        self.heads, self.groups = config.num_attention_heads, config.num_key_value_heads
        self.q_proj = nn.Linear(config.hidden_size, self.heads * self.size, bias=config.qkv_bias)
        self.k_proj = nn.Linear(config.hidden_size, self.groups * self.size, bias=config.qkv_bias)
        self.v_proj = nn.Linear(config.hidden_size, self.groups * self.size, bias=config.qkv_bias)
        self.o_proj = nn.Linear(self.heads * self.size, config.hidden_size, bias=False)

    def forward(self, x: Tensor, plan: "_Plan", cache: Cache | None) -> Tensor:
        queries = _rotated(self.q_proj(x).view(-1, self.heads, self.size), plan.cos, plan.sin)
        keys = _rotated(self.k_proj(x).view(-1, self.groups, self.size), plan.cos, plan.sin).transpose(0, 1)
        values = self.v_proj(x).view(-1, self.groups, self.size).transpose(0, 1)
        seen: list[tuple[Tensor, Tensor]] = []
        mixed = []
        for segment, rows, mask in zip(plan.segments, plan.rows, plan.masks, strict=True):
            seen.append(self._seen(segment, keys[:, rows], values[:, rows], seen, cache))
            mixed.append(self._attend(queries[rows], *seen[-1], mask))
        out: Tensor = self.o_proj(torch.cat(mixed))
        return out

    def _seen(
        self, segment: Segment, keys: Tensor, values: Tensor, seen: list[tuple[Tensor, Tensor]], cache: Cache | None
    ) -> tuple[Tensor, Tensor]:
        """Keys and values from the beginning of the segment's sequence to its end."""
        if cache is not None:
            return cache.put(self.layer, segment, keys, values)
        if segment.after is None:
            return keys, values
        before_keys, before_values = seen[segment.after]
        return torch.cat((before_keys, keys), dim=1), torch.cat((before_values, values), dim=1)

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        tokens = len(queries)
        grouped = (
            queries.view(tokens, self.groups, -1, self.size).permute(1, 2, 0, 3).reshape(self.groups, -1, self.size)
        )
        mixed = functional.scaled_dot_product_attention(grouped[None], keys[None], values[None], attn_mask=mask)[0]
        return mixed.view(self.groups, -1, tokens, self.size).permute(2, 0, 1, 3).reshape(tokens, -1)


class FeedForward(nn.Module):
    """The gated unit SwiGLU (Shazeer, 2020)."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        self.input_layernorm = Norm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = Norm(config.hidden_size, config.rms_norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, plan: "_Plan", cache: Cache | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), plan, cache)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


@dataclass(frozen=True)
class _Plan:
    """Where the tokens of one forward stand: rows of each segment, their rotations and their causal masks."""

    segments: Sequence[Segment]
    rows: list[slice]
    masks: list[Tensor | None]
    cos: Tensor
    sin: Tensor


class Body(nn.Module):
    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config, number) for number in range(config.num_hidden_layers))
        self.norm = Norm(config.hidden_size, config.rms_norm_eps)


class Llama(nn.Module):
    """The network. `forward` gives logits [sum of wanted, vocabulary]; `log_probs` is the training entry."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Body(config)
        if not config.tie_word_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self._group = config.num_attention_heads // config.num_key_value_heads
        self._set_rotations(torch.float32)

    def _set_rotations(self, dtype: torch.dtype) -> None:
        """Cosines and sines of every position, from angles in the precision they are used in."""
        size = self.config.head_size
        frequencies = self.config.rope_theta ** (-torch.arange(0, size, 2, dtype=dtype) / size)
        angles = torch.outer(torch.arange(self.config.max_position_embeddings, dtype=dtype), frequencies).repeat(1, 2)
        self.register_buffer("cos", angles.cos()[:, None], persistent=False)
        self.register_buffer("sin", angles.sin()[:, None], persistent=False)

    def in_precision(self, precision: Precision) -> "Llama":
        """The same network computing in `precision`."""
        self.to(_DTYPES[precision])
        self._set_rotations(_DTYPES[precision])
        return self

    @property
    def head(self) -> Tensor:
        """Weights [vocabulary, hidden] that turn a state into logits."""
        weight: Tensor = self.model.embed_tokens.weight if self.config.tie_word_embeddings else self.lm_head.weight
        return weight

    def forward(self, segments: Sequence[Segment], cache: Cache | None = None) -> Tensor:
        """Runs all segments at once. Without a cache gradients flow, and a segment may continue one before it."""
        plan = self._plan(segments)
        x = self._through(plan, cache)
        wanted = [x[rows][len(s.ids) - s.wanted :] for s, rows in zip(segments, plan.rows, strict=True) if s.wanted]
        if not wanted:
            return x.new_empty(0, self.config.vocab_size)
        return functional.linear(self.model.norm(torch.cat(wanted)), self.head)

    def states(self, segments: Sequence[Segment]) -> Tensor:
        """What the head turns into logits, [sum of tokens, hidden], with gradients: a trainer asks for few of them."""
        states: Tensor = self.model.norm(self._through(self._plan(segments), None))
        return states

    def _through(self, plan: _Plan, cache: Cache | None) -> Tensor:
        ids = [token for segment in plan.segments for token in segment.ids]
        x: Tensor = self.model.embed_tokens(torch.tensor(ids, device=self.cos.device))
        for layer in self.model.layers:
            x = layer(x, plan, cache)
        return x

    def log_probs(self, observation_ids: Sequence[int], action_ids: Sequence[int]) -> Tensor:
        """Natural log-probability of each action token after the observation: what training differentiates."""
        ids = [*observation_ids, *action_ids][:-1]
        logits = self([Segment(0, 0, ids, len(action_ids))])
        chosen = torch.tensor(list(action_ids), device=logits.device)[:, None]
        picked: Tensor = torch.log_softmax(logits, dim=-1).gather(1, chosen)[:, 0]
        return picked

    def _plan(self, segments: Sequence[Segment]) -> _Plan:
        ends = np.cumsum([len(segment.ids) for segment in segments]).tolist()
        rows = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        positions = torch.cat([torch.arange(segment.start, segment.end) for segment in segments])
        return _Plan(segments, rows, [self._mask(s) for s in segments], self.cos[positions], self.sin[positions])

    def _mask(self, segment: Segment) -> Tensor | None:
        """Which keys a segment's queries may see; a single token sees all."""
        if len(segment.ids) == 1:
            return None
        places = torch.arange(segment.end, device=self.cos.device)
        return (places <= places[segment.start :, None]).repeat(self._group, 1)


class Runner:
    """A network with its cache, spoken to in numpy: what the scheduler needs and nothing of torch."""

    def __init__(self, network: Llama, slots: int, context: int, precision: Precision = "float32") -> None:
        self.network = network.in_precision(precision).eval()
        self.slots, self.context = slots, min(context, network.config.max_position_embeddings)
        self.vocabulary = network.config.vocab_size
        self._cache = Cache(network.config, slots, self.context, precision)

    def forward(self, segments: Sequence[Segment]) -> list[Logits]:
        """Logits [wanted, vocabulary] of each segment."""
        with torch.inference_mode():
            logits = self.network(segments, self._cache).numpy()
        return np.split(logits, np.cumsum([segment.wanted for segment in segments])[:-1])

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        with torch.inference_mode():
            self._cache.copy_prefix(source, target, length)


def load(folder: ModelFolder, threads: int = 2) -> Llama:
    """The network of a converted model folder, in float32."""
    torch.set_num_threads(threads)
    with torch.device("meta"):
        network = Llama(folder.config)
    network.load_state_dict(load_file(folder.weights), strict=True, assign=True)
    network._set_rotations(torch.float32)  # noqa: SLF001 - tables are computed, not loaded
    return network


def training_log_probs(network: Llama, observation_ids: Sequence[int], action_ids: Sequence[int]) -> list[float]:
    """`Llama.log_probs` as numbers: the training forward, without cache or batch."""
    with torch.inference_mode():
        scores: list[float] = network.log_probs(observation_ids, action_ids).tolist()
    return scores
