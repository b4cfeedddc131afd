"""Triton over gRPC: tensors in, tensors out, one call or a stream. Every call has a deadline."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import grpc
import numpy as np
import tritonclient.grpc.aio as triton
from contracts.errors import PermanentError, UnavailableError
from contracts.tls import Renewed, Tls
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

# A restarted server is found again within seconds, not after gRPC's default two minutes.
CHANNEL = [
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]

Tensors = dict[str, np.ndarray[Any, Any]]

# Statuses that pass by themselves: ask again.
_PASSING = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED")


def _error(error: InferenceServerException) -> Exception:
    status = str(error.status() or "")
    # A model's own refusal in a stream has a text and no status.
    if (error.message() or "").startswith("busy"):
        return UnavailableError("triton: busy")
    if any(name in status for name in _PASSING):
        return UnavailableError(f"triton: {status.removeprefix('StatusCode.')}")
    return PermanentError("triton-refused")


def _inputs(tensors: Mapping[str, np.ndarray[Any, Any]]) -> list[triton.InferInput]:
    inputs = []
    for name, tensor in tensors.items():
        tensor_input = triton.InferInput(name, list(tensor.shape), np_to_triton_dtype(tensor.dtype))
        tensor_input.set_data_from_numpy(np.ascontiguousarray(tensor))
        inputs.append(tensor_input)
    return inputs


class TritonClient:
    """A thin asynchronous client. UnavailableError: unreachable, busy or late. PermanentError: refused."""

    def __init__(self, clients: Renewed[triton.InferenceServerClient]) -> None:
        self._clients = clients

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str) -> AsyncIterator[Self]:
        """A client for the server at `host:port`; it need not be up yet."""
        tls, old = Tls.of(os.environ), list[triton.InferenceServerClient]()

        def made() -> triton.InferenceServerClient:
            return triton.InferenceServerClient(endpoint, creds=tls and tls.client(), channel_args=CHANNEL)

        # Calls under way end on the client they began with, which so stays open; it is replaced twice a quarter.
        clients = Renewed(tls, made, old.append)
        try:
            yield cls(clients)
        finally:
            for client in (*old, clients.current()):
                await client.close()

    async def ready(self, model: str, version: str = "") -> None:
        """Raise UnavailableError unless the model can serve, in this version if one is named."""
        try:
            if await self._clients.current().is_model_ready(model, version, client_timeout=5.0):
                return
        except InferenceServerException as error:
            raise UnavailableError(f"triton: {model} cannot be reached") from error
        raise UnavailableError(f"triton: {model} is not ready")

    async def infer(self, model: str, inputs: Tensors, outputs: Sequence[str], timeout_s: float) -> Tensors:
        """One request, one answer."""
        wanted = [triton.InferRequestedOutput(name) for name in outputs]
        try:
            result = await self._clients.current().infer(
                model, _inputs(inputs), outputs=wanted, client_timeout=timeout_s
            )
        except InferenceServerException as error:
            raise _error(error) from error
        return {name: result.as_numpy(name) for name in outputs}

    async def stream(
        self, model: str, inputs: Tensors, outputs: Sequence[str], timeout_s: float, version: str = ""
    ) -> AsyncIterator[Tensors]:
        """One request to a decoupled model, its answers as they come; leaving the iteration cancels the request.

        Without a version the newest answers.
        """

        async def requests() -> AsyncIterator[dict[str, Any]]:
            wanted = [triton.InferRequestedOutput(name) for name in outputs]
            yield {
                "model_name": model,
                "model_version": version,
                "inputs": _inputs(inputs),
                "outputs": wanted,
                "enable_empty_final_response": True,
            }

        answers = self._clients.current().stream_infer(requests(), stream_timeout=timeout_s)
        try:
            async for result, error in answers:
                if error is not None:
                    raise _error(error)
                if (tensors := _outputs(result, outputs)) is not None:
                    yield tensors
                if _is_final(result):
                    return
        except InferenceServerException as error:
            raise _error(error) from error
        except grpc.aio.AioRpcError as error:
            # The server went away in the middle of the answer.
            raise UnavailableError(f"triton: {error.code().name}") from error
        finally:
            answers.cancel()


def _outputs(result: triton.InferResult, names: Sequence[str]) -> Tensors | None:
    """The answer's tensors by name; None for the empty final answer."""
    found = {name: result.as_numpy(name) for name in names}
    present = {name: tensor for name, tensor in found.items() if tensor is not None}
    return present or None


def _is_final(result: triton.InferResult) -> bool:
    parameter = result.get_response().parameters.get("triton_final_response")
    return bool(parameter and parameter.bool_param)
