"""Writes the trained network: one safetensors file whose metadata is the card that serving needs.

The thresholds and the calibration travel inside the file whose SHA-256 names the model, so they cannot part.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file

from imaging.modalities.chest_film.network import FINDINGS, PRESENTATIONS, PROJECTIONS, SIDE, ChestFilmNetwork
from imaging.modalities.chest_film.training.figures import Calibration

VERSION = "1"


def save_network(network: ChestFilmNetwork, calibration: Calibration, threshold: float, path: Path) -> None:
    """Contiguous float32 weights and the card, as deploy/triton/models/chest_film/1/model.py reads them."""
    card = {
        "name": "chest_film",
        "version": VERSION,
        "side": SIDE,
        "findings": [
            {
                "name": name,
                "threshold": round(threshold, 4),
                "states_absence": False,
                "calibration": {key: round(value, 6) for key, value in asdict(calibration).items()},
            }
            for name in FINDINGS
        ],
        "projections": list(PROJECTIONS),
        "presentations": list(PRESENTATIONS),
    }
    weights = {name: tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, str(path), metadata={"card": json.dumps(card, sort_keys=True)})
