"""Where rows come from: `data/sources.tsv`, by the short key that the `source` column of every table holds."""

from dataclasses import dataclass
from functools import cache

from terminology import tables

COLUMNS = ("key", "document", "licence")


@dataclass(frozen=True, slots=True)
class Source:
    """A document that rows are written from, and the licence that it stands under."""

    key: str
    document: str
    licence: str


@cache
def known() -> dict[str, Source]:
    """All sources by their key."""
    rows = tables.index(tables.read("sources", COLUMNS), "key").values()
    return {row["key"]: Source(row["key"], row["document"], row["licence"]) for row in rows}
