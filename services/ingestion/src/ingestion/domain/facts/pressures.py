"""Blood pressures written as one value (`120/80`): systolic and diastolic, in the unit that was sent."""

import re
from dataclasses import dataclass
from functools import cache

from terminology.concepts import LOINC
from terminology.names import BLOOD_PRESSURE, VITAL_SIGNS, panel
from terminology.observables import by_loinc

from ingestion.domain.coding import CodedElement, Coding
from ingestion.domain.facts.quantities import Measurement

_PRESSURE = re.compile(r"(\d{2,3})\s*/\s*(\d{2,3})")
# Riva-Rocci: how German feeds name the blood pressure. `Pressure` alone may be that of an eye.
_RIVA_ROCCI = "RR"
_AMBIGUOUS = "PRESSURE"


@dataclass(frozen=True, slots=True)
class Pressure:
    """One of the two numbers, with the LOINC code of what it is."""

    loinc: str
    sent: Measurement

    @property
    def element(self) -> CodedElement:
        """As if it had been sent alone."""
        return CodedElement((Coding(self.loinc, "", LOINC),), "")


def pressures(element: CodedElement, text: str, unit: str) -> list[Pressure]:
    """Systolic and diastolic; nothing where the value, the code or the unit is another."""
    both, parts = _PRESSURE.fullmatch(text), _members()
    known = by_loinc(parts[0])
    if both is None or known is None or not _is_blood_pressure(element):
        return []
    unit = unit or known.observable.unit
    numbers = both.groups() if known.accepts(unit) else ()
    return [Pressure(loinc, Measurement(number, "", unit)) for loinc, number in zip(parts, numbers, strict=False)]


def _is_blood_pressure(element: CodedElement) -> bool:
    return any(_plain(name) in _names() for name in (*(coding.code for coding in element.codings), *element.texts))


def _members() -> tuple[str, ...]:
    known = panel(BLOOD_PRESSURE)
    return tuple(member.loinc for member in known.members) if known else ()


@cache
def _names() -> frozenset[str]:
    """A panel of vital signs has one value of the form `120/80` only: the blood pressure."""
    known, vital_signs = panel(BLOOD_PRESSURE), panel(VITAL_SIGNS)
    own = (*known.loinc, *known.names, *known.abbreviations) if known else ()
    signs = vital_signs.loinc if vital_signs else ()
    return frozenset(map(_plain, (*own, *signs, _RIVA_ROCCI))) - {_AMBIGUOUS}


def _plain(text: str) -> str:
    """Capitals without spaces and punctuation."""
    return re.sub(r"[\W_]", "", text.upper())
