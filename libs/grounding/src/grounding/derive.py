"""Values that follow from facts by a named formula, so that a computed number can be checked like a recorded one.

Guarantee: a derived value names the facts it was computed from; the same facts always give the same value, whoever asks
(the renderer that writes it or the verifier that reads it back).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact

from grounding import calculate, facts
from grounding.calculate import CalculationError
from grounding.chemistry import anion_gap, body_mass_index, corrected_calcium, ldl_cholesterol
from grounding.concepts import ACR, CLEARANCE, CREATININE, EGFR, WEIGHT, loinc_key
from grounding.derived import Derived
from grounding.dosing import Advice, Measure, dosing_of, limit_at
from grounding.drugs import RXNORM
from grounding.given import Person, Result, birth, last_day, newest, person, results, rounded

EGFR_UNIT = "mL/min/1.73 m2"
SLOPE_UNIT = "mL/min/1.73 m2 per year"
SLOPE, DOSE_LIMIT = "egfr-slope", "dose-limit"
_EGFR_KEYS = frozenset({loinc_key(EGFR)})


def egfr(inputs: Sequence[ClinicalFact]) -> Derived:
    """EGFR by CKD-EPI 2021 of the newest creatinine among the inputs, which also hold birth date and sex."""
    return _egfr_of(newest(inputs, CREATININE, "mg/dL"), person(inputs))


def egfr_series(inputs: Sequence[ClinicalFact]) -> tuple[Derived, ...]:
    """EGFR by CKD-EPI 2021 for each creatinine, oldest first, in whole mL/min/1.73 m2 as KDIGO asks to report it."""
    someone, measured = person(inputs), results(inputs, CREATININE, "mg/dL")
    if not measured:
        raise CalculationError("eGFR needs a creatinine result")
    return tuple(_egfr_of(result, someone) for result in measured)


def egfr_stage(inputs: Sequence[ClinicalFact]) -> Derived:
    """KDIGO G stage of the newest eGFR, recorded or computed. `value` is the number behind the label."""
    return _stage_of(_newest_egfr(inputs))


def egfr_slope(inputs: Sequence[ClinicalFact]) -> Derived:
    """Least-squares change of eGFR per year, one decimal, computed from creatinine where no eGFR was recorded."""
    values = _egfr_values(inputs)
    slope = calculate.slope_per_year([(each.day, float(each.value)) for each in values])
    used = tuple(dict.fromkeys(fact_id for each in values for fact_id in each.fact_ids))
    day = max(each.day for each in values)
    return Derived(SLOPE, _EGFR_KEYS, rounded(slope, "0.1"), SLOPE_UNIT, day, used)


def clearance(inputs: Sequence[ClinicalFact]) -> Derived:
    """Creatinine clearance (Cockcroft-Gault) of the newest creatinine and weight, in whole mL/min."""
    someone = person(inputs)
    creatinine, weight = newest(inputs, CREATININE, "mg/dL"), newest(inputs, WEIGHT, "kg")
    age_years = calculate.age_in_years(someone.born, creatinine.day)
    value = calculate.creatinine_clearance(float(creatinine.value), age_years, float(weight.value), someone.sex)
    used = (creatinine.fact.fact_id, weight.fact.fact_id, *someone.fact_ids)
    keys = frozenset({CLEARANCE})
    return Derived("creatinine-clearance", keys, rounded(value, "1"), "mL/min", creatinine.day, used)


def aki_stage(inputs: Sequence[ClinicalFact]) -> Derived:
    """KDIGO stage of acute kidney injury: the newest creatinine against the lowest of the seven days before it."""
    last = newest(inputs, CREATININE, "mg/dL")
    before = [each for each in results(inputs, CREATININE, "mg/dL") if each.fact.fact_id != last.fact.fact_id]
    earlier = [each for each in before if 0 <= (last.day - each.day).days <= 7]
    if not earlier:
        raise CalculationError("no creatinine of the last seven days to compare with")
    base = min(earlier, key=lambda each: each.value)
    quick = (last.day - base.day).days <= 2
    stage = calculate.kdigo_aki_stage(float(base.value), float(last.value), rise_within_48_hours=quick)
    used = (base.fact.fact_id, last.fact.fact_id)
    keys = frozenset({"calculation|kdigo-aki-stage"})
    return Derived("kdigo-aki-stage", keys, Decimal(stage), "", last.day, used, f"AKI stage {stage}")


def albuminuria_stage(inputs: Sequence[ClinicalFact]) -> Derived:
    """KDIGO A stage of the newest albumin/creatinine ratio."""
    ratio = newest(inputs, ACR, "mg/g")
    label = calculate.kdigo_a_stage(float(ratio.value))
    used = (ratio.fact.fact_id,)
    return Derived("kdigo-a-stage", facts.keys(ratio.fact), ratio.value, "mg/g", ratio.day, used, label)


def dose_limit(inputs: Sequence[ClinicalFact]) -> Derived:
    """What the kidney function allows of the one medication among the inputs, where a published limit applies."""
    medications = [fact for fact in inputs if fact.kind == FACT_KIND_MEDICATION]
    drug = facts.drug(medications[0]) if len(medications) == 1 else None
    dosing = dosing_of(drug) if drug else None
    if drug is None or dosing is None:
        raise CalculationError("a dose limit needs one medication with a published limit")
    function = _newest_egfr(inputs) if dosing.measure is Measure.EGFR else clearance(inputs)
    limit = limit_at(dosing, float(function.value))
    if limit is None:
        raise CalculationError("no limit applies at this kidney function")
    keys = frozenset({f"{RXNORM}|{drug.rxcui}"})
    used = (medications[0].fact_id, *function.fact_ids)
    found = Derived(DOSE_LIMIT, keys, Decimal(0), "mg per day", function.day, used, source=limit.source)
    if isinstance(limit.allowed, Advice):
        return replace(found, label=limit.allowed)
    return replace(found, value=limit.allowed, comparator="<=")


def age(inputs: Sequence[ClinicalFact], on: date) -> Derived:
    """Completed years of age on a day."""
    born = birth(inputs)
    if born is None:
        raise CalculationError("age needs a birth date")
    years = calculate.age_in_years(born[1], on)
    return Derived("age", frozenset({"calculation|age"}), Decimal(years), "year", on, (born[0].fact_id,))


# What can be asked for by name. Each takes the facts it may use and says which it did use.
CALCULATIONS: dict[str, Callable[[Sequence[ClinicalFact]], Derived]] = {
    "egfr-ckd-epi-2021": egfr,
    "kdigo-g-stage": egfr_stage,
    "kdigo-a-stage": albuminuria_stage,
    SLOPE: egfr_slope,
    "creatinine-clearance": clearance,
    "kdigo-aki-stage": aki_stage,
    DOSE_LIMIT: dose_limit,
    "body-mass-index": body_mass_index,
    "corrected-calcium": corrected_calcium,
    "anion-gap": anion_gap,
    "ldl-friedewald": ldl_cholesterol,
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
    return tuple(dict.fromkeys([*found, *_dose_limits(cited)]))


def _dose_limits(cited: Sequence[ClinicalFact]) -> list[Derived]:
    """The limit of each medication, where there is one."""
    others = [fact for fact in cited if fact.kind != FACT_KIND_MEDICATION]
    found = []
    for fact in cited if len(others) < len(cited) - 1 else ():
        try:
            found += [dose_limit([fact, *others])] if fact.kind == FACT_KIND_MEDICATION else []
        except CalculationError:
            continue
    return found


def _older_stages(cited: Sequence[ClinicalFact]) -> list[Derived]:
    """The stage of every eGFR, so that a change of stage can be told."""
    return [_stage_of(each) for each in _egfr_values(cited)]


def _stage_of(function: Derived) -> Derived:
    label = calculate.kdigo_g_stage(float(function.value))
    return replace(function, name="kdigo-g-stage", label=label)


def _egfr_of(result: Result, someone: Person) -> Derived:
    age_years = calculate.age_in_years(someone.born, result.day)
    value = calculate.egfr_ckd_epi_2021(float(result.value), age_years, someone.sex)
    used = (result.fact.fact_id, *someone.fact_ids)
    return Derived("egfr-ckd-epi-2021", _EGFR_KEYS, rounded(value, "1"), EGFR_UNIT, result.day, used)


def _newest_egfr(inputs: Sequence[ClinicalFact]) -> Derived:
    """The eGFR of the newest day; CalculationError where a newer creatinine or eGFR cannot be read."""
    found = max(_egfr_values(inputs), key=lambda each: each.day)
    for code, unit in ((CREATININE, "mg/dL"), (EGFR, EGFR_UNIT)):
        if found.day < last_day(inputs, code, found.day):
            newest(inputs, code, unit)
    return found


def _egfr_values(inputs: Sequence[ClinicalFact]) -> list[Derived]:
    """EGFR by day: computed from creatinine where that is possible, since one equation makes them comparable."""
    try:
        computed = list(egfr_series(inputs))
    except CalculationError:
        computed = []
    have = {each.day for each in computed}
    recorded = [
        Derived("recorded", _EGFR_KEYS, each.value, EGFR_UNIT, each.day, (each.fact.fact_id,))
        for each in results(inputs, EGFR, EGFR_UNIT)
        if each.day not in have
    ]
    found = sorted(computed + recorded, key=lambda each: each.day)
    if not found:
        raise CalculationError("neither eGFR nor creatinine with birth date and sex is given")
    return found
