"""The reasoner through a real Triton: the same tokens as in process, streamed, bounded, and cancelled when asked."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc.aio as triton_client
from engine import Chunk, Request, Sampling
from engine.batch import Scheduler
from engine.grammar import Grammars
from engine.llama import Llama, Runner
from testkit.calls import tls
from tokenizers import Tokenizer
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

GRAMMAR = 'root ::= "yes, " [a-z]{1,8} | "no"'


@pytest.fixture(scope="module")
def endpoint(folder: object, triton: Callable[..., str]) -> str:
    return triton("reasoner")


@pytest.fixture
async def client(endpoint: str) -> AsyncIterator[triton_client.InferenceServerClient]:
    made = triton_client.InferenceServerClient(endpoint, creds=tls().client())
    yield made
    await made.close()


def prompt(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n").ids)


def tensors(request: Request) -> list[triton_client.InferInput]:
    values: dict[str, Any] = {
        "INPUT_IDS": np.array(request.input_ids, np.int32),
        "MAX_TOKENS": np.array([request.max_tokens], np.int32),
        "TEMPERATURE": np.array([request.sampling.temperature], np.float32),
        "TOP_P": np.array([request.sampling.top_p], np.float32),
        "SEED": np.array([request.sampling.seed], np.int64),
        "GRAMMAR": np.array([request.grammar.encode()], np.object_),
    }
    made = []
    for name, value in values.items():
        made.append(triton_client.InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype)))
        made[-1].set_data_from_numpy(value)
    return made


async def answers(client: triton_client.InferenceServerClient, request: Request) -> list[Any]:
    async def ask() -> AsyncIterator[dict[str, Any]]:
        yield {"model_name": "reasoner", "inputs": tensors(request), "enable_empty_final_response": True}

    found = []
    async for result, error in client.stream_infer(ask(), stream_timeout=120):
        if error is not None:
            raise error
        found.append(result)
        if result.get_response().parameters["triton_final_response"].bool_param:
            break
    return found


def joined(results: list[Any], name: str) -> list[Any]:
    return [value for result in results for value in result.as_numpy(name).tolist()]


def in_process(network: Llama, grammars: Grammars, request: Request) -> Chunk:
    scheduler, whole = Scheduler(Runner(network, 1, 1024), grammars), Chunk()
    scheduler.submit(scheduler.prepare(request, whole.extend))  # type: ignore[arg-type]
    while scheduler.step():
        pass
    return whole


async def test_tokens_and_log_probabilities_are_those_of_the_engine_in_process(
    client: triton_client.InferenceServerClient, network: Llama, grammars: Grammars, tokenizer: Tokenizer
) -> None:
    for grammar in ("", GRAMMAR):
        ids = prompt(tokenizer, "Is the sky blue?")
        request = Request(ids, 12, Sampling(temperature=0.7, top_p=0.9, seed=5), grammar)
        served, expected = await answers(client, request), in_process(network, grammars, request)
        assert joined(served, "OUTPUT_IDS") == expected.output_ids
        assert joined(served, "FORCED") == expected.forced
        assert np.allclose(joined(served, "LOG_PROBS"), expected.log_probs, atol=1e-3)
        assert np.allclose(joined(served, "ALLOWED_MASS"), expected.allowed_mass, atol=1e-3)
        assert joined(served, "FINISH_REASON")[-1].decode() == str(expected.finish_reason)
        assert not any(joined(served, "FINISH_REASON")[:-1])


async def test_the_last_response_names_the_model_that_served(
    client: triton_client.InferenceServerClient, folder: Any, tokenizer: Tokenizer
) -> None:
    results = await answers(client, Request(prompt(tokenizer, "Hello"), 1))
    assert joined(results, "MODEL_SHA256")[-1].decode() == folder.sha256


async def test_tokens_are_streamed_before_the_request_is_done(
    client: triton_client.InferenceServerClient, tokenizer: Tokenizer
) -> None:
    results = await answers(client, Request(prompt(tokenizer, "Tell a story"), 16))
    assert len(results) > 4
    assert len(joined(results, "OUTPUT_IDS")) == 16


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"max_tokens": 0}, "MAX_TOKENS must be at least 1"),
        ({"max_tokens": 4000}, "do not fit the context of 2048 tokens"),
        ({"sampling": Sampling(temperature=-1)}, "TEMPERATURE must be between"),
        ({"sampling": Sampling(top_p=0)}, "TOP_P must be above 0"),
        ({"grammar": "root ::= missing"}, "cannot be compiled"),
        ({"grammar": 'root ::= "a" root'}, "no way out"),
        ({"input_ids": (70000,)}, "outside 0..49151"),
    ],
)
async def test_a_request_that_cannot_be_served_is_refused_with_the_reason(
    client: triton_client.InferenceServerClient, changes: dict[str, Any], text: str
) -> None:
    request = Request(**{"input_ids": (1, 2), "max_tokens": 4, **changes})
    with pytest.raises(InferenceServerException, match=re.escape(text)):
        await answers(client, request)


async def test_clients_that_leave_free_their_places_in_the_batch(
    client: triton_client.InferenceServerClient, tokenizer: Tokenizer
) -> None:
    async def ask() -> AsyncIterator[dict[str, Any]]:
        yield {"model_name": "reasoner", "inputs": tensors(Request(prompt(tokenizer, "Count"), 1900))}

    streams = [client.stream_infer(ask()) for _ in range(8)]  # as many as share a forward: all places are taken
    for stream in streams:
        await anext(aiter(stream))
    for stream in streams:
        stream.cancel()
    await asyncio.wait_for(answers(client, Request(prompt(tokenizer, "Hello"), 1)), timeout=60)
