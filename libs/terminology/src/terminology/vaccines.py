"""Vaccines of CVX: what a dose protects from, and the series that it counts for.

Guarantee: an immune globulin, `no vaccine administered` and `unknown` count for no series.
"""

from dataclasses import dataclass
from functools import cache

from longitude.ingestion.v1.clinical_fact_pb2 import CodedConcept

from terminology import tables
from terminology.concepts import CVX
from terminology.naming import Lexicon, Name

COLUMNS = ("code", "display", "names", "antigens", "series", "source")
_NO_VACCINE = frozenset({"998", "999"})


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A vaccine or immune globulin. `antigens` is what a dose protects from, `series` the groups it counts for."""

    code: str
    display: str
    names: tuple[str, ...]
    antigens: tuple[str, ...]
    series: tuple[str, ...]

    @property
    def is_given(self) -> bool:
        """Whether the code says that something was given at all."""
        return self.code not in _NO_VACCINE


def of(concept: CodedConcept) -> Vaccine | None:
    """The vaccine that a CVX code is, written with or without leading zeros; None when it is not known."""
    return _rows().get(concept.code.strip().zfill(2)) if concept.system == CVX else None


def named(text: str) -> tuple[Vaccine, ...]:
    """The vaccines that a text names, in their order; a name of several formulations gives the unspecified one."""
    codes = (key for mention in _lexicon().mentions(text) for key in mention.keys)
    return tuple(_rows()[code] for code in dict.fromkeys(codes))


def of_series(series: str) -> tuple[Vaccine, ...]:
    """Every vaccine whose doses count for a series."""
    return tuple(vaccine for vaccine in _rows().values() if series in vaccine.series)


def short_name(concept: CodedConcept) -> str:
    """What a reader calls it: the words of a known vaccine, else those that were sent, else the code."""
    vaccine = of(concept)
    return (vaccine.display if vaccine else "") or concept.display or concept.code


@cache
def _rows() -> dict[str, Vaccine]:
    rows = tables.index(tables.read("vaccines", COLUMNS), "code").values()
    vaccines = (
        Vaccine(row["code"], row["display"], row.several("names"), row.several("antigens"), row.several("series"))
        for row in rows
    )
    return {vaccine.code: vaccine for vaccine in vaccines}


@cache
def _lexicon() -> Lexicon:
    given = (vaccine for vaccine in _rows().values() if vaccine.is_given)
    return Lexicon(Name(text, vaccine.code) for vaccine in given for text in (vaccine.display, *vaccine.names))
