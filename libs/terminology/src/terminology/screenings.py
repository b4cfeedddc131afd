"""Screening: what is looked for in people without complaints, and in whom.

Rows of `data/screenings.tsv`. A row says whose turn it may be; it is no order.
"""

from dataclasses import dataclass
from functools import cache

from terminology import tables

COLUMNS = ("screening", "told", "words", "sex", "from", "to", "problems", "done", "results", "source")


@dataclass(frozen=True, slots=True)
class Screening:
    """`told`: the procedure or result by name; `done`: words of names of procedures; `results`: LOINC codes. `first`
    and `last`: years of age, both included; `problems`: families of which one must be there.
    """

    id: str
    told: str
    words: tuple[str, ...]
    sexes: tuple[str, ...]
    first: int
    last: int
    problems: tuple[str, ...]
    done: tuple[str, ...]
    results: tuple[str, ...]

    def is_for(self, sex: str, age: int | None) -> bool:
        """Whether somebody's turn may be; a sex or age that is not known rules out nothing."""
        return (not sex or sex in self.sexes) and (age is None or self.first <= age <= self.last)


@cache
def known() -> tuple[Screening, ...]:
    rows = tables.read("screenings", COLUMNS)
    tables.index(rows, "screening")
    return tuple(
        Screening(
            row["screening"],
            row["told"],
            row.several("words"),
            row.several("sex"),
            int(row["from"]),
            int(row["to"]),
            row.several("problems"),
            row.several("done"),
            row.several("results"),
        )
        for row in rows
    )
