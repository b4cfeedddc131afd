"""Starts vLLM in this process; the only module that imports it. Needs a GPU, and `libs/engine[vllm]`.

One engine in one process on one GPU: the chooser must share memory with vLLM's model runner. What would take the logits
out of its hands is switched off: other processes, the second model runner, asynchronous scheduling, speculation.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, cast

os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_USE_V2_MODEL_RUNNER": "0", "VLLM_NO_USAGE_STATS": "1"}

from torch import Tensor
from vllm import EngineArgs, SamplingParams
from vllm.inputs import TokensPrompt
from vllm.outputs import RequestOutput
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.llm_engine import LLMEngine
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor
from vllm.v1.sample.logits_processor.builtin import process_dict_updates

from engine.folder import ModelFolder
from engine.grammar import Grammars
from engine.vllm.chooser import Chooser
from engine.vllm.course import Course
from engine.vllm.scheduler import Stepped, VllmScheduler
from engine.waiting import Capacity

_NAME = "longitude"


def start(setting: Mapping[str, str], folder: ModelFolder, grammars: Grammars, limits: Capacity) -> VllmScheduler:
    """Starts vLLM with the weights of a folder on the GPU. The settings are those of the reasoner's config.pbtxt."""
    courses: dict[str, Course] = {}
    arguments = EngineArgs(
        model=str(folder.path),
        skip_tokenizer_init=True,
        dtype=cast("Any", setting["PRECISION"]),
        max_model_len=int(setting["CONTEXT"]),
        max_num_seqs=limits.active,
        gpu_memory_utilization=float(setting["GPU_MEMORY"]),
        enable_prefix_caching=True,
        async_scheduling=False,
        generation_config="vllm",
        disable_log_stats=True,
        logits_processors=[_processor(courses)],
    )
    generator = _Vllm(LLMEngine.from_engine_args(arguments), int(setting["CONTEXT"]), folder.config.vocab_size)
    return VllmScheduler(generator, courses, grammars, limits)


class _Vllm:
    """vLLM as the scheduler speaks to it: token ids in, one token at a time out, always the likeliest."""

    def __init__(self, engine: LLMEngine, context: int, vocabulary: int) -> None:
        self.context, self.vocabulary = context, vocabulary
        self._engine = engine

    def add(self, name: str, input_ids: Sequence[int], max_tokens: int) -> None:
        params = SamplingParams(
            temperature=0.0,
            max_tokens=max_tokens,
            ignore_eos=True,  # when an output ends is for its course to say
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            extra_args={_NAME: name},
        )
        self._engine.add_request(name, TokensPrompt(prompt_token_ids=list(input_ids)), params)

    def step(self) -> list[Stepped]:
        return [
            Stepped(each.request_id, list(each.outputs[0].token_ids), each.finished, each.num_cached_tokens or 0)
            for each in self._engine.step()
            if isinstance(each, RequestOutput)
        ]

    def abort(self, name: str) -> None:
        self._engine.abort_request([name])


def _processor(courses: Mapping[str, Course]) -> type[LogitsProcessor]:
    """The chooser of these courses, as the class that vLLM makes its own instance of."""

    class Processor(LogitsProcessor):  # type: ignore[misc]
        def __init__(self, *_: object) -> None:
            self._chooser = Chooser(courses)

        def is_argmax_invariant(self) -> bool:
            return False

        def update_state(self, batch_update: BatchUpdate | None) -> None:
            process_dict_updates(self._chooser.requests, batch_update, _name)

        def apply(self, logits: Tensor) -> Tensor:
            return self._chooser.apply(logits)

    return Processor


def _name(params: SamplingParams, _input_ids: Any, _output_ids: Any) -> str | None:
    """Which course a row belongs to."""
    name: str | None = (params.extra_args or {}).get(_NAME)
    return name
