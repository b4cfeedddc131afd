"""A job as it is stored, what may be asked for, and how long it still takes."""

import re
from dataclasses import dataclass
from datetime import datetime

from contracts.errors import InvalidInputError
from contracts.identifiers import event_id

MAX_STEPS = 10_000_000
MAX_REQUEST_ID = MAX_PERSON = 200
# Attempts in a row that get no further: whatever kills the trainer would kill the next one.
MAX_FRUITLESS = 3
_RECIPE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for; the same request id gives the same job."""

    request_id: str
    recipe: str
    seed: int
    steps: int
    started_by: str

    @property
    def job_id(self) -> str:
        """UUIDv5 of the request id."""
        return event_id("learning-job", self.request_id)

    def check(self) -> None:
        """InvalidInputError names the first thing that is wrong."""
        if not 0 < len(self.request_id) <= MAX_REQUEST_ID:
            raise InvalidInputError(f"request_id must have 1 to {MAX_REQUEST_ID} characters")
        if _RECIPE.fullmatch(self.recipe) is None:
            raise InvalidInputError("recipe must be the name of an entry point: a-z, 0-9, '.', '_' and '-'")
        if not 0 < self.steps <= MAX_STEPS:
            raise InvalidInputError(f"steps must be 1 to {MAX_STEPS:,}")
        check_person(self.started_by, "started_by")


@dataclass(frozen=True, slots=True)
class Running:
    """How far the attempt that runs now has come."""

    step: int
    steps: int
    attempt_step: int
    attempt_at: datetime


def seconds_left(running: Running, now: datetime) -> float | None:
    """At the pace of this attempt; None before its first step, whose length nobody knows."""
    made, elapsed = running.step - running.attempt_step, (now - running.attempt_at).total_seconds()
    if made <= 0:
        return None
    return max(running.steps - running.step, 0) * elapsed / made


def check_person(name: str, field: str) -> None:
    """Decisions have somebody who made them."""
    if not 0 < len(name) <= MAX_PERSON or not name.isprintable():
        raise InvalidInputError(f"{field} must name a person, in 1 to {MAX_PERSON} characters")
