"""What is asked of the engine and what comes back: the contract that every engine behind Triton keeps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from engine.sampling import Sampling


class FinishReason(StrEnum):
    STOP = "stop"  # a stop token was chosen
    LENGTH = "length"  # max_tokens were made
    GRAMMAR_END = "grammar_end"  # the grammar is complete
    CANCELLED = "cancelled"


class RequestRefusedError(Exception):
    """The request can never be served; the text says what to change."""


class BusyError(Exception):
    """The queue is full; the same request may be sent again later."""


@dataclass(frozen=True)
class Request:
    """Token ids in. `grammar` is an EBNF text; empty leaves the tokens free. A stop token is part of the output."""

    input_ids: tuple[int, ...]
    max_tokens: int
    sampling: Sampling = field(default_factory=Sampling)
    grammar: str = ""
    stop_ids: tuple[int, ...] = ()

    def problem(self, vocabulary: int, context: int) -> str:
        """Why the request cannot be served; empty when it can."""
        if not self.input_ids:
            return "INPUT_IDS is empty"
        if not all(0 <= token < vocabulary for token in self.input_ids):
            return f"INPUT_IDS holds an id outside 0..{vocabulary - 1}"
        if self.max_tokens < 1:
            return "MAX_TOKENS must be at least 1"
        if len(self.input_ids) + self.max_tokens > context:
            asked = f"{len(self.input_ids)} input tokens and MAX_TOKENS {self.max_tokens}"
            return f"{asked} do not fit the context of {context} tokens"
        return self.sampling.problem()


@dataclass
class Chunk:
    """Tokens made since the last chunk; four lists of one length. The last chunk of a request has a finish reason.

    `log_probs` are natural logarithms under the full distribution; `allowed_mass` is the probability the grammar
    allowed; `forced` marks tokens the grammar left no choice about.
    """

    output_ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    allowed_mass: list[float] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)
    finish_reason: FinishReason | None = None

    def extend(self, other: "Chunk") -> None:
        """Appends what came later."""
        self.output_ids += other.output_ids
        self.log_probs += other.log_probs
        self.allowed_mass += other.allowed_mass
        self.forced += other.forced
        self.finish_reason = other.finish_reason


# Called with each chunk, and last with a chunk that has a finish reason or with the error that ended the request.
Emit = Callable[[Chunk | Exception], None]
