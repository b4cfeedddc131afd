"""Requests that were checked and wait for a place: what every scheduler begins with. First come, first served."""

from collections import deque
from dataclasses import dataclass

from engine.grammar import Grammars, GrammarState
from engine.request import BusyError, Chunk, Emit, FinishReason, Request, RequestRefusedError
from engine.sequence import Sequence


@dataclass(frozen=True)
class Capacity:
    """`active` requests share a forward (the cache has more slots, to keep beginnings); `queue` more may wait."""

    active: int = 8
    queue: int = 64
    prefill: int = 256  # tokens of input that one request may run in one step


@dataclass
class Prepared:
    """A request that was checked and has its grammar; waits for a place."""

    request: Request
    emit: Emit
    grammar: GrammarState | None
    cancelled: bool = False
    sequence: Sequence | None = None

    def cancel(self) -> None:
        """Stops the request before its next token; it ends with finish reason `cancelled`."""
        self.cancelled = True
        if self.sequence is not None:
            self.sequence.cancelled = True


class Waiting:
    """`prepare` may be called from any thread, the rest from one only."""

    def __init__(self, grammars: Grammars, vocabulary: int, context: int, longest: int) -> None:
        self._grammars, self._vocabulary, self._context = grammars, vocabulary, context
        self._longest = longest
        self._requests: deque[Prepared] = deque()

    def __len__(self) -> int:
        return len(self._requests)

    def prepare(self, request: Request, emit: Emit) -> Prepared:
        """Checks a request and compiles its grammar; raises RequestRefusedError or GrammarError."""
        problem = request.problem(self._vocabulary, self._context)
        if problem:
            raise RequestRefusedError(problem)
        return Prepared(request, emit, self._grammars.start(request.grammar) if request.grammar else None)

    def submit(self, prepared: Prepared) -> None:
        """Queues a prepared request; raises BusyError when as many wait as may."""
        if len(self) >= self._longest:
            raise BusyError(f"busy: {self._longest} requests wait already; try again later")
        self._requests.append(prepared)

    def take(self) -> Prepared | None:
        """The first that still wants to run; those that were cancelled meanwhile are told and dropped."""
        while self._requests:
            prepared = self._requests.popleft()
            if not prepared.cancelled:
                return prepared
            prepared.emit(Chunk(finish_reason=FinishReason.CANCELLED))
        return None

    def abort(self, error: Exception) -> None:
        """Ends all with `error`."""
        while self._requests:
            self._requests.popleft().emit(error)
