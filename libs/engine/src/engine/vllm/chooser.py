"""Chooses the token of every row of vLLM's batch, and leaves vLLM no other.

What vLLM calls a logits processor, without vLLM: `engine.vllm.start` makes it one.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from engine.vllm.course import Course
from engine.vllm.sampling import choose_rows


class Chooser:
    """`requests` names the request in each row of the batch; `courses` are the requests that run, by name."""

    def __init__(self, courses: Mapping[str, Course]) -> None:
        self.requests: dict[int, str] = {}
        self._courses = courses

    def apply(self, logits: Tensor) -> Tensor:
        """Notes each row's choice and rewrites the row so that the likeliest token is the one chosen."""
        found = [(row, self._courses[name]) for row, name in self.requests.items() if name in self._courses]
        if not found:
            return logits
        rows = torch.tensor([row for row, _ in found], device=logits.device)
        choices = choose_rows(logits[rows], [course.row for _, course in found])
        for (_, course), choice in zip(found, choices, strict=True):
            course.choice = choice
        logits[rows] = -torch.inf
        logits[rows, torch.tensor([choice.token for choice in choices], device=logits.device)] = 0.0
        return logits
