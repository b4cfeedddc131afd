"""Whose reviews say nothing: one reviewer who accepts everything would teach that everything is right."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Statements that one reviewer judged, and how many of them not simply accepted."""

    judged: int
    changed: int


def indiscriminate(tallies: Mapping[str, Tally], chance: float = 0.001) -> tuple[str, ...]:
    """Reviewers who changed nothing although p = (1 - q)^n < chance.

    Here q is the share that the others changed, n what these judged. Source: ours; the binomial probability of no
    change in n statements by somebody who judges as the others do. With nobody to compare with, nobody is named.
    """
    named = []
    for name, own in tallies.items():
        others = [tally for other, tally in tallies.items() if other != name]
        judged = sum(tally.judged for tally in others)
        share = sum(tally.changed for tally in others) / judged if judged else 0.0
        if not own.changed and (1 - share) ** own.judged < chance:
            named.append(name)
    return tuple(sorted(named))
