"""What the tool `calculate` can compute from a record, and the value in words when it is asked to.

Guarantee: a value is computed from the facts that were named, by the name that was asked for; units that a formula does
not take, and inputs that are missing, are a CalculationError.
"""

from collections.abc import Iterator

from grounding import Sources, render
from grounding.calculator import Calculator
from grounding.calculators import CALCULATORS
from grounding.formula import CalculationError
from grounding.kinds import calculation
from longitude.reasoning.v1.episode_pb2 import Calculation
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact


def computable(sources: Sources) -> list[Calculation]:
    """The calculations whose inputs are all there, each with the call that asks for it."""
    return [calculation for each in CALCULATORS.values() for calculation in _computable(each, sources)]


def compute(name: str, fact_ids: list[str], about: str, purpose: str, sources: Sources) -> Calculation:
    """CalculationError, KeyError or UnknownSourceError when it cannot be computed from these facts."""
    text = render(calculation.statement(name, fact_ids), sources).text
    return Calculation(name=name, fact_ids=fact_ids, about=about, purpose=purpose, text=text)


def _computable(calculator: Calculator, sources: Sources) -> Iterator[Calculation]:
    """About the newest result of the first input that is there, or about each medication in force."""
    series = [sources.series(code) for code in calculator.inputs]
    given = [*(fact for results in series for fact in results), *_person(sources)]
    if calculator.of_medication:
        for medication in sources.active(FACT_KIND_MEDICATION):
            yield from _computed(calculator, medication, [medication, *given])
    elif any(series):
        yield from _computed(calculator, next(results[-1] for results in series if results), given)


def _computed(calculator: Calculator, about: ClinicalFact, given: list[ClinicalFact]) -> Iterator[Calculation]:
    try:
        used = calculator.compute(given).fact_ids
    except CalculationError:
        return
    yield Calculation(name=calculator.name, fact_ids=used, about=about.fact_id, purpose=calculator.purpose)


def _person(sources: Sources) -> list[ClinicalFact]:
    return [fact for fact in (sources.birth_date(), sources.sex()) if fact]
