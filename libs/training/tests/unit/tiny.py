"""Networks of a few thousand random weights, and rollouts that it sampled itself, token by token."""

import json
import random
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from engine.folder import LLAMA, QWEN2, LlamaConfig, ModelFolder, open_folder, write_manifest
from engine.llama import Llama
from engine.sampling import Sampling, choose
from engine.segment import Segment
from safetensors.torch import save_file
from training.samples import Group, Ids, Rollout, Span, Turn

CONFIG = LlamaConfig(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=512,
    rope_theta=10000.0,
    rms_norm_eps=1e-5,
    tie_word_embeddings=True,
    eos_token_id=1,
)
QWEN2_CONFIG = replace(CONFIG, qkv_bias=True, tie_word_embeddings=False)
ACTIONS, END = range(10, 18), 2  # an action is `5 N 6`, or the end token alone: the first and last token are forced
MOST = 3

Worth = Callable[[list[int]], tuple[float, tuple[Span, ...]]]


def made(seed: int = 11, config: LlamaConfig = CONFIG) -> Llama:
    torch.manual_seed(seed)
    network = Llama(config)
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return network


def folder_of(network: Llama, path: Path) -> ModelFolder:
    path.mkdir()
    weights = {name: weight.detach().clone() for name, weight in network.state_dict().items()}
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    config = {name: value for name, value in asdict(network.config).items() if value is not None}
    kept = {"model_type": QWEN2 if network.config.qkv_bias else LLAMA, "hidden_act": "silu", "bos_token_id": 1}
    (path / "config.json").write_text(json.dumps(config | kept), encoding="utf-8")
    (path / "tokenizer.json").write_text('{"model": {"vocab": {}}, "added_tokens": []}', encoding="utf-8")
    write_manifest(path, {"name": path.name, "title": "Tiny", "licence": "Apache-2.0"})
    return open_folder(path)


def worth_by_number(chosen: list[int]) -> tuple[float, tuple[Span, ...]]:
    """Two actions are right; each other one is off the topic."""
    good = [number in (12, 15) for number in chosen]
    spans = tuple(Span(turn, 0.5 if one else -0.2, 1.0 if one else 0.9) for turn, one in enumerate(good))
    return len({number for number, one in zip(chosen, good, strict=True) if one}) / 2, spans


def rollout(
    network: Llama, prompt: Ids, seed: int, *, task: str = "t", version: int = 0, worth: Worth = worth_by_number
) -> Rollout:
    """Actions `5 N 6` until the end or three of them; the next observation is two tokens."""
    ids, turns, chosen, left = list(prompt), list[Turn](), list[int](), list(ACTIONS)
    observed = prompt
    while len(turns) < MOST:
        token, log_prob, mass = _chosen(network, [*ids, 5], (END, *left), seed + len(ids))
        action = (5, token, 6)
        turns.append(
            Turn(
                observed,
                action,
                (-1.0, log_prob, -1.0),
                (0.4, mass, 0.4),
                (True, False, True),
                ((5,), (END, *left), (6,)),
            )
        )
        ids += action
        if token == END:
            break
        chosen.append(token)
        left.remove(token)
        observed = (7, 20 + token)
        ids += observed
    reward, spans = worth(chosen)
    return Rollout(task, tuple(turns), reward, spans, reward, version=version)


def _chosen(network: Llama, ids: list[int], allowed: Ids, seed: int) -> tuple[int, float, float]:
    with torch.no_grad():
        logits = network([Segment(0, 0, ids, 1)])[0].double().numpy()
    choice = choose(logits, np.array(sorted(allowed)), Sampling(1.0, seed=seed), len(ids))
    return choice.token, choice.log_prob, choice.allowed_mass


def group(network: Llama, seed: int, size: int = 8, *, version: int = 0, worth: Worth = worth_by_number) -> Group:
    chance = random.Random(seed)
    prompt = (1, *(chance.randrange(30, 60) for _ in range(chance.randint(5, 20))))
    return tuple(
        rollout(network, prompt, 1000 * seed + 17 * number, task=f"t{seed}", version=version, worth=worth)
        for number in range(size)
    )


class Policy:
    """A source that asks the network itself, some groups a step."""

    def __init__(self, network: Llama, groups: int = 2, worth: Worth = worth_by_number) -> None:
        self._network, self._groups, self._worth = network, groups, worth

    def groups(self, step: int) -> list[Group]:
        seeds = range(step * self._groups, (step + 1) * self._groups)
        return [group(self._network, 100 + seed, version=step, worth=self._worth) for seed in seeds]
