"""What the tool `calculate` can compute from a record, and the value in words when it is asked to.

Guarantee: a value is computed from the facts that were named, by the name that was asked for; units that a formula does
not take, and inputs that are missing, are a CalculationError.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from grounding import Sources, render, say
from grounding.calculate import CalculationError
from grounding.concepts import (
    ACR,
    ALBUMIN,
    BICARBONATE,
    CALCIUM,
    CHLORIDE,
    CHOLESTEROL,
    CREATININE,
    EGFR,
    HDL,
    HEIGHT,
    SODIUM,
    TRIGLYCERIDES,
    WEIGHT,
)
from grounding.derive import CALCULATIONS, DOSE_LIMIT, SLOPE
from longitude.reasoning.v1.episode_pb2 import Calculation
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact


@dataclass(frozen=True, slots=True)
class _Computable:
    """Asked for about the newest result of the first of these LOINC codes that is there, for a purpose."""

    name: str
    purpose: str
    codes: tuple[str, ...]


_OF_RESULTS = (
    _Computable("egfr-ckd-epi-2021", "function", (CREATININE,)),
    _Computable("kdigo-g-stage", "stage", (CREATININE, EGFR)),
    _Computable(SLOPE, "course", (CREATININE, EGFR)),
    _Computable("kdigo-a-stage", "stage", (ACR,)),
    _Computable("kdigo-aki-stage", "injury", (CREATININE,)),
    _Computable("creatinine-clearance", "clearance", (CREATININE, WEIGHT)),
    _Computable("body-mass-index", "build", (WEIGHT, HEIGHT)),
    _Computable("corrected-calcium", "correction", (CALCIUM, ALBUMIN)),
    _Computable("anion-gap", "balance", (SODIUM, CHLORIDE, BICARBONATE)),
    _Computable("ldl-friedewald", "risk", (CHOLESTEROL, HDL, TRIGLYCERIDES)),
)
_KIDNEY = (CREATININE, EGFR, WEIGHT)


def computable(sources: Sources) -> list[Calculation]:
    """The calculations whose inputs are all there, each with the call that asks for it."""
    return [*_of_results(sources), *_of_medications(sources)]


def compute(name: str, fact_ids: list[str], about: str, purpose: str, sources: Sources) -> Calculation:
    """CalculationError, KeyError or UnknownSourceError when it cannot be computed from these facts."""
    text = render(say.calculation(name, fact_ids), sources).text
    return Calculation(name=name, fact_ids=fact_ids, about=about, purpose=purpose, text=text)


def _of_results(sources: Sources) -> Iterator[Calculation]:
    for each in _OF_RESULTS:
        series = [sources.series(code) for code in each.codes]
        about = next((found[-1] for found in series if found), None)
        if about is not None:
            given = [*(fact for found in series for fact in found), *_person(sources)]
            yield from _computed(each.name, each.purpose, about, given)


def _of_medications(sources: Sources) -> Iterator[Calculation]:
    """What the kidney function allows of each medication in force."""
    kidney = [fact for code in _KIDNEY for fact in sources.series(code)]
    for medication in sources.active(FACT_KIND_MEDICATION):
        yield from _computed(DOSE_LIMIT, "dose", medication, [medication, *kidney, *_person(sources)])


def _computed(name: str, purpose: str, about: ClinicalFact, given: list[ClinicalFact]) -> Iterator[Calculation]:
    try:
        used = CALCULATIONS[name](given).fact_ids
    except CalculationError:
        return
    yield Calculation(name=name, fact_ids=used, about=about.fact_id, purpose=purpose)


def _person(sources: Sources) -> list[ClinicalFact]:
    return [fact for fact in (sources.birth_date(), sources.sex()) if fact]
