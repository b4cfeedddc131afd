"""What a trainer is to this service: something that runs a job, reports, and ends with a candidate.

Its implementation stands in another package, which knows nothing of this one: it is named by an entry point of the
group `training.recipes`, and what it answers is recognised by its attributes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sample:
    """An episode that may be learned from, and what a physician made of it."""

    episode_id: str
    # Serialised longitude.reasoning.v1.Episode.
    episode: bytes
    # Serialised longitude.reasoning.v1.AssessmentReviewed, without the patient and under a pseudonym; None: unreviewed.
    review: bytes | None


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be trained. `step` is where an earlier attempt was seen last; what to resume from lies in `folder`."""

    job_id: str
    recipe: str
    seed: int
    steps: int
    step: int
    folder: Path
    # What may be learned from now; read again, it may be less.
    samples: Callable[[], Iterator[Sample]]


class Report(Protocol):
    """Says that a step was made, with the points of curves. Raises when the job is this trainer's no more."""

    def __call__(self, step: int, points: Mapping[str, float]) -> None: ...


class GateRow(Protocol):
    """One figure that a version must reach."""

    @property
    def name(self) -> str: ...
    @property
    def figure(self) -> float: ...
    @property
    def bound(self) -> float: ...
    @property
    def at_least(self) -> bool: ...


class Candidate(Protocol):
    """What a job made; `artifact` is a file."""

    @property
    def artifact(self) -> Path: ...
    @property
    def base_model(self) -> str: ...
    @property
    def adapter(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def figures(self) -> Mapping[str, float]: ...
    @property
    def gates(self) -> Sequence[GateRow]: ...


class Trainer(Protocol):
    """Runs a job to its end, from wherever its folder says that it came to.

    A step is reported before it is kept in the folder: killed in between, it is made and reported again, and no point
    of a curve is missing.
    """

    def run(self, job: Job, report: Report) -> Candidate: ...
