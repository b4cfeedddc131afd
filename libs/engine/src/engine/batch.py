"""Continuous batching: many requests share each forward pass of the network.

Each `step` runs one forward over every active request: one token for those that decode (more when the grammar forces
them), a chunk for those that are still reading their input. Requests join and leave between steps. Nothing here
knows threads; `engine.worker` owns the thread.
"""

from collections.abc import Sequence as Series
from dataclasses import dataclass
from typing import Protocol

from engine.grammar import GrammarError, Grammars
from engine.request import Chunk, Emit, FinishReason, Request
from engine.sampling import Logits
from engine.segment import Segment
from engine.sequence import Sequence
from engine.slots import Slots
from engine.waiting import Capacity, Prepared, Waiting


class Forward(Protocol):
    """What the scheduler needs of a network; `engine.llama.Runner` is one."""

    slots: int
    context: int
    vocabulary: int

    def forward(self, segments: Series[Segment]) -> list[Logits]: ...

    def copy_prefix(self, source: int, target: int, length: int) -> None: ...


@dataclass
class Counts:
    """Running totals since the start, for metrics."""

    requests: int = 0
    generated: int = 0
    prompt: int = 0
    reused: int = 0


class Scheduler:
    """Admits, runs and ends requests. `prepare` may be called from any thread, the rest from one only."""

    def __init__(self, network: Forward, grammars: Grammars, limits: Capacity | None = None) -> None:
        self.limits = limits or Capacity(active=min(8, network.slots))
        self.counts = Counts()
        self._network = network
        self._slots = Slots(network.slots)
        self._waiting = Waiting(grammars, network.vocabulary, network.context, self.limits.queue)
        self._active: list[Sequence] = []

    @property
    def active(self) -> int:
        return len(self._active)

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
        """One forward pass over everything that is active. False when there was nothing to do."""
        self._end_cancelled()
        self._admit()
        if not self._active:
            return False
        batch = [(sequence, sequence.segment(self.limits.prefill)) for sequence in self._active]
        results = self._network.forward([segment for _, segment in batch])
        for (sequence, segment), logits in zip(batch, results, strict=True):
            self._advance(sequence, segment, logits)
        return True

    def abort(self, error: Exception) -> None:
        """Ends everything, waiting and active, with `error`."""
        for sequence in list(self._active):
            self._end(sequence, error)
        self._waiting.abort(error)

    def _admit(self) -> None:
        while self.active < self.limits.active and (prepared := self._waiting.take()):
            self._activate(prepared)

    def _activate(self, prepared: Prepared) -> None:
        ids = prepared.request.input_ids
        slot, source, length = self._slots.take(ids)
        if length and source != slot:
            self._network.copy_prefix(source, slot, length)
        prepared.sequence = Sequence(prepared.request, prepared.emit, prepared.grammar, slot, length)
        self._active.append(prepared.sequence)
        self.counts.requests += 1
        self.counts.prompt += len(ids)
        self.counts.reused += length

    def _advance(self, sequence: Sequence, segment: Segment, logits: Logits) -> None:
        try:
            chunk = sequence.advance(segment, logits)
        except GrammarError as error:
            self._end(sequence, error)
            return
        self._slots[sequence.slot].ids = sequence.ids[: sequence.cached]
        if chunk is None:
            return
        self.counts.generated += len(chunk.output_ids)
        if chunk.finish_reason is not None:
            self._end(sequence, chunk)
        elif chunk.output_ids:
            sequence.emit(chunk)

    def _end(self, sequence: Sequence, last: Chunk | Exception) -> None:
        self._active.remove(sequence)
        self._slots.release(sequence.slot, sequence.ids[: sequence.cached])
        sequence.emit(last)

    def _end_cancelled(self) -> None:
        for sequence in [sequence for sequence in self._active if sequence.cancelled]:
            self._end(sequence, Chunk(finish_reason=FinishReason.CANCELLED))
