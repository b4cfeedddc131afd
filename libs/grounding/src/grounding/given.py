"""The inputs of a formula among the facts that it is given: results in the formula's unit, and the person.

Guarantee: a value enters a formula only in its unit, converted where the analyte allows. Where the newest result cannot
be read so (another or no unit, a `<`), there is a CalculationError and no older result in its place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import BIRTH_DATE, SEX

from grounding import facts, keys
from grounding.formula import CalculationError, Sex, age_in_years
from grounding.sources import administrative_sex, birth_day


class Result(NamedTuple):
    """A result in the unit asked for."""

    fact: ClinicalFact
    value: Decimal
    day: date


@dataclass(frozen=True, slots=True)
class Person:
    born: date
    sex: Sex
    fact_ids: tuple[str, ...]


def results(inputs: Iterable[ClinicalFact], loinc: str, unit: str) -> list[Result]:
    """Results of one code in one unit, oldest first; what cannot be read so is left out."""
    read = ((fact, _read(fact, unit)) for fact in _of_code(inputs, loinc))
    return [Result(fact, value, _day(fact)) for fact, value in read if value is not None]


def newest(inputs: Iterable[ClinicalFact], loinc: str, unit: str) -> Result:
    """The newest result of a code; CalculationError when there is none, or when it cannot be read in this unit."""
    found = _of_code(inputs, loinc)
    if not found:
        raise CalculationError("a result that the formula needs is missing")
    value = _read(found[-1], unit)
    if value is None:
        raise CalculationError(f"the newest result is no number in {unit} or a unit that converts to it")
    return Result(found[-1], value, _day(found[-1]))


def last_day(inputs: Iterable[ClinicalFact], loinc: str, otherwise: date) -> date:
    """The day of the newest result of a code, readable or not."""
    found = _of_code(inputs, loinc)
    return _day(found[-1]) if found else otherwise


def person(inputs: Sequence[ClinicalFact]) -> Person:
    """Birth date and sex; CalculationError without either."""
    born = birth(inputs)
    sexes = [(fact, administrative_sex(fact)) for fact in inputs if keys.of_loinc(SEX) in facts.keys(fact)]
    known = [(fact, sex) for fact, sex in sexes if sex is not None]
    if born is None or not known:
        raise CalculationError("birth date and sex are needed")
    return Person(born[1], known[-1][1], (born[0].fact_id, known[-1][0].fact_id))


def birth(inputs: Sequence[ClinicalFact]) -> tuple[ClinicalFact, date] | None:
    for fact in inputs:
        day = birth_day(fact) if keys.of_loinc(BIRTH_DATE) in facts.keys(fact) else None
        if day is not None:
            return fact, day
    return None


def age(inputs: Sequence[ClinicalFact], on: date) -> tuple[int, str]:
    """Completed years of age on a day, and the fact that holds the birth date."""
    born = birth(inputs)
    if born is None:
        raise CalculationError("age needs a birth date")
    return age_in_years(born[1], on), born[0].fact_id


def of_one_day(*measured: Result) -> tuple[Result, ...]:
    """The results, if they are of one day; else CalculationError."""
    if len({result.day for result in measured}) > 1:
        raise CalculationError("the results are not of one day")
    return measured


def rounded(value: float, step: str) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(step), rounding=ROUND_HALF_UP)


def _of_code(inputs: Iterable[ClinicalFact], loinc: str) -> list[ClinicalFact]:
    """Dated quantities of one code, oldest first."""
    found = (fact for fact in inputs if keys.of_loinc(loinc) in facts.keys(fact) and fact.HasField("quantity"))
    dated = (fact for fact in found if facts.starts_on(fact) is not None)
    return sorted(dated, key=lambda fact: (facts.moment(fact.valid_from), facts.moment(fact.stated_at), fact.fact_id))


def _read(fact: ClinicalFact, unit: str) -> Decimal | None:
    return None if fact.quantity.comparator else facts.convert(fact, fact.quantity, unit)


def _day(fact: ClinicalFact) -> date:
    day = facts.starts_on(fact)
    assert day is not None, "only dated results are read"
    return day
