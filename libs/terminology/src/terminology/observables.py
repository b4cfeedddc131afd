"""What can be observed: results, vital signs, scores, findings and answers, as analyte, specimen and property.

Guarantee: a code or name of another specimen or property is never taken for this one; where an equivalent code differs
(moles for mass, a method, an equation), what differs is said, and values are converted by what was measured.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import units
from terminology.concepts import LOINC
from terminology.concepts import key as plain_key
from terminology.tables import Row, index, read

_OBSERVABLES = (
    "id", "loinc", "name", "kind", "analyte", "specimen", "property", "unit", "decimals", "units", "substance",
    "family", "low", "high", "short", "names", "abbreviations", "source",
)  # fmt: skip
_CODES = ("loinc", "name", "observable", "differs", "substance", "source")
# The kind of what is measured in a specimen.
LABORATORY = "laboratory"
_NO_METHOD = "method: not stated"
_STATES_SPECIMEN = re.compile(r" (?:in|of) [A-Z]")


@dataclass(frozen=True, slots=True)
class Observable:
    """One thing that can be observed. `unit` and `units` are UCUM codes: the record's, and others of the field."""

    id: str
    loinc: str
    name: str
    kind: str
    analyte: str
    specimen: str
    property: str
    unit: str
    decimals: int
    units: tuple[str, ...]
    substance: str
    family: str
    low: Decimal | None
    high: Decimal | None
    short: str
    names: tuple[str, ...]
    abbreviations: tuple[str, ...]

    def plausible(self, value: Decimal) -> bool:
        """Whether a value in the record's unit can be true of a living patient, as far as limits are known."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Code:
    """A LOINC code, its observable, and what differs from it (empty for the observable's own code)."""

    loinc: str
    name: str
    observable: Observable
    differs: str
    substance: str

    @property
    def concept(self) -> CodedConcept:
        """How a record names it: as the observable, or as itself where that would add a method that nobody stated."""
        own = self.differs == _NO_METHOD
        loinc, name = (self.loinc, self.name) if own else (self.observable.loinc, self.observable.name)
        return CodedConcept(system=LOINC, code=loinc, display=name)

    def accepts(self, unit: str) -> bool:
        """Whether results of this code come in this unit, in any spelling; no unit where it has none."""
        return self._reading(unit) is not None

    def in_unit(self, value: Decimal, unit: str) -> Decimal | None:
        """In the record's unit, with the digits that were sent; None where results do not come in this unit."""
        code = self._reading(unit)
        if code is None:
            return None
        if code == self.observable.unit and self.substance == self.observable.substance:
            return value
        converted = self.convert(value, code, self.observable.unit)
        return None if converted is None else units.rounded(converted, value, self.observable.decimals)

    def _reading(self, unit: str) -> str | None:
        """The unit that a spelling means here; None when results of this code do not come in it."""
        known = (self.observable.unit, *self.observable.units)
        return next((code for code in (units.readings(unit) if unit else ("",)) if code in known), None)

    def convert(self, value: Decimal, unit: str, to: str) -> Decimal | None:
        """A value of this code as the observable in any unit, unrounded; None where they cannot be compared."""
        return units.convert(value, unit, to, self.substance, self.observable.substance)


def by_loinc(loinc: str) -> Code | None:
    """The observable of a LOINC code, or of an equivalent one; None when the code is not known."""
    return _codes().get(loinc)


@cache
def _codes() -> Mapping[str, Code]:
    own = {loinc: Code(loinc, known.name, known, "", known.substance) for loinc, known in observables().items()}
    return {loinc: _equivalent(row) for loinc, row in _equivalents().items()} | own


def _equivalent(row: Row) -> Code:
    observable = by_id()[row["observable"]]
    return Code(row["loinc"], row["name"], observable, row["differs"], row["substance"] or observable.substance)


def of(concept: CodedConcept) -> Observable | None:
    """The observable of a concept: by its LOINC code; of another system, only by a whole LOINC long name."""
    if concept.system == LOINC:
        code = by_loinc(concept.code)
        return code.observable if code else None
    return _long_names().get(plain(concept.display))


def convert(value: Decimal, unit: str, to: str, loinc: str = "") -> Decimal | None:
    """A result of this LOINC code in another unit, unrounded; None where the two cannot be compared."""
    code = by_loinc(loinc)
    return code.convert(value, unit, to) if code else units.convert(value, unit, to)


def key(concept: CodedConcept) -> str:
    """By which facts compare: equivalent codes share their observable's, a family (eGFR) its first member's."""
    observable = of(concept)
    return plain_key(concept) if observable is None else f"{LOINC}|{_head(observable).loinc}"


def equation(concept: CodedConcept) -> str:
    """What differs between a code and the observable that it is read as; empty for its own code."""
    code = by_loinc(concept.code) if concept.system == LOINC else None
    return code.differs if code else ""


def plain(text: str) -> str:
    """A name without regard to case, spaces and punctuation, but for what tells names apart (`/`, `%`, `+`, `#`)."""
    return " ".join(re.sub(r"[^\w/%+#.-]+", " ", text.replace("\u200b", "").casefold()).split())


@cache
def observables() -> Mapping[str, Observable]:
    """All observables, by their LOINC codes."""
    rows = list(read("observables", _OBSERVABLES))
    index(rows, "id")
    return {loinc: _observable(row) for (loinc,), row in index(rows, "loinc").items()}


@cache
def result_units() -> frozenset[str]:
    """Every unit that results come in; `mg` and `day` are units, and no result is measured in them."""
    return frozenset(unit for known in observables().values() for unit in (known.unit, *known.units) if unit)


@cache
def by_id() -> Mapping[str, Observable]:
    return {observable.id: observable for observable in observables().values()}


def _observable(row: Row) -> Observable:
    return Observable(
        id=row["id"],
        loinc=row["loinc"],
        name=row["name"],
        kind=row["kind"],
        analyte=row["analyte"],
        specimen=row["specimen"],
        property=row["property"],
        unit=row["unit"],
        decimals=int(row["decimals"] or 0),
        units=row.several("units"),
        substance=row["substance"],
        family=row["family"],
        low=Decimal(row["low"]) if row["low"] else None,
        high=Decimal(row["high"]) if row["high"] else None,
        short=row["short"],
        names=row.several("names"),
        abbreviations=row.several("abbreviations"),
    )


def _head(observable: Observable) -> Observable:
    members = (each for each in observables().values() if each.family == observable.family)
    return next(members) if observable.family else observable


@cache
def _equivalents() -> Mapping[str, Row]:
    return {row["loinc"]: row for row in read("observable_codes", _CODES)}


@cache
def equivalents() -> tuple[Code, ...]:
    """The codes that are read as an observable although something differs."""
    return tuple(code for loinc in _equivalents() if (code := by_loinc(loinc)) is not None)


@cache
def _long_names() -> Mapping[str, Observable]:
    """Long names that state the specimen or the property; a bare word (`Address`) is not enough."""
    own = [(name, known) for known in observables().values() for name in (known.name, *known.names)]
    names = [*own, *((code.name, code.observable) for code in equivalents())]
    return {plain(name): known for name, known in names if "[" in name or _STATES_SPECIMEN.search(name)}
