"""Estimated glomerular filtration rate by CKD-EPI 2021, and the kidney function of each day, recorded or computed."""

from terminology.loinc import CREATININE, EGFR

from grounding import keys
from grounding.calculator import Calculator, Given
from grounding.derived import Derived
from grounding.formula import CalculationError, Sex, age_in_years, positive
from grounding.given import Person, Result, last_day, newest, person, results, rounded

NAME, UNIT = "egfr-ckd-epi-2021", "mL/min/1.73 m2"
KEYS = frozenset({keys.of_loinc(EGFR)})


def egfr_ckd_epi_2021(creatinine_mg_dl: float, age_years: int, sex: Sex) -> float:
    """Estimated GFR in mL/min/1.73 m2 from serum creatinine (mg/dL), adults, without race.

    142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.200 x 0.9938^age x 1.012 [if female];
    k = 0.7 (F) or 0.9 (M), a = -0.241 (F) or -0.302 (M).
    """
    positive(creatinine=creatinine_mg_dl)
    if not 18 <= age_years <= 120:
        raise CalculationError("the CKD-EPI 2021 equation is for adults")
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex is Sex.FEMALE else (0.9, -0.302, 1.0)
    ratio = creatinine_mg_dl / kappa
    scale: float = min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.200
    return 142.0 * scale * 0.9938**age_years * factor


def compute(given: Given) -> Derived:
    """Of the newest creatinine among the facts, which also hold birth date and sex."""
    return _of(newest(given, CREATININE, "mg/dL"), person(given))


def series(given: Given) -> tuple[Derived, ...]:
    """For each creatinine, oldest first, in whole mL/min/1.73 m2 as KDIGO asks to report it."""
    someone, measured = person(given), results(given, CREATININE, "mg/dL")
    if not measured:
        raise CalculationError("eGFR needs a creatinine result")
    return tuple(_of(result, someone) for result in measured)


def _of(result: Result, someone: Person) -> Derived:
    value = egfr_ckd_epi_2021(float(result.value), age_in_years(someone.born, result.day), someone.sex)
    used = (result.fact.fact_id, *someone.fact_ids)
    return Derived(NAME, KEYS, rounded(value, "1"), UNIT, result.day, used)


def values(given: Given) -> list[Derived]:
    """The eGFR of each day, oldest first: computed where that is possible, since one equation makes them comparable."""
    try:
        computed = list(series(given))
    except CalculationError:
        computed = []
    have = {value.day for value in computed}
    recorded = [
        Derived("recorded", KEYS, result.value, UNIT, result.day, (result.fact.fact_id,))
        for result in results(given, EGFR, UNIT)
        if result.day not in have
    ]
    both = sorted(computed + recorded, key=lambda value: value.day)
    if not both:
        raise CalculationError("neither eGFR nor creatinine with birth date and sex is given")
    return both


def latest(given: Given) -> Derived:
    """That of the newest day; CalculationError where a newer creatinine or eGFR cannot be read."""
    last = max(values(given), key=lambda value: value.day)
    for code, unit in ((CREATININE, "mg/dL"), (EGFR, UNIT)):
        if last.day < last_day(given, code, last.day):
            newest(given, code, unit)
    return last


CALCULATOR = Calculator(
    name=NAME,
    purpose="function",
    inputs=(CREATININE,),
    method="CKD-EPI 2021",
    words="eGFR by {method} is ",
    source="Inker LA et al., N Engl J Med 2021;385:1737-1749 (CKD-EPI creatinine 2021)",
    compute=compute,
    every=series,
)
