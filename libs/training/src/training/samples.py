"""What is learned from: episodes as token ids with what the engine recorded of each, and rewards by span.

Places are token places of the original ids; nothing here or behind it is ever tokenised again.
"""

from dataclasses import dataclass

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Action tokens of one choice, and what that choice alone is worth.

    `start` and `end` are places among the action tokens of `turn`; without `end` the span reaches to the turn's last.
    `severity` is the step factor of SPAR: 1 for a clean step, less the worse it was.
    """

    turn: int
    reward: float
    severity: float = 1.0
    start: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One generation: what was new before it, and each action token with what the engine recorded of it.

    `log_probs` are natural logarithms under the network's full distribution, `allowed_mass` the probability that the
    grammar left allowed under the same distribution. `allowed` are the ids that the grammar allowed at each token, in
    any order; empty of a token, or of the turn: all. `routes` are the experts that each token of observation and
    action took, layer by layer, of a mixture of experts; empty of a dense network.
    """

    observation_ids: Ids
    action_ids: Ids
    log_probs: tuple[float, ...]
    allowed_mass: tuple[float, ...]
    forced: tuple[bool, ...]
    allowed: tuple[Ids, ...] = ()
    routes: tuple[tuple[Ids, ...], ...] = ()

    @property
    def choices(self) -> tuple[bool, ...]:
        """Which action tokens were a choice: not forced, and not the only one that was allowed."""
        if not self.allowed:
            return tuple(not forced for forced in self.forced)
        return tuple(not forced and len(ids) != 1 for forced, ids in zip(self.forced, self.allowed, strict=True))


@dataclass(frozen=True, slots=True)
class Rollout:
    """One episode of one task: its turns in order, each continuing the sequence of those before it.

    `reward` is the whole's, at least 0; `quality` the part of it that length must never cost (0 to 1); `facts` the
    share that is not factual (0 to -1), which a gate lets in. `version` counts the steps of training behind the weights
    that chose the tokens.
    """

    task: str
    turns: tuple[Turn, ...]
    reward: float
    spans: tuple[Span, ...]
    quality: float
    tool_calls: int = 0
    version: int = 0
    facts: float = 0.0

    @property
    def tokens(self) -> int:
        """Action tokens that were a choice."""
        return sum(self.choices)

    @property
    def choices(self) -> tuple[bool, ...]:
        """Of all action tokens, turn by turn, which were a choice."""
        return tuple(chosen for turn in self.turns for chosen in turn.choices)


Group = tuple[Rollout, ...]  # rollouts of one task by one version
