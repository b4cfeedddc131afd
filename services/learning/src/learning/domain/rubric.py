"""What physicians keep correcting: rows by rate, which are new, which are satisfied; and who corrects nothing.

A row is new when it was corrected of late and never before, and satisfied when it was corrected before and not once in
enough recent statements.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

VIOLATIONS = ("removed", "number changed", "words changed", "words added")
# Recent statements of a kind without the violation, from which on a row counts as satisfied.
ENOUGH = 20
# A reviewer is one-sided with at least so many statements and nothing corrected, where the others correct this share:
# by chance alone that happens to fewer than one in a hundred (0.9 ** 44).
ONE_SIDED_STATEMENTS = 44
OTHERS_CORRECT = 0.1


class RowState(Enum):
    """Where a row of the rubric stands."""

    NEW = "new"
    OPEN = "open"
    SATISFIED = "satisfied"


@dataclass(frozen=True, slots=True)
class Count:
    """Statements of one kind that came to one end (no violation: kept), of late or before."""

    kind: str
    violation: str
    recent: bool
    statements: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the rubric with its counts."""

    name: str
    violated: int
    reviewed: int
    violated_before: int
    reviewed_before: int

    @property
    def rate(self) -> float:
        """Of the recent statements."""
        return self.violated / self.reviewed if self.reviewed else 0.0

    @property
    def state(self) -> RowState:
        """New, open or satisfied."""
        if self.violated and not self.violated_before:
            return RowState.NEW
        if not self.violated and self.reviewed >= ENOUGH:
            return RowState.SATISFIED
        return RowState.OPEN


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A reviewer's statements, by pseudonym."""

    reviewer: str
    statements: int
    corrected: int


def rows(counts: Iterable[Count]) -> list[Row]:
    """Every row that was ever violated, the most violated first."""
    reviewed: dict[tuple[str, bool], int] = defaultdict(int)
    violated: dict[tuple[str, str, bool], int] = defaultdict(int)
    for count in counts:
        reviewed[count.kind, count.recent] += count.statements
        if count.violation:
            violated[count.kind, count.violation, count.recent] += count.statements
    names = {(kind, violation) for kind, violation, _ in violated}
    made = [
        Row(
            f"{kind}: {violation}",
            violated[kind, violation, True],
            reviewed[kind, True],
            violated[kind, violation, False],
            reviewed[kind, False],
        )
        for kind, violation in names
    ]
    return sorted(made, key=lambda row: (-row.rate, -row.violated, row.name))


def one_sided(reviewers: Sequence[Reviewer]) -> frozenset[str]:
    """Who corrects nothing where the others do: a review that accepts everything teaches what it must not."""
    statements = sum(each.statements for each in reviewers)
    corrected = sum(each.corrected for each in reviewers)
    return frozenset(each.reviewer for each in reviewers if _is_one_sided(each, statements, corrected))


def _is_one_sided(reviewer: Reviewer, statements: int, corrected: int) -> bool:
    others = statements - reviewer.statements
    few_others = others < ONE_SIDED_STATEMENTS or corrected / others < OTHERS_CORRECT
    return not (reviewer.corrected or reviewer.statements < ONE_SIDED_STATEMENTS or few_others)
