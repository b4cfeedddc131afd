"""Critical values: results that a laboratory would telephone."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from grounding import Sources, Statement, facts
from grounding.kinds import latest
from grounding.statements import Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import CALCIUM, GLUCOSE, HAEMOGLOBIN, PLATELETS, POTASSIUM, SODIUM, WHITE_BLOOD_CELLS

from consult.rule import Rule
from consult.rules import parts

# How long the newest value stays news.
_RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CriticalRange:
    """Critical at or below `low`, at or above `high`, in `unit`."""

    unit: str
    low: Decimal | None
    high: Decimal | None


def _range(unit: str, low: str, high: str) -> CriticalRange:
    return CriticalRange(unit, Decimal(low) if low else None, Decimal(high) if high else None)


# LOINC -> limits. Potassium high: UK Kidney Association 2023 (moderate hyperkalaemia, urgent assessment). The others:
# Kost GJ, JAMA 1990;263:704-707, means of United States medical centers, adults.
CRITICAL: dict[str, CriticalRange] = {
    POTASSIUM: _range("mmol/L", "2.8", "6.0"),
    SODIUM: _range("mmol/L", "120", "158"),
    GLUCOSE: _range("mg/dL", "46", "484"),
    CALCIUM: _range("mg/dL", "6.6", "12.9"),
    HAEMOGLOBIN: _range("g/dL", "6.6", "19.9"),
    PLATELETS: _range("10^9/L", "37", "910"),
    WHITE_BLOOD_CELLS: _range("10^9/L", "2.0", "37"),
}


def critical_values(sources: Sources) -> list[Statement]:
    """The newest result of an analyte of the table, not older than 30 days, at or beyond its limit, with the comment of
    the laboratory on it.

    Source: beside the table `CRITICAL`.
    """
    found = []
    for loinc, limits in CRITICAL.items():
        newest = sources.measured(loinc)[-1:]
        if newest and _is_recent(newest[0], sources) and _is_critical(newest[0], limits):
            found.append(_alert(newest[0]))
    return found


def _alert(fact: ClinicalFact) -> Statement:
    words = (Words("Critical value: "), *latest.measured(fact, capital=False))
    return parts.statement(wire.STATEMENT_KIND_ALERT, *words)


def _is_recent(fact: ClinicalFact, sources: Sources) -> bool:
    known = facts.known_since(fact)
    return known is not None and sources.today - known.date() <= _RECENT


def _is_critical(fact: ClinicalFact, limits: CriticalRange) -> bool:
    converted = facts.convert(fact, fact.quantity, limits.unit)
    if converted is None:
        return False
    return (limits.low is not None and converted <= limits.low) or (
        limits.high is not None and converted >= limits.high
    )


RULES = (Rule(critical_values, place=10),)
