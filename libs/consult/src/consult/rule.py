"""A rule: a pure function from a record to statements, its place in reading, and the passages that it quotes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from grounding import Sources, Statement


@dataclass(frozen=True, slots=True)
class Rule:
    """Its source stands in the docstring of `speak`. Its file in `rules/` is all that it needs."""

    speak: Callable[[Sources], list[Statement]]
    # Place in the order of reading: what can harm first.
    place: int
    # Passages that it quotes -> the terms by which memory finds each.
    cites: Mapping[str, str] = field(default_factory=dict)
    # Rows of knowledge (family/id) that it stands on: it is silent where none of them speaks.
    rows: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.speak.__name__

    @property
    def source(self) -> str:
        """What the docstring of `speak` says behind `Source:`, in one line."""
        return " ".join((self.speak.__doc__ or "").partition("Source:")[2].split()).removesuffix(".")
