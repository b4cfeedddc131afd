"""Our chooser inside vLLM's own sampler. Needs vLLM, and no GPU."""

from typing import Any

import numpy as np
import pytest
import torch
from engine.request import Request
from engine.sampling import Sampling, choose
from engine.vllm.course import Course
from engine.waiting import Prepared

vllm = pytest.importorskip("vllm", reason="NOT RUN: vLLM is not installed: `uv pip install libs/engine[vllm]`")
start = pytest.importorskip("engine.vllm.start")
logits_processor = pytest.importorskip("vllm.v1.sample.logits_processor")
metadata = pytest.importorskip("vllm.v1.sample.metadata")
sampler = pytest.importorskip("vllm.v1.sample.sampler")

SAMPLINGS = [Sampling(temperature=1.0, seed=seed) for seed in range(3)]


@pytest.fixture
def processor() -> Any:
    """As vLLM makes it, with three requests; then the first and the last change their rows."""
    courses = {str(n): Course(Prepared(Request((1, 2), 4, s), print, None)) for n, s in enumerate(SAMPLINGS)}
    made = start._processor(courses)(None, torch.device("cpu"), False)
    params = [vllm.SamplingParams(temperature=0.0, extra_args={start._NAME: str(n)}) for n in range(3)]
    added: list[Any] = [(n, each, [1, 2], []) for n, each in enumerate(params)]
    made.update_state(logits_processor.BatchUpdate(3, [], added, []))
    made.update_state(logits_processor.BatchUpdate(3, [], [], [(0, 2, logits_processor.MoveDirectionality.SWAP)]))
    return made


def test_vllm_samples_the_token_that_was_chosen_for_the_row(processor: Any) -> None:
    asked = metadata.SamplingMetadata(
        temperature=None,
        all_greedy=True,
        all_random=False,
        top_p=None,
        top_k=None,
        generators={},
        max_num_logprobs=None,
        no_penalties=True,
        prompt_token_ids=None,
        frequency_penalties=torch.zeros(3),
        presence_penalties=torch.zeros(3),
        repetition_penalties=torch.ones(3),
        output_token_ids=[[], [], []],
        allowed_token_ids_mask=None,
        bad_words_token_ids={},
        logitsprocs=logits_processor.LogitsProcessors([processor]),
    )
    logits = np.random.default_rng(2).normal(size=(3, 50)).astype(np.float32)
    expected = [choose(row, None, SAMPLINGS[n], 0).token for row, n in zip(logits, (2, 1, 0), strict=True)]
    assert expected != logits.argmax(-1).tolist()
    with torch.inference_mode():
        sampled = sampler.Sampler()(torch.from_numpy(logits.copy()), asked).sampled_token_ids
    assert sampled.flatten().tolist() == expected
