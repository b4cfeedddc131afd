"""Where the kidney function stands: the newest eGFR, recorded or computed from creatinine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from grounding import Sources, facts
from grounding.calculators import egfr
from grounding.derived import Derived
from grounding.formula import CalculationError
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import CREATININE, EGFR


@dataclass(frozen=True, slots=True)
class KidneyFunction:
    """The newest eGFR: a recorded result, or computed from the newest creatinine when that is newer."""

    value: float
    recorded: ClinicalFact | None
    fact_ids: tuple[str, ...]


def kidney_function(sources: Sources) -> KidneyFunction | None:
    """None when neither eGFR nor creatinine with birth date and sex is recorded."""
    recorded = [fact for fact in sources.measured(EGFR) if not fact.quantity.comparator][-1:]
    derived = computed(sources)
    if recorded and (derived is None or _day(recorded[0], sources) >= derived.day):
        value = facts.number(recorded[0].quantity)
        assert value is not None
        return KidneyFunction(float(value), recorded[0], (recorded[0].fact_id,))
    return KidneyFunction(float(derived.value), None, derived.fact_ids) if derived else None


def computed(sources: Sources) -> Derived | None:
    """By CKD-EPI 2021 from the newest creatinine; None where birth date or sex is missing."""
    try:
        return egfr.compute([sources.fact(fact_id) for fact_id in inputs(sources)])
    except CalculationError:
        return None


def inputs(sources: Sources) -> tuple[str, ...]:
    """Creatinine results with birth date and sex: what CKD-EPI 2021 needs."""
    person = [fact for fact in (sources.birth_date(), sources.sex()) if fact]
    return (*ids(sources.series(CREATININE)), *(fact.fact_id for fact in person))


def ids(series: Iterable[ClinicalFact]) -> tuple[str, ...]:
    return tuple(fact.fact_id for fact in series)


def _day(fact: ClinicalFact, sources: Sources) -> date:
    known = facts.known_since(fact)
    return known.date() if known else sources.today
