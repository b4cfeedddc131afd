"""Values that follow from facts by a named formula, so that a computed number can be checked like a recorded one.

Guarantee: a derived value names the facts it was computed from; the same facts always give the same value, whoever asks
(the renderer that writes it or the verifier that reads it back).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from longitude.ingestion.v1.clinical_fact_pb2 import ClinicalFact

from grounding import calculate, facts, units
from grounding.calculate import CalculationError, Sex
from grounding.concepts import ACR, BIRTH_DATE, CREATININE, EGFR, SEX, WEIGHT, loinc_key
from grounding.sources import administrative_sex, birth_day

EGFR_UNIT = "mL/min/1.73 m2"
SLOPE_UNIT = "mL/min/1.73 m2 per year"


@dataclass(frozen=True, slots=True)
class Derived:
    """One computed value. `text` is how it is printed; `label` names a category (a stage) instead of a number."""

    name: str
    keys: frozenset[str]
    value: Decimal
    unit: str
    day: date
    fact_ids: tuple[str, ...]
    label: str = ""

    @property
    def text(self) -> str:
        return self.label or facts_style(self.value, self.unit)


def facts_style(value: Decimal, unit: str) -> str:
    gap = "" if unit == "%" else " "
    return f"{value}{gap}{unit}" if unit else str(value)


@dataclass(frozen=True, slots=True)
class _Person:
    born: date
    sex: Sex
    fact_ids: tuple[str, ...]


def egfr(inputs: Sequence[ClinicalFact]) -> Derived:
    """EGFR by CKD-EPI 2021 of the newest creatinine among the inputs, which also hold birth date and sex."""
    return egfr_series(inputs)[-1]


def egfr_series(inputs: Sequence[ClinicalFact]) -> tuple[Derived, ...]:
    """EGFR by CKD-EPI 2021 for each creatinine, oldest first, in whole mL/min/1.73 m2 as KDIGO asks to report it."""
    person = _person(inputs)
    results = _results(inputs, CREATININE, "mg/dL")
    if not results:
        raise CalculationError("eGFR needs a creatinine result")
    return tuple(_egfr_of(result, person) for result in results)


def egfr_stage(inputs: Sequence[ClinicalFact]) -> Derived:
    """KDIGO G stage of the newest eGFR, recorded or computed. `value` is the number behind the label."""
    newest = max(_egfr_values(inputs), key=lambda each: each.day)
    label = calculate.kdigo_g_stage(float(newest.value))
    return Derived("kdigo-g-stage", newest.keys, newest.value, EGFR_UNIT, newest.day, newest.fact_ids, label)


def egfr_slope(inputs: Sequence[ClinicalFact]) -> Derived:
    """Least-squares change of eGFR per year, one decimal, computed from creatinine where no eGFR was recorded."""
    values = _egfr_values(inputs)
    slope = calculate.slope_per_year([(each.day, float(each.value)) for each in values])
    used = tuple(dict.fromkeys(fact_id for each in values for fact_id in each.fact_ids))
    rounded = _rounded(slope, "0.1")
    return Derived("egfr-slope", values[0].keys, rounded, SLOPE_UNIT, max(each.day for each in values), used)


def clearance(inputs: Sequence[ClinicalFact]) -> Derived:
    """Creatinine clearance (Cockcroft-Gault) of the newest creatinine and weight, in whole mL/min."""
    person = _person(inputs)
    creatinine, weight = _results(inputs, CREATININE, "mg/dL"), _results(inputs, WEIGHT, "kg")
    if not (creatinine and weight):
        raise CalculationError("creatinine clearance needs creatinine and body weight")
    (fact, value, day), (heavy, kilograms, _) = creatinine[-1], weight[-1]
    age = calculate.age_in_years(person.born, day)
    result = calculate.creatinine_clearance(float(value), age, float(kilograms), person.sex)
    used = (fact.fact_id, heavy.fact_id, *person.fact_ids)
    keys = frozenset({"calculation|creatinine-clearance"})
    return Derived("creatinine-clearance", keys, _rounded(result, "1"), "mL/min", day, used)


def aki_stage(inputs: Sequence[ClinicalFact]) -> Derived:
    """KDIGO stage of acute kidney injury: the newest creatinine against the lowest of the seven days before it."""
    results = _results(inputs, CREATININE, "mg/dL")
    if len(results) < 2:
        raise CalculationError("a stage of acute kidney injury needs two creatinine results")
    fact, newest, day = results[-1]
    earlier = [each for each in results[:-1] if 0 <= (day - each[2]).days <= 7]
    if not earlier:
        raise CalculationError("no creatinine of the last seven days to compare with")
    base, lowest, base_day = min(earlier, key=lambda each: each[1])
    quick = (day - base_day).days <= 2
    stage = calculate.kdigo_aki_stage(float(lowest), float(newest), rise_within_48_hours=quick)
    used = (base.fact_id, fact.fact_id)
    keys = frozenset({"calculation|kdigo-aki-stage"})
    return Derived("kdigo-aki-stage", keys, Decimal(stage), "", day, used, f"AKI stage {stage}")


def albuminuria_stage(inputs: Sequence[ClinicalFact]) -> Derived:
    """KDIGO A stage of the newest albumin/creatinine ratio."""
    results = _results(inputs, ACR, "mg/g")
    if not results:
        raise CalculationError("an A stage needs an albumin/creatinine ratio")
    fact, value, day = results[-1]
    label = calculate.kdigo_a_stage(float(value))
    return Derived("kdigo-a-stage", facts.keys(fact), value, "mg/g", day, (fact.fact_id,), label)


def age(inputs: Sequence[ClinicalFact], on: date) -> Derived:
    """Completed years of age on a day."""
    born = _birth(inputs)
    if born is None:
        raise CalculationError("age needs a birth date")
    years = calculate.age_in_years(born[1], on)
    return Derived("age", frozenset({"calculation|age"}), Decimal(years), "year", on, (born[0].fact_id,))


# What can be asked for by name. Each takes the facts it may use and says which it did use.
CALCULATIONS: dict[str, Callable[[Sequence[ClinicalFact]], Derived]] = {
    "egfr-ckd-epi-2021": egfr,
    "kdigo-g-stage": egfr_stage,
    "kdigo-a-stage": albuminuria_stage,
    "egfr-slope": egfr_slope,
    "creatinine-clearance": clearance,
    "kdigo-aki-stage": aki_stage,
}


def everything(cited: Sequence[ClinicalFact]) -> tuple[Derived, ...]:
    """All that follows from the cited facts: what a text may state beside the recorded values."""
    found: list[Derived] = []
    try:
        found += egfr_series(cited)
    except CalculationError:
        found += []
    for name, calculation in CALCULATIONS.items():
        try:
            found.append(calculation(cited))
        except CalculationError:
            continue
        found += [] if name != "kdigo-g-stage" else _older_stages(cited)
    return tuple(dict.fromkeys(found))


def _older_stages(cited: Sequence[ClinicalFact]) -> list[Derived]:
    """The stage of every eGFR, so that a change of stage can be told."""
    return [
        Derived(
            "kdigo-g-stage",
            each.keys,
            each.value,
            EGFR_UNIT,
            each.day,
            each.fact_ids,
            calculate.kdigo_g_stage(float(each.value)),
        )
        for each in _egfr_values(cited)
    ]


def _egfr_of(result: tuple[ClinicalFact, Decimal, date], person: _Person) -> Derived:
    fact, creatinine, day = result
    age_years = calculate.age_in_years(person.born, day)
    value = calculate.egfr_ckd_epi_2021(float(creatinine), age_years, person.sex)
    used = (fact.fact_id, *person.fact_ids)
    keys = frozenset({loinc_key(EGFR)})
    return Derived("egfr-ckd-epi-2021", keys, _rounded(value, "1"), EGFR_UNIT, day, used)


def _egfr_values(inputs: Sequence[ClinicalFact]) -> list[Derived]:
    """EGFR by day: computed from creatinine where that is possible, since one equation makes them comparable."""
    try:
        computed = list(egfr_series(inputs))
    except CalculationError:
        computed = []
    have = {each.day for each in computed}
    keys = frozenset({loinc_key(EGFR)})
    recorded = [
        Derived("recorded", keys, value, EGFR_UNIT, day, (fact.fact_id,))
        for fact, value, day in _results(inputs, EGFR, EGFR_UNIT)
        if day not in have
    ]
    found = sorted(computed + recorded, key=lambda each: each.day)
    if not found:
        raise CalculationError("neither eGFR nor creatinine with birth date and sex is given")
    return found


def _results(inputs: Iterable[ClinicalFact], loinc: str, unit: str) -> list[tuple[ClinicalFact, Decimal, date]]:
    """Results of one code in one unit, oldest first; those with a comparator (`<`) are no numbers to compute with."""
    found = []
    for fact in inputs:
        if loinc_key(loinc) not in facts.keys(fact) or not fact.HasField("quantity") or fact.quantity.comparator:
            continue
        value, day = facts.number(fact.quantity), facts.starts_on(fact)
        converted = None if value is None else units.convert(value, units.printed(fact.quantity.unit), unit, loinc)
        if converted is not None and day is not None:
            found.append((fact, converted, day))
    return sorted(found, key=lambda each: (each[2], facts.moment(each[0].valid_from), each[0].fact_id))


def _person(inputs: Sequence[ClinicalFact]) -> _Person:
    born = _birth(inputs)
    sexes = [(fact, administrative_sex(fact)) for fact in inputs if loinc_key(SEX) in facts.keys(fact)]
    known = [(fact, sex) for fact, sex in sexes if sex is not None]
    if born is None or not known:
        raise CalculationError("birth date and sex are needed")
    return _Person(born[1], known[-1][1], (born[0].fact_id, known[-1][0].fact_id))


def _birth(inputs: Sequence[ClinicalFact]) -> tuple[ClinicalFact, date] | None:
    for fact in inputs:
        day = birth_day(fact) if loinc_key(BIRTH_DATE) in facts.keys(fact) else None
        if day is not None:
            return fact, day
    return None


def _rounded(value: float, step: str) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(step), rounding=ROUND_HALF_UP)
