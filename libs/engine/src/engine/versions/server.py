"""One Triton under explicit model control: a candidate beside the live model, versions loaded and unloaded, answers.

Whatever is loaded or unloaded, requests in flight run to their end where they began, and others are answered meanwhile.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc
import numpy as np
import tritonclient.grpc.aio as triton
from contracts.tls import Tls
from contracts.triton import control
from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from engine.request import Request

MODEL = "reasoner"
CANDIDATE = "reasoner_candidate"
LOADS_WITHIN_S = 600.0
ANSWERS_WITHIN_S = 300.0


class ServerError(Exception):
    """Triton is unreachable, or refused to load or to answer; the text has its reason."""


@dataclass(frozen=True)
class Served:
    """An answer, and which version gave it."""

    output_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    sha256: str
    version: str


class Server:
    """Speaks to the Triton at `endpoint` about the model whose folder of the repository is `model`."""

    def __init__(self, client: triton.InferenceServerClient, endpoint: str, model: Path) -> None:
        self._client, self.endpoint, self._model = client, endpoint, model

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str, model: Path) -> AsyncIterator[Self]:
        tls = Tls.of(os.environ)
        client = triton.InferenceServerClient(endpoint, creds=tls and tls.client())
        try:
            yield cls(client, endpoint, model)
        finally:
            await client.close()

    async def load(self, numbers: list[int]) -> None:
        """Loads exactly these versions; those that are loaded and stay are not touched."""
        config = self._config()
        config.version_policy.specific.versions.extend(numbers)
        await self._load(MODEL, config, {})

    @asynccontextmanager
    async def candidate(self, version: str) -> AsyncIterator[None]:
        """A candidate, loaded from what `version.json` would say, under a name that nobody but a check asks."""
        config = self._config()
        config.name = CANDIDATE
        files = {
            "file:1/model.py": (self._model / "1" / "model.py").read_bytes(),
            "file:1/version.json": version.encode(),
        }
        await self._load(CANDIDATE, config, files)
        try:
            yield
        finally:
            await self._unload(CANDIDATE)

    async def ask(self, request: Request, model: str = MODEL, version: str = "") -> Served:
        """One answer; without a version, of the live one."""

        async def asked() -> AsyncIterator[dict[str, Any]]:
            yield {
                "model_name": model,
                "model_version": version,
                "inputs": _inputs(request),
                "enable_empty_final_response": True,
            }

        try:
            answers = self._client.stream_infer(asked(), stream_timeout=ANSWERS_WITHIN_S)
            return await _collected(answers)
        except (InferenceServerException, grpc.aio.AioRpcError) as error:
            raise ServerError(f"{model} on {self.endpoint} does not answer: {_reason(error)}") from error

    async def _load(self, name: str, config: model_config_pb2.ModelConfig, files: dict[str, bytes]) -> None:
        document = json_format.MessageToJson(config, preserving_proto_field_name=True)
        try:
            await self._client.load_model(
                name, config=document, files=files, headers=control(), client_timeout=LOADS_WITHIN_S
            )
        except InferenceServerException as error:
            raise ServerError(f"{self.endpoint} does not load {name}: {_reason(error)}") from error

    async def _unload(self, name: str) -> None:
        try:
            await self._client.unload_model(name, headers=control(), client_timeout=LOADS_WITHIN_S)
        except InferenceServerException as error:
            raise ServerError(f"{self.endpoint} does not unload {name}: {_reason(error)}") from error

    def _config(self) -> model_config_pb2.ModelConfig:
        text = (self._model / "config.pbtxt").read_text(encoding="utf-8")
        return text_format.Parse(text, model_config_pb2.ModelConfig())


async def _collected(answers: AsyncIterator[tuple[Any, InferenceServerException | None]]) -> Served:
    ids: list[int] = []
    log_probs: list[float] = []
    async for result, error in answers:
        if error is not None:
            raise error
        ids += result.as_numpy("OUTPUT_IDS").tolist()
        log_probs += result.as_numpy("LOG_PROBS").tolist()
        if result.as_numpy("FINISH_REASON")[0]:
            said = [result.as_numpy(name)[0].decode() for name in ("MODEL_SHA256", "MODEL_VERSION")]
            return Served(tuple(ids), tuple(log_probs), *said)
    raise InferenceServerException("the stream ended early")


def _inputs(request: Request) -> list[triton.InferInput]:
    sampling = request.sampling
    values: dict[str, np.ndarray[Any, Any]] = {
        "INPUT_IDS": np.array(request.input_ids, np.int32),
        "MAX_TOKENS": np.array([request.max_tokens], np.int32),
        "TEMPERATURE": np.array([sampling.temperature], np.float32),
        "TOP_P": np.array([sampling.top_p], np.float32),
        "SEED": np.array([sampling.seed], np.int64),
        "GRAMMAR": np.array([request.grammar.encode()], np.object_),
    }
    inputs = [
        triton.InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype)) for name, value in values.items()
    ]
    for tensor, value in zip(inputs, values.values(), strict=True):
        tensor.set_data_from_numpy(value)
    return inputs


def _reason(error: InferenceServerException | grpc.aio.AioRpcError) -> str:
    """The first line of what Triton says: the model's own text, without the places in its code."""
    said = error.message() if isinstance(error, InferenceServerException) else error.details()
    return str(said).split("\n", 1)[0]
