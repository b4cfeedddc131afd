"""Whether a film is fit to be read. A bad film is an answer with reasons, not an error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_SIDE = 256
LEAST_CONTRAST = 0.10
"""Spread of the middle 96 % of the grey values, of the full range 0..1."""
LATERAL = "a lateral view: the network reads frontal films only"
MOST_CLIPPED = 0.45
"""Share of pixels at one end of the range. Collimation and the air beside the body put up to a third there."""


def pixel_problems(film: NDArray[np.float32]) -> list[str]:
    """What is wrong with grey values in 0..1, in words for the clinician; empty if nothing."""
    problems = []
    if min(film.shape) < LEAST_SIDE:
        problems.append(f"too small: a side has fewer than {LEAST_SIDE} pixels")
    if float(film.max()) - float(film.min()) < 1e-3:
        return [*problems, "uniform: there is nothing on the film"]
    low, high = np.percentile(film, (2, 98))
    if high - low < LEAST_CONTRAST:
        problems.append("too little contrast")
    for level, name in ((film >= 0.995, "white"), (film <= 0.005, "black")):
        if float(level.mean()) > MOST_CLIPPED:
            problems.append(f"clipped: more than {MOST_CLIPPED:.0%} of the film is plain {name}")
    return problems


def presentation_problems(presentation: str, probability: float, least: float = 0.6) -> list[str]:
    """How the film lies, as the network sees it: `upright`, or a turned or inverted film that must not be read."""
    if presentation == "upright":
        return [] if probability >= least else ["does not look like an upright frontal chest film"]
    if probability < least:
        return ["does not look like an upright frontal chest film"]
    return [f"the film is {presentation}"]
