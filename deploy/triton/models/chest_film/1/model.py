"""The chest-film network behind Triton's Python backend, with the card of the weights in every answer.

The network is imaging.modalities.chest_film.network, the module that training uses; weights, thresholds and
calibration are one safetensors file beside this one, and the card names its SHA-256. Needs NumPy 1.26: NumPy 2
corrupts tensors in this backend.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import triton_python_backend_utils as pb_utils
from imaging.modalities.chest_film.network import ChestFilmNetwork
from safetensors import safe_open

WEIGHTS = "chest_film.safetensors"


class TritonPythonModel:
    """One instance of the network, on a GPU when Triton gives it one."""

    def initialize(self, args: dict[str, str]) -> None:
        torch.set_num_threads(2)
        on_gpu = args["model_instance_kind"] == "GPU" and torch.cuda.is_available()
        self._device = torch.device(f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu")
        weights = Path(args["model_repository"]) / args["model_version"] / WEIGHTS
        with safe_open(str(weights), framework="pt") as file:
            card = json.loads(file.metadata()["card"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        card["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
        calibration = [finding["calibration"] for finding in card["findings"]]
        self._slope = torch.tensor([c["slope"] for c in calibration], device=self._device)
        self._offset = torch.tensor([c["offset"] for c in calibration], device=self._device)
        self._card = json.dumps(card, sort_keys=True).encode()
        self._network = ChestFilmNetwork()
        self._network.load_state_dict(state)
        self._network.eval().to(self._device)

    def execute(self, requests: list[Any]) -> list[Any]:
        """A response per request. Films of one size go through the network together."""
        films = [pb_utils.get_input_tensor_by_name(request, "FILM").as_numpy() for request in requests]
        if len({film.shape[1:] for film in films}) == 1:
            outputs = self._read(np.concatenate(films))
            ends = np.cumsum([len(film) for film in films])[:-1]
            return [self._response(parts) for parts in zip(*(np.split(o, ends) for o in outputs), strict=True)]
        return [self._response(self._read(film)) for film in films]

    @torch.inference_mode()
    def _read(self, films: "np.ndarray[Any, np.dtype[np.float32]]") -> tuple["np.ndarray[Any, Any]", ...]:
        reading = self._network(torch.from_numpy(films).to(self._device))
        probabilities = torch.sigmoid(reading.findings * self._slope + self._offset)
        softmaxes = (reading.projection.softmax(1), reading.presentation.softmax(1))
        return tuple(tensor.float().cpu().numpy() for tensor in (probabilities, *softmaxes, reading.maps))

    def _response(self, outputs: tuple["np.ndarray[Any, Any]", ...]) -> Any:
        names = ("PROBABILITIES", "PROJECTION", "PRESENTATION", "ACTIVATION_MAPS")
        tensors = [
            pb_utils.Tensor(name, np.ascontiguousarray(output)) for name, output in zip(names, outputs, strict=True)
        ]
        card = np.full((len(outputs[0]), 1), self._card, dtype=np.object_)
        return pb_utils.InferenceResponse([*tensors, pb_utils.Tensor("CARD", card)])
