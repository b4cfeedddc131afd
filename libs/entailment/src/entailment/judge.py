"""The trained model as it serves: pairs in, three calibrated probabilities out.

Guarantee: the same network, reader and temperature behind Triton, in the evaluation and in training's report.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open

from entailment.calibration import Floats, probabilities
from entailment.network import LABELS, CrossEncoder, Reader

WEIGHTS = "verifier.safetensors"
# How many pairs share one forward pass.
TOGETHER = 16


@torch.inference_mode()
def logits_of(network: CrossEncoder, reader: Reader, pairs: Sequence[tuple[str, str]], device: str = "cpu") -> Floats:
    """`[n, 3]` in the order asked; like lengths share a pass, so that little is padded."""
    network.eval()
    logits = np.zeros((len(pairs), len(LABELS)))
    by_length = sorted(range(len(pairs)), key=lambda n: len(pairs[n][0]) + len(pairs[n][1]))
    for start in range(0, len(by_length), TOGETHER):
        rows = by_length[start : start + TOGETHER]
        batch = reader.read([pairs[n] for n in rows], device)
        logits[rows] = network(batch).double().cpu().numpy()
    return logits


class Judge:
    """Weights and card from one file; `sha256` names them."""

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        with safe_open(str(weights), framework="pt") as file:
            self.card: dict[str, Any] = json.loads(file.metadata()["card"])
            trained = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        self.sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
        self._temperature = float(self.card["temperature"])
        self._device = device
        self._reader = Reader()
        self._network = CrossEncoder()
        self._network.load(trained)
        self._network.to(device)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Floats:
        """Probabilities `[n, 3]` of supported, contradicted, unsupported for (sentence, evidence)."""
        return probabilities(logits_of(self._network, self._reader, pairs, self._device), self._temperature)
