"""Vaccines of CVX: what a dose protects from, and the series that it counts for.

Guarantee: an immune globulin, `no vaccine administered` and `unknown` count for no series.
"""

from dataclasses import dataclass
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import tables
from terminology.concepts import CVX, NDC
from terminology.naming import Lexicon, Name

COLUMNS = ("code", "display", "names", "antigens", "series", "ndc", "source")
_NDC_DIGITS = 11
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
    """The vaccine that a CVX code (with or without leading zeros) or a National Drug Code is; None when not known."""
    if concept.system == NDC:
        return _rows().get(_by_product().get(_product(concept.code), ""))
    return _rows().get(concept.code.strip().zfill(2)) if concept.system == CVX else None


def known() -> tuple[Vaccine, ...]:
    """Every vaccine and immune globulin that can be given."""
    return tuple(each for each in _rows().values() if each.is_given)


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


def _product(ndc: str) -> str:
    """Labeler and product of a code in the form 5-4-2, with or without its hyphens; empty for another form."""
    digits = ndc.strip().replace("-", "")
    return digits[:9] if len(digits) == _NDC_DIGITS and digits.isdigit() else ""


@cache
def _rows() -> dict[str, Vaccine]:
    vaccines = (
        Vaccine(row["code"], row["display"], row.several("names"), row.several("antigens"), row.several("series"))
        for row in _table()
    )
    return {vaccine.code: vaccine for vaccine in vaccines}


@cache
def _by_product() -> dict[str, str]:
    return {product.replace("-", ""): row["code"] for row in _table() for product in row.several("ndc")}


@cache
def _table() -> tuple[tables.Row, ...]:
    return tuple(tables.index(tables.read("vaccines", COLUMNS), "code").values())


@cache
def _lexicon() -> Lexicon:
    return Lexicon(Name(text, vaccine.code) for vaccine in known() for text in (vaccine.display, *vaccine.names))
