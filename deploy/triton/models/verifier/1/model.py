"""The verifier's cross-encoder behind Triton's Python backend: entailment.judge, with the weights beside this file.

Pairs of all requests of a dynamic batch go through the network together. Needs NumPy 1.26: NumPy 2 corrupts tensors in
this backend.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import triton_python_backend_utils as pb_utils
from entailment.judge import WEIGHTS, Judge


class TritonPythonModel:
    """One instance of the network, on a GPU when Triton gives it one."""

    def initialize(self, args: dict[str, str]) -> None:
        torch.set_num_threads(2)
        on_gpu = args["model_instance_kind"] == "GPU" and torch.cuda.is_available()
        device = f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu"
        self._judge = Judge(Path(args["model_repository"]) / args["model_version"] / WEIGHTS, device)

    def execute(self, requests: list[Any]) -> list[Any]:
        """A response per request; one that cannot be read is answered with an error, the others are served."""
        batches = [_pairs(request) for request in requests]
        readable = [pair for batch in batches if isinstance(batch, list) for pair in batch]
        rows = iter(self._judge.judge(readable).astype(np.float32))
        return [
            self._response([next(rows) for _ in batch]) if isinstance(batch, list) else _refusal(batch)
            for batch in batches
        ]

    def _response(self, rows: "list[np.ndarray[Any, Any]]") -> Any:
        named = np.full((len(rows), 1), self._judge.sha256.encode(), dtype=np.object_)
        tensors = [pb_utils.Tensor("PROBABILITIES", np.stack(rows)), pb_utils.Tensor("MODEL_SHA256", named)]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _pairs(request: Any) -> list[tuple[str, str]] | UnicodeDecodeError:
    columns = [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in ("SENTENCE", "EVIDENCE")]
    try:
        sentences, evidence = ([text.decode("utf-8") for text in column.reshape(-1)] for column in columns)
    except UnicodeDecodeError as error:
        return error
    return list(zip(sentences, evidence, strict=True))


def _refusal(error: UnicodeDecodeError) -> Any:
    reason = f"SENTENCE or EVIDENCE is not UTF-8 (byte {error.start})"
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(reason))
