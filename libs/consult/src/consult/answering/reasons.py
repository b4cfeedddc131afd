"""Why a drug is looked at with care beside what the record has: the passage of the evidence library that says so.

Source: the passages that the rows of `data/reasons.tsv` name. Guarantee: a passage that the library does not have is
not told.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from grounding import Sources
from grounding.kinds import evidence
from terminology import tables

from consult.answering.wording import Ways

_COLUMNS = ("drugs", "beside", "passage", "terms")
# Passages that are told beside one answer.
_MOST = 1


@dataclass(frozen=True, slots=True)
class Reason:
    """A row; `drugs` and `beside` as rows of tables name drugs, or families of problems."""

    drugs: frozenset[str]
    beside: frozenset[str]
    passage: str
    terms: str

    def joins(self, considered: frozenset[str], there: frozenset[str]) -> bool:
        """Whether it is about what is considered and what is there, either way round."""
        return any(
            not one.isdisjoint(considered) and not other.isdisjoint(there)
            for one, other in ((self.drugs, self.beside), (self.beside, self.drugs))
        )


def passages() -> Mapping[str, str]:
    """The passages that rows quote, and the terms that find each."""
    return {row.passage: row.terms for row in _rows()}


def why(considered: frozenset[str], there: Iterable[str], sources: Sources) -> Iterator[Ways]:
    """The passages on the drug that is considered and what the record has, the rows in their order."""
    known = frozenset(there)
    joined = [row for row in _rows() if row.joins(considered, known) and sources.has_passage(row.passage)]
    for row in joined[:_MOST]:
        yield said(row.passage, row.terms, sources)


def again(antigens: Iterable[str], sources: Sources) -> Iterator[Ways]:
    """The passages that say when a vaccine is given again."""
    wanted = {f"vaccine-{each}" for each in antigens}
    for row in _rows():
        if not (row.beside or wanted.isdisjoint(row.drugs)) and sources.has_passage(row.passage):
            yield said(row.passage, row.terms, sources)


def said(passage: str, terms: str, sources: Sources) -> Ways:
    """The sentence of a passage that has most of these terms."""
    return (evidence.statement(sources, passage, terms.split()),)


@cache
def _rows() -> tuple[Reason, ...]:
    rows = tables.read("reasons", _COLUMNS, files("consult.answering") / "data")
    return tuple(
        Reason(frozenset(row.several("drugs")), frozenset(row.several("beside")), row["passage"], row["terms"])
        for row in rows
    )
