"""What a sentence is read into: tokens, the phrases made of them, and the clauses made of those."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Characters [start, end) of a text.

    `kinds`: as what productions may take it (`observable`, `when`), empty for a plain word or mark, whose `text` is
    then what productions name. `roles`: what a production made it of, by the part that each plays. `sets`: what the
    production itself says (`direction` is `fall`). `value`: of a token, what it means.
    """

    text: str
    start: int
    end: int
    kinds: frozenset[str] = frozenset()
    parts: tuple["Node", ...] = ()
    roles: Mapping[str, tuple["Node", ...]] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    value: Any = None

    @property
    def kind(self) -> str:
        return next(iter(self.kinds), "")

    def all(self, role: str) -> tuple["Node", ...]:
        """The parts that play a role, in their order."""
        return self.roles.get(role, ())

    def one(self, role: str) -> "Node | None":
        """The first part that plays a role."""
        return next(iter(self.all(role)), None)

    def within(self, kind: str) -> Iterator["Node"]:
        """The nearest nodes of a kind inside, in their order."""
        for part in self.parts:
            if kind in part.kinds:
                yield part
            else:
                yield from part.within(kind)

    def says(self, name: str) -> str:
        """What the production says under a name; empty where it says nothing."""
        return self.sets.get(name, "")
