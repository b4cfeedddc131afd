"""Screening: what is looked for in people without complaints, and in whom.

Rows of `data/screenings.tsv`. A row says whose turn it may be; it is no order.
"""

from dataclasses import dataclass
from functools import cache

from terminology import tables

COLUMNS = (
    "screening", "told", "words", "sex", "from", "to", "problems", "unless", "done", "passage", "terms", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Screening:
    """One screening at one age. `told`: the procedure or result by name; `done`: words of names of procedures and LOINC
    codes, each with the months for which it counts, 0 for ever. `first` and `last`: years of age, both included;
    `problems`: families of which one must be there; `unless`: families or words of which none may. `passage`: of the
    evidence library, which `terms` find.
    """

    id: str
    told: str
    words: tuple[str, ...]
    sexes: tuple[str, ...]
    first: int
    last: int
    problems: tuple[str, ...]
    unless: tuple[str, ...]
    done: tuple[tuple[str, int], ...]
    passage: str
    terms: str

    def is_for(self, sex: str, age: int | None) -> bool:
        """Whether somebody's turn may be; a sex or age that is not known rules out nothing."""
        return (not sex or sex in self.sexes) and (age is None or self.first <= age <= self.last)


@cache
def known() -> tuple[Screening, ...]:
    rows = tables.read("screenings", COLUMNS)
    tables.index(rows, "screening", "from")
    return tuple(_screening(row) for row in rows)


def _screening(row: tables.Row) -> Screening:
    return Screening(
        row["screening"],
        row["told"],
        row.several("words"),
        row.several("sex"),
        int(row["from"]),
        int(row["to"]),
        row.several("problems"),
        row.several("unless"),
        tuple(done(each) for each in row.several("done")),
        row["passage"],
        row["terms"],
    )


def done(cell: str) -> tuple[str, int]:
    """`colonoscop:120`: what counts, and for how many months; without a number for ever."""
    what, _, months = cell.rpartition(":")
    return what, int(months or 0)
