"""What the network's outputs say about a film: its quality, its projection, and its findings with their evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from longitude.imaging.v1.events_pb2 import Attribute, Finding
from longitude.record.v1.fact_pb2 import Box, CodedConcept
from numpy.typing import NDArray

from imaging.domain import heat_map
from imaging.domain.modality import Reading, Tensors, UnusableAnswerError
from imaging.domain.study import FINDING_SYSTEM, assertion
from imaging.modalities.chest_film import quality
from imaging.modalities.chest_film.card import FilmModel, FindingRule
from imaging.modalities.chest_film.film import Film

ATTRIBUTE_SYSTEM = "urn:longitude:attribute"
PROJECTION = CodedConcept(system=ATTRIBUTE_SYSTEM, code="projection", display="Projection of a film")
CONCEPTS = {"opacity": CodedConcept(system=FINDING_SYSTEM, code="lung-opacity", display="Lung opacity on chest film")}


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the model gave for one film."""

    model: FilmModel
    probabilities: NDArray[np.float32]
    """Calibrated, one for each finding of the model."""
    projection: NDArray[np.float32]
    """Probabilities over model.projections."""
    presentation: NDArray[np.float32]
    """Probabilities over model.presentations."""
    maps: NDArray[np.float32]
    """[findings, h, w]: the mean of a finding's map is its logit, before calibration."""

    @classmethod
    def parse(cls, tensors: Tensors) -> Outputs:
        """UnusableAnswerError if the card is none, or does not fit the other outputs."""
        try:
            model = FilmModel.parse(tensors["CARD"].ravel()[0])
            values = [tensors[name] for name in ("PROBABILITIES", "PROJECTION", "PRESENTATION", "ACTIVATION_MAPS")]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise UnusableAnswerError("no card, or an output is missing") from error
        named = (model.findings, model.projections, model.presentations, model.findings)
        if [len(value) for value in values] != [len(names) for names in named]:
            raise UnusableAnswerError("the outputs do not fit the card")
        return cls(model, *values)


def read(film: Film, tensors: Tensors) -> Reading:
    """Every output of the network is a finding, stated or not: what it looked at is part of what it says."""
    outputs = Outputs.parse(tensors)
    rules = outputs.model.findings
    reasons = problems(film, outputs)
    return Reading(
        model=outputs.model.version,
        problems=reasons,
        attributes=[projection(outputs, film.view)],
        findings=[_finding(outputs, place, rule) for place, rule in enumerate(rules)],
        drawings={} if reasons else dict(enumerate(_drawings(film, outputs))),
    )


def problems(film: Film, outputs: Outputs) -> list[str]:
    """Why the film must not be read; empty if nothing."""
    best = int(outputs.presentation.argmax())
    presentation, probability = outputs.model.presentations[best], float(outputs.presentation[best])
    named = quality.pixel_problems(film.pixels) + quality.presentation_problems(presentation, probability)
    return [*named, quality.LATERAL] if film.view == "LL" else named


def projection(outputs: Outputs, view: str) -> Attribute:
    """What the device wrote wins; else the network's opinion with its probability."""
    if view:
        return Attribute(name="projection", code=PROJECTION, text=view, probability=1.0)
    best = int(outputs.projection.argmax())
    name, probability = outputs.model.projections[best], float(outputs.projection[best])
    return Attribute(name="projection", code=PROJECTION, text=name, probability=probability)


def concept(name: str) -> CodedConcept:
    """The code of a model output; one without an entry keeps its name."""
    return CONCEPTS.get(name, CodedConcept(system=FINDING_SYSTEM, code=name, display=name))


def _finding(outputs: Outputs, place: int, rule: FindingRule) -> Finding:
    probability = float(outputs.probabilities[place])
    return Finding(
        name=rule.name,
        code=concept(rule.name),
        probability=probability,
        threshold=rule.threshold,
        assertion=assertion(probability, rule.threshold, states_absence=rule.states_absence),
        region=_region(outputs.maps[place]) if probability >= rule.threshold else None,
    )


def _region(evidence: NDArray[np.float32]) -> Box | None:
    region = heat_map.region(evidence)
    if region is None:
        return None
    left, top, width, height = region
    return Box(left=left, top=top, width=width, height=height)


def _drawings(film: Film, outputs: Outputs) -> list[bytes]:
    return [heat_map.overlay_png(film.pixels, evidence) for evidence in outputs.maps]
