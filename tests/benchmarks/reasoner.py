"""Tokens per second through Triton, beside the same engine with the same batching in this process."""

import asyncio
import threading
import time
from pathlib import Path

import numpy as np
from engine import Chunk, ModelFolder, Request, Sampling, open_folder
from engine.batch import Scheduler
from engine.grammar import Grammars
from engine.llama import Runner, load
from engine.waiting import Capacity
from engine.worker import Worker
from native_stack import Stack
from servicekit.triton import Tensors, TritonClient
from tokenizers import Tokenizer

from tests.results import ROOT, Result

TOKENS = 64
CONCURRENCY = (1, 4, 8)
OUTPUTS = ("OUTPUT_IDS", "FINISH_REASON")


def run(folder: Path) -> Result:
    """First in process, then (with that engine closed) through Triton; the cores are never shared by both."""
    model = open_folder(ROOT / "var" / "models" / "smollm2")
    prompt = Tokenizer.from_file(str(model.tokenizer)).encode("The kidneys filter the blood and").ids
    inside = _in_process(model, prompt)
    stack = Stack(folder / "stack")
    try:
        stack.up(parts=("triton",), models=("reasoner",), free_ports=True, owned=True)
        through = asyncio.run(_through_triton(stack.endpoints()["LONGITUDE_TRITON"], prompt))
    finally:
        stack.down()
    figures = {f"through_triton_ratio_{n}": through[n][0] / inside[n] for n in CONCURRENCY}
    figures |= {f"tokens_per_s_{n}": through[n][0] for n in CONCURRENCY}
    figures |= {f"first_token_ms_{n}": through[n][1] * 1000 for n in CONCURRENCY}
    return Result(
        name="reasoner",
        n=TOKENS,
        figures=figures,
        peers={"the same engine in process": {f"tokens_per_s_{n}": inside[n] for n in CONCURRENCY}},
        note=f"{TOKENS} tokens a request, free decoding, 2 threads",
    )


def _in_process(model: ModelFolder, prompt: list[int]) -> dict[int, float]:
    runner = Runner(load(model, threads=2), 12, 2048, "float32")
    grammars = Grammars(model.tokenizer, runner.vocabulary, [])
    with Worker(Scheduler(runner, grammars, Capacity())) as worker:
        _batch(worker, prompt, 2)
        return {n: _batch(worker, prompt, n) for n in CONCURRENCY}


def _batch(worker: Worker, prompt: list[int], concurrent: int) -> float:
    done = threading.Semaphore(0)
    made = 0

    def emit(chunk: Chunk | Exception) -> None:
        nonlocal made
        if isinstance(chunk, Exception):
            raise chunk
        made += len(chunk.output_ids)
        if chunk.finish_reason is not None:
            done.release()

    began = time.perf_counter()
    for seed in range(concurrent):
        worker.submit(Request(tuple(prompt), TOKENS, Sampling(temperature=1.0, top_p=1.0, seed=seed)), emit)
    for _ in range(concurrent):
        done.acquire()
    return made / (time.perf_counter() - began)


async def _through_triton(endpoint: str, prompt: list[int]) -> dict[int, tuple[float, float]]:
    async with TritonClient.connect(endpoint) as client:
        await _ask(client, prompt, 0)
        return {n: await _together(client, prompt, n) for n in CONCURRENCY}


async def _together(client: TritonClient, prompt: list[int], concurrent: int) -> tuple[float, float]:
    began = time.perf_counter()
    answers = await asyncio.gather(*(_ask(client, prompt, seed) for seed in range(concurrent)))
    seconds = time.perf_counter() - began
    return sum(made for made, _ in answers) / seconds, max(first for _, first in answers)


async def _ask(client: TritonClient, prompt: list[int], seed: int) -> tuple[int, float]:
    """Tokens of one answer, and the seconds to its first."""
    inputs: Tensors = {
        "INPUT_IDS": np.array(prompt, np.int32),
        "MAX_TOKENS": np.array([TOKENS], np.int32),
        "TEMPERATURE": np.array([1.0], np.float32),
        "TOP_P": np.array([1.0], np.float32),
        "SEED": np.array([seed], np.int64),
        "GRAMMAR": np.array([b""], np.object_),
    }
    made, first, began = 0, 0.0, time.perf_counter()
    async for chunk in client.stream("reasoner", inputs, OUTPUTS, timeout_s=120):
        first = first or time.perf_counter() - began
        made += len(chunk["OUTPUT_IDS"])
    return made, first
