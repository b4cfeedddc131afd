"""Cross-reactions between classes and ingredients: how likely, and the evidence.

Guarantee: of the rows that apply to an allergy and a drug the narrowest is told; nothing is told that no row says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from terminology import tables


class Strength(StrEnum):
    """How likely somebody with the allergy reacts to the drug."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class CrossReaction:
    """A row: an allergy to `of` (a class or an ingredient) and a drug of `to`; `sources` are keys of sources.tsv."""

    of: str
    to: str
    strength: Strength
    evidence: str
    sources: tuple[str, ...]


def between(allergy: Sequence[str], drug: Sequence[str]) -> CrossReaction | None:
    """The cross-reaction of an allergy and a drug, each given by its names and classes, the narrowest first."""
    pairs = ((a, d) for a in allergy for d in drug if (a, d) in _by_pair())
    closest = min(pairs, key=lambda pair: allergy.index(pair[0]) + drug.index(pair[1]), default=None)
    return _by_pair()[closest] if closest else None


@cache
def everything() -> tuple[CrossReaction, ...]:
    """All rows."""
    rows = tables.read("cross_reactions", ("from", "to", "strength", "evidence", "source"))
    return tuple(
        CrossReaction(row["from"], row["to"], Strength(row["strength"]), row["evidence"], row.several("source"))
        for row in rows
    )


@cache
def _by_pair() -> dict[tuple[str, str], CrossReaction]:
    return {(each.of, each.to): each for each in everything()}
