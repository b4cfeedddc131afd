"""The card of the chest-film model: it travels with every answer, so version and thresholds always belong together."""

from __future__ import annotations

import json
from dataclasses import dataclass

from longitude.imaging.v1.events_pb2 import ModelVersion


@dataclass(frozen=True, slots=True)
class FindingRule:
    """One output of the model and how to decide on it."""

    name: str
    threshold: float
    states_absence: bool
    """Whether the model card supports saying that the finding is not there."""


@dataclass(frozen=True, slots=True)
class FilmModel:
    """The model that answered."""

    version: ModelVersion
    findings: tuple[FindingRule, ...]
    projections: tuple[str, ...]
    presentations: tuple[str, ...]

    @classmethod
    def parse(cls, card: bytes) -> FilmModel:
        """The card as the Triton model sends it (JSON); KeyError, TypeError or ValueError if it is not one."""
        fields = json.loads(card)
        version = ModelVersion(name=fields["name"], version=fields["version"], sha256=fields["sha256"])
        rules = tuple(FindingRule(f["name"], f["threshold"], f["states_absence"]) for f in fields["findings"])
        return cls(version, rules, tuple(fields["projections"]), tuple(fields["presentations"]))
