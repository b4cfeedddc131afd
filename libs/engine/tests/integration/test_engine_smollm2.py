"""The converted SmolLM2 against transformers, and the engine against the training forward."""

import json
import random

import numpy as np
import pytest
import torch
from engine import Chunk, ModelFolder, Request, Sampling
from engine.batch import Scheduler
from engine.grammar import Grammars
from engine.llama import Llama, Runner, load
from engine.segment import Segment
from engine.waiting import Capacity
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

TEXT = (
    "<|im_start|>user\nCreatinine rose from 1.1 to 1.9 mg/dL on metformin. What changed?<|im_end|>\n"
    "<|im_start|>assistant\n"
)
GRAMMAR = 'root ::= ("latest F" | "trend F" | "propose review F") [1-9] [0-9]? | "finish"'


@pytest.fixture(scope="module")
def prompts(tokenizer: Tokenizer) -> list[Request]:
    """Prompts that share beginnings, free and bound, greedy and drawn."""
    ids, chance, made = tokenizer.encode(TEXT).ids, random.Random(4), []
    for number in range(16):
        more = [chance.randrange(3, 40000) for _ in range(number * 4)]
        sampling = Sampling(temperature=0.9 if number % 2 else 0.0, top_p=0.95, seed=number)
        made.append(Request(tuple(ids + more), 20, sampling, GRAMMAR if number % 4 == 3 else "", (2,)))
    return made


def served(network: Llama, grammars: Grammars, requests: list[Request], precision: str) -> list[Chunk]:
    scheduler = Scheduler(Runner(network, 12, 1024, precision), grammars, Capacity(active=8, prefill=64))  # type: ignore[arg-type]
    chunks = [Chunk() for _ in requests]
    for request, chunk in zip(requests, chunks, strict=True):
        scheduler.submit(scheduler.prepare(request, chunk.extend))  # type: ignore[arg-type]
    while scheduler.step():
        pass
    return chunks


def largest_gap(network: Llama, requests: list[Request], chunks: list[Chunk]) -> float:
    """Largest difference between served log-probabilities and those of the training forward."""
    with torch.no_grad():
        trained = [network.log_probs(r.input_ids, c.output_ids) for r, c in zip(requests, chunks, strict=True)]
    return max(float(np.abs(t.numpy() - c.log_probs).max()) for t, c in zip(trained, chunks, strict=True))


def test_logits_are_those_of_transformers(folder: ModelFolder, network: Llama, tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(TEXT * 3).ids
    reference = LlamaForCausalLM.from_pretrained(folder.path, dtype=torch.float32).train(mode=False)
    with torch.inference_mode():
        expected = reference(torch.tensor([ids])).logits[0]
        found = network.in_precision("float32")([Segment(0, 0, ids, len(ids))])
    difference = (expected - found).abs().max().item()
    print(f"largest difference of logits to transformers: {difference:.1e}")
    assert difference < 2e-3
    assert (expected.argmax(-1) == found.argmax(-1)).all()


def test_training_and_serving_agree_in_deterministic_mode(
    folder: ModelFolder, grammars: Grammars, prompts: list[Request]
) -> None:
    network = load(folder).eval()
    chunks = served(network, grammars, prompts, "float64")
    gap = largest_gap(network, prompts, chunks)
    print(f"train = serve, deterministic: largest gap {gap:.1e} over {sum(len(c.output_ids) for c in chunks)} tokens")
    assert gap < 1e-6


def test_training_and_serving_agree_as_served(folder: ModelFolder, grammars: Grammars, prompts: list[Request]) -> None:
    network = load(folder).eval()
    gap = largest_gap(network, prompts, served(network, grammars, prompts, "float32"))
    print(f"train = serve, as served: largest gap {gap:.1e}")
    assert gap < 0.01


def test_the_manifest_names_every_file_of_the_model(folder: ModelFolder) -> None:
    manifest = json.loads((folder.path / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {"model.safetensors", "config.json", "tokenizer.json"}
    assert folder.sha256 == manifest["sha256"]
    assert manifest["licence"] == "Apache-2.0"
