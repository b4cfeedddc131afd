"""One request on its way through vLLM: what its next token may be, what was chosen, what was made."""

from engine.request import Chunk, FinishReason
from engine.sampling import Choice
from engine.sequence import accept, allowed_now
from engine.vllm.sampling import Row
from engine.waiting import Prepared


class Course:
    """Between two steps of vLLM: `row` says what to choose from, `choice` is what was chosen, `take` moves on.

    A row may be chosen for more than once before its token is taken: vLLM computes logits in the middle of a long input
    too, and leaves them unused.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.choice: Choice | None = None
        self.ending: FinishReason | None = None
        self._grammar, self._made = prepared.grammar, 0
        self.row = self._next_row()

    def take(self, token: int) -> Chunk:
        """The token that vLLM made of the choice. Raises GrammarError when none may follow it."""
        if self.choice is None or token != self.choice.token:
            raise ValueError("vLLM made another token than the one chosen")
        forced = self.row.allowed is not None and len(self.row.allowed) == 1
        chunk = Chunk([token], [self.choice.log_prob], [self.choice.allowed_mass], [forced])
        self._made += 1
        self.choice = None
        self.ending = accept(token, self._made, self.prepared.request, self._grammar)
        if self.ending is None:
            self.row = self._next_row()
        chunk.finish_reason = self.ending
        return chunk

    def _next_row(self) -> Row:
        allowed = None if self._grammar is None else allowed_now(self._grammar)
        if self._made and self._grammar is not None and allowed is not None and self._grammar.only_ends(allowed):
            self.ending = FinishReason.GRAMMAR_END
        return Row(allowed, self.prepared.request.sampling, self._made)
