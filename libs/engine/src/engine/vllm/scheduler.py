"""Requests in and chunks out around vLLM, which batches them itself: the same face as `engine.batch.Scheduler`.

Nothing here knows threads (`engine.worker` owns the one) or vLLM's types (`engine.vllm.start` does).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.batch import Counts
from engine.grammar import GrammarError, Grammars
from engine.request import Chunk, Emit, FinishReason, Request
from engine.vllm.course import Course
from engine.waiting import Capacity, Prepared, Waiting


@dataclass(frozen=True)
class Stepped:
    """What one step brought for a request; `reused` of its input tokens were in the cache."""

    name: str
    token_ids: Sequence[int]
    finished: bool
    reused: int


class Generator(Protocol):
    """What is needed of vLLM."""

    context: int
    vocabulary: int

    def add(self, name: str, input_ids: Sequence[int], max_tokens: int) -> None: ...

    def step(self) -> Sequence[Stepped]: ...

    def abort(self, name: str) -> None: ...


class VllmError(Exception):
    """vLLM ended a request that had not ended."""


class VllmScheduler:
    """`courses` are the requests that run, by name; the chooser reads them. Threads as in `Scheduler`."""

    def __init__(self, generator: Generator, courses: dict[str, Course], grammars: Grammars, limits: Capacity) -> None:
        self.limits, self.counts = limits, Counts()
        self._generator, self._courses = generator, courses
        self._waiting = Waiting(grammars, generator.vocabulary, generator.context, limits.queue)
        self._numbers = itertools.count()

    @property
    def active(self) -> int:
        return len(self._courses)

    @property
    def queued(self) -> int:
        return len(self._waiting)

    def prepare(self, request: Request, emit: Emit) -> Prepared:
        """Checks a request and compiles its grammar; raises RequestRefusedError or GrammarError."""
        return self._waiting.prepare(request, emit)

    def submit(self, prepared: Prepared) -> None:
        """Queues a prepared request; raises BusyError when as many wait as may."""
        self._waiting.submit(prepared)

    def step(self) -> bool:
        """One step of vLLM over everything that is active. False when there was nothing to do."""
        self._end_cancelled()
        self._admit()
        if not self._courses:
            return False
        for stepped in self._generator.step():
            if stepped.name in self._courses:
                self._advance(stepped, self._courses[stepped.name])
        return True

    def abort(self, error: Exception) -> None:
        """Ends everything, waiting and active, with `error`."""
        for name in list(self._courses):
            self._end(name, error)
        self._waiting.abort(error)

    def _admit(self) -> None:
        while self.active < self.limits.active and (prepared := self._waiting.take()):
            name, asked = str(next(self._numbers)), prepared.request
            self._courses[name] = Course(prepared)
            self._generator.add(name, asked.input_ids, asked.max_tokens)
            self.counts.requests += 1
            self.counts.prompt += len(asked.input_ids)

    def _advance(self, stepped: Stepped, course: Course) -> None:
        try:
            chunk = Chunk()
            for token in stepped.token_ids:
                chunk.extend(course.take(token))
        except GrammarError as error:
            self._end(stepped.name, error)
            return
        self.counts.generated += len(chunk.output_ids)
        if chunk.finish_reason is not None:
            self.counts.reused += stepped.reused
            self._end(stepped.name, chunk)
        elif stepped.finished:
            self._end(stepped.name, VllmError("vLLM ended the request before its end"))
        elif chunk.output_ids:
            course.prepared.emit(chunk)

    def _end(self, name: str, last: Chunk | Exception) -> None:
        self._generator.abort(name)
        self._courses.pop(name).prepared.emit(last)

    def _end_cancelled(self) -> None:
        for name in [name for name, course in self._courses.items() if course.prepared.cancelled]:
            self._end(name, Chunk(finish_reason=FinishReason.CANCELLED))
