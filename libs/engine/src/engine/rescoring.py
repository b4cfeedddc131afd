"""Drift while serving: some of what was served is scored again by one plain forward, and the gap is kept.

Off the hot path: in a thread of its own, one request at a time, when the engine is idle. A server that is never idle is
measured all the same, after `PATIENCE_S`. What finishes meanwhile is not queued: a sample is enough.
"""

import threading
import time
from collections.abc import Callable, Sequence
from queue import Full, Queue

from engine.drift import Gap, gap
from engine.request import Chunk, Emit, Request

PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.1

Score = Callable[[Sequence[int], Sequence[int]], Sequence[float]]


class Rescoring:
    """Scores one in `every` finished requests again; 0 scores none. `found` is the gap since the start."""

    def __init__(self, score: Score, idle: Callable[[], bool], every: int) -> None:
        self.found = Gap()
        self._score, self._idle, self._every = score, idle, every
        self._finished = 0
        self._next: Queue[tuple[Request, Chunk]] = Queue(maxsize=1)
        if every:
            threading.Thread(target=self._run, name="rescoring", daemon=True).start()

    def watched(self, request: Request, emit: Emit) -> Emit:
        """The same `emit`, with an eye on what passes."""
        whole = Chunk()

        def passing(chunk: Chunk | Exception) -> None:
            emit(chunk)
            if isinstance(chunk, Exception):
                return
            whole.extend(chunk)
            if chunk.finish_reason is not None:
                self._finish(request, whole)

        return passing if self._every else emit

    def _finish(self, request: Request, whole: Chunk) -> None:
        """Answers of one token, which only ask who serves, are not counted."""
        if len(whole.output_ids) < 2:
            return
        self._finished += 1
        if self._finished % self._every == 0:
            try:
                self._next.put_nowait((request, whole))
            except Full:
                return

    def _run(self) -> None:
        while True:
            request, whole = self._next.get()
            until = time.monotonic() + PATIENCE_S
            while not self._idle() and time.monotonic() < until:
                time.sleep(_LOOK_EVERY_S)
            self.found = self.found.joined(gap(whole.log_probs, self._score(request.input_ids, whole.output_ids)))
