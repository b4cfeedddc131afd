"""What the chest-film model answered, in the service's own terms, with the card of the model that answered."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FindingRule:
    """One output of the model and how to decide on it."""

    name: str
    threshold: float
    states_absence: bool
    """Whether the model card supports saying that the finding is not there."""


@dataclass(frozen=True, slots=True)
class FilmModel:
    """The model that answered: it travels with every answer, so version and thresholds always belong together."""

    name: str
    version: str
    sha256: str
    findings: tuple[FindingRule, ...]
    projections: tuple[str, ...]
    presentations: tuple[str, ...]

    @classmethod
    def parse(cls, card: bytes) -> FilmModel:
        """The card as the Triton model sends it (JSON); KeyError or ValueError if it is not one."""
        fields = json.loads(card)
        rules = tuple(FindingRule(f["name"], f["threshold"], f["states_absence"]) for f in fields["findings"])
        lists = (tuple(fields["projections"]), tuple(fields["presentations"]))
        return cls(fields["name"], fields["version"], fields["sha256"], rules, *lists)


@dataclass(frozen=True, slots=True)
class FilmReading:
    """One film's outputs."""

    model: FilmModel
    probabilities: NDArray[np.float32]
    """Calibrated, one for each finding of the model."""
    projection: NDArray[np.float32]
    """Probabilities over model.projections."""
    presentation: NDArray[np.float32]
    """Probabilities over model.presentations."""
    maps: NDArray[np.float32]
    """[findings, h, w]: the mean of a finding's map is its logit, before calibration."""
