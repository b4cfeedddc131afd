"""One request on its way: which tokens exist, which are in the cache, which still wait for their log-probability."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.grammar import GrammarError, GrammarState
from engine.request import Chunk, Emit, FinishReason, Request
from engine.sampling import Logits, choose, scored
from engine.segment import Segment


@dataclass
class Sequence:
    """State of an admitted request. `ids` are input and output; the first `cached` of them have keys and values."""

    request: Request
    emit: Emit
    grammar: GrammarState | None
    slot: int
    cached: int
    ids: list[int] = field(default_factory=list)
    unscored: int = 0  # forced tokens at the end of `ids` that still wait for their log-probability
    ending: FinishReason | None = None  # set once the last token of the output exists
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.ids = list(self.request.input_ids)

    @property
    def made(self) -> int:
        return len(self.ids) - len(self.request.input_ids)

    def segment(self, limit: int) -> Segment:
        """The next at most `limit` tokens to run; logits are wanted only once all of them are in."""
        end = len(self.ids) - (1 if self.ending else 0)  # the last token of an output need not run
        whole = end - self.cached <= limit
        wanted = self.unscored + (0 if self.ending else 1) if whole else 0
        return Segment(self.slot, self.cached, self.ids[self.cached : min(end, self.cached + limit)], wanted)

    def advance(self, segment: Segment, logits: Logits) -> Chunk | None:
        """Takes the logits of a segment that ran; returns the tokens that are now complete."""
        self.cached = segment.end
        if not segment.wanted:
            return None
        chunk = Chunk()
        for token, row in zip(self.ids[len(self.ids) - self.unscored :], logits, strict=False):
            _note(chunk, token, row)
        self.unscored = 0
        if self.ending is None:
            self._choose(chunk, logits[-1])
        if self.ending is not None and not self.unscored:
            chunk.finish_reason = self.ending
        return chunk

    def _choose(self, chunk: Chunk, row: Logits) -> None:
        allowed = self._allowed()
        choice = choose(row, allowed, self.request.sampling, self.made)
        chunk.output_ids.append(choice.token)
        chunk.log_probs.append(choice.log_prob)
        chunk.allowed_mass.append(choice.allowed_mass)
        chunk.forced.append(allowed is not None and len(allowed) == 1)
        self._append(choice.token)
        self._append_forced()

    def _append_forced(self) -> None:
        """Adds every token that the grammar leaves no choice about: they run together in the next segment.

        When nothing is left but to end, the output ends there: a forward pass for an end token would tell nothing.
        """
        while self.grammar is not None and self.ending is None:
            allowed = self.grammar.allowed()
            if self.grammar.only_ends(allowed):
                self.ending = FinishReason.GRAMMAR_END
            if self.ending or len(allowed) != 1:
                return
            self._append(int(allowed[0]))
            self.unscored += 1

    def _append(self, token: int) -> None:
        self.ids.append(token)
        self.ending = accept(token, self.made, self.request, self.grammar)

    def _allowed(self) -> npt.NDArray[np.intp] | None:
        return None if self.grammar is None else allowed_now(self.grammar)


def accept(token: int, made: int, request: Request, grammar: GrammarState | None) -> FinishReason | None:
    """Moves the grammar past the last of `made` tokens; says why the output ends with it, if it does."""
    if grammar is not None:
        grammar.accept(token)
    if grammar is not None and grammar.ended:
        return FinishReason.GRAMMAR_END
    if token in request.stop_ids:
        return FinishReason.STOP
    return FinishReason.LENGTH if made >= request.max_tokens else None


def allowed_now(grammar: GrammarState) -> npt.NDArray[np.intp]:
    """Token ids that may follow; raises GrammarError when there is none."""
    allowed = grammar.allowed()
    if not len(allowed):
        raise GrammarError("the grammar has no way out: it allows no next token")
    return allowed


def _note(chunk: Chunk, token: int, row: Logits) -> None:
    """A forced token that now has its log-probability."""
    choice = scored(row, token)
    chunk.output_ids.append(token)
    chunk.log_probs.append(choice.log_prob)
    chunk.allowed_mass.append(choice.allowed_mass)
    chunk.forced.append(True)
