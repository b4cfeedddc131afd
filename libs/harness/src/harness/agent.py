"""One role in one episode: its token sequence, what it was shown, and what it may still spend.

The sequence only grows: what the model was given and what it answered stay as they are (the prefix invariant).
"""

import hashlib
from collections.abc import Sequence

from longitude.reasoning.v1.episode_pb2 import ModelTurn, Policy

from harness.grammar import Grammar
from harness.protocol import Failed, Generate, Generated
from harness.roles import Role
from harness.states import State
from harness.tokenizer import Tokenizer

REFUSALS = 2
REFUSED = "too many refused actions"


class Agent:
    def __init__(self, role: Role, tokenizer: Tokenizer, seed: int) -> None:
        self.role, self._tokenizer, self._seed = role, tokenizer, seed
        self.ids: tuple[int, ...] = ()
        self.shown = 0
        self.turns = self.tokens = self.calls = self.refusals = 0
        self._thoughts, self._thought = 0, 0  # turns and tokens of a scratch, which the policy bounds and no budget
        self._observed = 0  # how many of `ids` an earlier turn recorded

    def open(self, system: str, opening: Sequence[int], briefing: str) -> None:
        """The first observation: system turn, question with the record, and the role's briefing."""
        user = self._tokenizer.turn("user", [opening, self._tokenizer.encode(briefing)])
        self._extend([*self._tokenizer.turn("system", [self._tokenizer.encode(system)]), *user])

    def observe(self, text: str) -> None:
        """A further observation, after an action; closes the model's turn if its answer did not."""
        ended = [] if self.ids[-1] == self._tokenizer.end else [self._tokenizer.end]
        user = self._tokenizer.turn("user", [self._tokenizer.encode(text)])
        self._extend([*ended, *self._tokenizer.encode("\n"), *user])

    def generate(self, state: State, grammar: Grammar, policy: Policy) -> Generate:
        """The request for the next action, or for free text where the grammar is empty; the model's turn begins."""
        self._extend(self._tokenizer.prompt())
        return Generate(
            role=self.role.name,
            state=state,
            input_ids=self.ids,
            grammar=grammar.ebnf,
            max_tokens=grammar.longest,
            temperature=policy.temperature,
            top_p=policy.top_p,
            seed=_seed(self._seed, self.role.name, self.turns),
            stop_ids=(self._tokenizer.end,),
        )

    def take(self, request: Generate, answer: Generated | Failed) -> ModelTurn:
        """The turn as it is recorded; the answer's tokens join the sequence as they are."""
        assert request.input_ids == self.ids, "the answer continues exactly what was asked"
        turn = ModelTurn(
            role=self.role.name,
            state=request.state,
            observation_ids=self.ids[self._observed :],
            grammar_sha256=hashlib.sha256(request.grammar.encode()).hexdigest() if request.grammar else "",
        )
        if isinstance(answer, Failed):
            turn.finish_reason = f"failed: {answer.reason}"
        else:
            turn.action_ids.extend(answer.output_ids)
            turn.log_probs.extend(answer.log_probs)
            turn.allowed_mass.extend(answer.allowed_mass)
            turn.forced.extend(answer.forced)
            turn.finish_reason = answer.finish_reason
            self._extend(answer.output_ids)
        self._observed = len(self.ids)
        self.turns += 1
        self.tokens += len(turn.action_ids)
        return turn

    def thought(self, tokens: int) -> None:
        """The last two turns, of so many tokens, were an action to think and its scratch."""
        self._thoughts += 2
        self._thought += tokens

    @property
    def turns_left(self) -> int:
        return self.role.budget.turns - self.turns + self._thoughts

    def exhausted(self, longest: int, window: int) -> str:
        """Which budget does not allow another action of `longest` tokens; empty when all do."""
        budget = self.role.budget
        if self.refusals >= REFUSALS:
            return REFUSED
        if not self.turns_left:
            return "turns"
        if self.tokens - self._thought + longest > budget.tokens:
            return "tokens"
        return "window" if len(self.ids) + len(self._tokenizer.prompt()) + longest > window else ""

    def _extend(self, ids: Sequence[int]) -> None:
        self.ids = (*self.ids, *ids)


def _seed(seed: int, role: str, turn: int) -> int:
    """A seed of its own for each turn of each role, below 2^63."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{role}/{turn}".encode()).digest()[:8]) >> 1
