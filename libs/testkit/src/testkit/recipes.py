"""A recipe that learns something small and real: a line through noisy points, by gradient descent, a step at a time.

It is what jobs of the learning service are tested with. Its state after each step lies in the job's folder, written in
one piece, and the same job ends the same, however often it was killed. Its candidate says how far it is from the line.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SLOPE, INTERCEPT, NOISE, POINTS, RATE = 2.0, -1.0, 0.1, 64, 0.2
# The slope must be learned to this.
BOUND = 0.1
# Of one step, so that a test can do something in the middle.
STEP_SECONDS = 0.02


@dataclass(frozen=True)
class Gate:
    """A row of the gate report."""

    name: str
    figure: float
    bound: float
    at_least: bool


@dataclass(frozen=True)
class Fitted:
    """A candidate."""

    artifact: Path
    data: str
    figures: Mapping[str, float]
    gates: tuple[Gate, ...]
    base_model: str = "a line through the origin"
    adapter: str = field(default="slope and intercept")


class LineFit:
    """The trainer."""

    def run(self, job: Any, report: Any) -> Fitted:
        """Least squares by gradient descent; one report for each step."""
        x, y = self._points(job.seed)
        state = job.folder / "state.json"
        step, (slope, intercept) = self._resumed(state)
        samples = sum(1 for _ in job.samples())
        while step < job.steps:
            error = slope * x + intercept - y
            slope -= RATE * float(np.mean(error * x))
            intercept -= RATE * float(np.mean(error))
            step += 1
            # First told, then kept: killed in between, the step is made and told again.
            report(step, {"loss": float(np.mean(error**2)), "slope": slope})
            self._keep(state, step, slope, intercept)
            time.sleep(STEP_SECONDS)
        off = abs(slope - SLOPE)
        artifact = job.folder / "line.json"
        artifact.write_text(json.dumps([slope, intercept]), encoding="ascii")
        gate = Gate("distance from the slope", off, BOUND, at_least=False)
        return Fitted(artifact, f"{POINTS} points, {samples} episodes", {"slope": slope}, (gate,))

    def _points(self, seed: int) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        noise = np.random.default_rng(seed)
        x = noise.uniform(-1, 1, POINTS)
        return x, SLOPE * x + INTERCEPT + noise.normal(0, NOISE, POINTS)

    def _resumed(self, state: Path) -> tuple[int, tuple[float, float]]:
        if not state.exists():
            return 0, (0.0, 0.0)
        step, slope, intercept = json.loads(state.read_text(encoding="ascii"))
        return step, (slope, intercept)

    def _keep(self, state: Path, step: int, slope: float, intercept: float) -> None:
        fresh = state.with_suffix(".new")
        fresh.write_text(json.dumps([step, slope, intercept]), encoding="ascii")
        fresh.replace(state)
