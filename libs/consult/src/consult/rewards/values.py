"""Values of the rewards: what was shown, what is known to be right, and what comes of the two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from longitude.reasoning.v1 import assessment_pb2 as wire


@dataclass(frozen=True, slots=True)
class Shown:
    """One statement in front of the reader. `episode_step` is the turn that chose it; 0: a rule did.

    `on_topic`: it concerns the question. `false`: what it says does not hold, or nothing supports it.
    """

    episode_step: int
    fact_ids: frozenset[str] = frozenset()
    kind: wire.StatementKind.ValueType = wire.STATEMENT_KIND_UNSPECIFIED
    on_topic: bool = True
    false: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a tool, and whether anything that was shown later rests on what it brought."""

    episode_step: int
    needed: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A row of a rubric: something to say (weight above 0, to 10) or not to say (below 0, to -10).

    Said by a statement that rests on one of `fact_ids`, or that `says` recognises where it is given.
    """

    name: str
    weight: float
    fact_ids: frozenset[str] = frozenset()
    says: Callable[[Shown], bool] | None = None

    def __post_init__(self) -> None:
        if not self.weight or not -10 <= self.weight <= 10:
            raise ValueError(f"the weight of {self.name} must be in [-10, 10] and not 0")

    def is_in(self, shown: Shown) -> bool:
        if shown.false:
            return False
        return self.says(shown) if self.says else not self.fact_ids.isdisjoint(shown.fact_ids)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known to be right for one question. `offered`: names of the items that could be chosen; None: all."""

    items: tuple[Item, ...]
    offered: frozenset[str] | None = None

    @property
    def wanted(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.weight > 0)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a fault costs, as a share of the whole, and as a reward (negated) of its own span."""

    idle: float = 0.02  # a statement that is true and on the topic, and says no item that was not said
    off_topic: float = 0.1
    repeated: float = 0.2
    false: float = 0.5
    needless_call: float = 0.1


@dataclass(frozen=True, slots=True)
class Credit:
    """What one step of the episode is worth alone; `severity` is its step factor in SPAR (1: clean)."""

    episode_step: int
    reward: float
    severity: float = 1.0


@dataclass(frozen=True, slots=True)
class Rewarded:
    """Of an episode: the whole's `reward` and `quality` (0 to 1), and the credits of its steps.

    `facts` is the share that is not factual (0 to -1), to be gated; `parts` the figures that all were made of.
    """

    reward: float
    quality: float
    facts: float
    credits: tuple[Credit, ...]
    parts: Mapping[str, float] = field(default_factory=dict)
