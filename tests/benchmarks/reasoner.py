"""Tokens per second through Triton, beside the same engine with the same batching in this process."""

import asyncio
import threading
import time
from dataclasses import dataclass

import numpy as np
from engine import Chunk, ModelFolder, Request, Sampling, open_folder
from engine.batch import Scheduler
from engine.grammar import Grammars
from engine.llama import Runner, load
from engine.waiting import Capacity
from engine.worker import Worker
from servicekit.triton import Tensors, TritonClient
from tokenizers import Tokenizer

from tests.benchmarks.stacks import Stacks
from tests.results import ROOT, Result

OUTPUTS = ("OUTPUT_IDS", "FINISH_REASON")


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens of a request, and how many requests there are at the same time."""

    tokens: int = 64
    concurrency: tuple[int, ...] = (1, 4, 8)


FULL, SHORT = Size(), Size(4, (1, 2))


def run(stacks: Stacks, size: Size = FULL) -> Result:
    """First in process, then (with that engine closed) through Triton; the cores are never shared by both."""
    model = open_folder(ROOT / "var" / "models" / "smollm2")
    prompt = Tokenizer.from_file(str(model.tokenizer)).encode("The kidneys filter the blood and").ids
    inside = _in_process(model, prompt, size)
    with stacks(("triton",), ("reasoner",)) as endpoints:
        through = asyncio.run(_through_triton(endpoints["LONGITUDE_TRITON"], prompt, size))
    figures = {f"through_triton_ratio_{n}": through[n][0] / inside[n] for n in size.concurrency}
    figures |= {f"tokens_per_s_{n}": through[n][0] for n in size.concurrency}
    figures |= {f"first_token_ms_{n}": through[n][1] * 1000 for n in size.concurrency}
    return Result(
        name="reasoner",
        n=size.tokens,
        figures=figures,
        peers={"the same engine in process": {f"tokens_per_s_{n}": inside[n] for n in size.concurrency}},
        note=f"{size.tokens} tokens a request, free decoding, 2 threads",
    )


def _in_process(model: ModelFolder, prompt: list[int], size: Size) -> dict[int, float]:
    runner = Runner(load(model, threads=2), 12, 2048, "float32")
    grammars = Grammars(model.tokenizer, runner.vocabulary, [])
    with Worker(Scheduler(runner, grammars, Capacity())) as worker:
        _batch(worker, prompt, 2, size.tokens)
        return {n: _batch(worker, prompt, n, size.tokens) for n in size.concurrency}


def _batch(worker: Worker, prompt: list[int], concurrent: int, tokens: int) -> float:
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
        worker.submit(Request(tuple(prompt), tokens, Sampling(temperature=1.0, top_p=1.0, seed=seed)), emit)
    for _ in range(concurrent):
        done.acquire()
    return made / (time.perf_counter() - began)


async def _through_triton(endpoint: str, prompt: list[int], size: Size) -> dict[int, tuple[float, float]]:
    async with TritonClient.connect(endpoint) as client:
        await _ask(client, prompt, 0, size.tokens)
        return {n: await _together(client, prompt, n, size.tokens) for n in size.concurrency}


async def _together(client: TritonClient, prompt: list[int], concurrent: int, tokens: int) -> tuple[float, float]:
    began = time.perf_counter()
    answers = await asyncio.gather(*(_ask(client, prompt, seed, tokens) for seed in range(concurrent)))
    seconds = time.perf_counter() - began
    return sum(made for made, _ in answers) / seconds, max(first for _, first in answers)


async def _ask(client: TritonClient, prompt: list[int], seed: int, tokens: int) -> tuple[int, float]:
    """Tokens of one answer, and the seconds to its first."""
    inputs: Tensors = {
        "INPUT_IDS": np.array(prompt, np.int32),
        "MAX_TOKENS": np.array([tokens], np.int32),
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
