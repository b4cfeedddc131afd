"""Clinical formulas with their sources. Pure numbers in, pure numbers out; the unit of each is in its name.

Guarantee: an argument outside the range in which the formula has a meaning raises `CalculationError`;
nothing is clamped or guessed.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum


class CalculationError(ValueError):
    """An input is missing, implausible or in a unit that the formula does not take."""


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


def age_in_years(born: date, on: date) -> int:
    """Completed years of age on a day."""
    if on < born:
        raise CalculationError("the day lies before the birth date")
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def egfr_ckd_epi_2021(creatinine_mg_dl: float, age_years: int, sex: Sex) -> float:
    """Estimated GFR in mL/min/1.73 m2 from serum creatinine (mg/dL), adults, without race.

    142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.200 x 0.9938^age x 1.012 [if female];
    k = 0.7 (F) or 0.9 (M), a = -0.241 (F) or -0.302 (M).
    Source: Inker LA et al., N Engl J Med 2021;385:1737-1749 (CKD-EPI creatinine 2021).
    """
    _positive("creatinine", creatinine_mg_dl)
    if not 18 <= age_years <= 120:
        raise CalculationError("the CKD-EPI 2021 equation is for adults")
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex is Sex.FEMALE else (0.9, -0.302, 1.0)
    ratio = creatinine_mg_dl / kappa
    scale: float = min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.200
    return 142.0 * scale * 0.9938**age_years * factor


def kdigo_g_stage(egfr: float) -> str:
    """GFR category G1 to G5. Source: KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S), table 2."""
    _positive("eGFR", egfr)
    for stage, lower in (("G1", 90.0), ("G2", 60.0), ("G3a", 45.0), ("G3b", 30.0), ("G4", 15.0)):
        if egfr >= lower:
            return stage
    return "G5"


def kdigo_a_stage(acr_mg_g: float) -> str:
    """Albuminuria category A1 to A3 from mg/g. Source: KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S), table 3."""
    if acr_mg_g < 0:
        raise CalculationError("an albumin/creatinine ratio is not negative")
    if acr_mg_g < 30:
        return "A1"
    return "A2" if acr_mg_g <= 300 else "A3"


def creatinine_clearance(creatinine_mg_dl: float, age_years: int, weight_kg: float, sex: Sex) -> float:
    """Creatinine clearance in mL/min: (140 - age) x weight / (72 x Scr), x 0.85 if female.

    Source: Cockcroft DW, Gault MH, Nephron 1976;16:31-41.
    """
    _positive("creatinine", creatinine_mg_dl)
    _positive("weight", weight_kg)
    if not 18 <= age_years < 140:
        raise CalculationError("the Cockcroft-Gault formula is for adults")
    clearance = (140 - age_years) * weight_kg / (72.0 * creatinine_mg_dl)
    return clearance * 0.85 if sex is Sex.FEMALE else clearance


def kdigo_aki_stage(baseline_mg_dl: float, creatinine_mg_dl: float, *, rise_within_48_hours: bool = False) -> int:
    """Stage 0 to 3 of acute kidney injury by creatinine (mg/dL) against its baseline of the last seven days.

    1: 1.5 to 1.9 times, or a rise of at least 0.3 mg/dL within 48 hours; 2: 2.0 to 2.9 times;
    3: 3.0 times, or at least 4.0 mg/dL once the definition of injury is met.
    Source: KDIGO Clinical Practice Guideline for Acute Kidney Injury, Kidney Int Suppl 2012;2:1-138, table 2.
    """
    _positive("baseline creatinine", baseline_mg_dl)
    _positive("creatinine", creatinine_mg_dl)
    ratio = creatinine_mg_dl / baseline_mg_dl
    injured = ratio >= 1.5 or (rise_within_48_hours and creatinine_mg_dl - baseline_mg_dl >= 0.3)
    if not injured:
        return 0
    if ratio >= 3.0 or creatinine_mg_dl >= 4.0:
        return 3
    return 2 if ratio >= 2.0 else 1


def slope_per_year(series: Sequence[tuple[date, float]]) -> float:
    """Least-squares slope of a series in its unit per year (365.25 days).

    KDIGO 2024 calls a sustained decline of eGFR of more than 5 mL/min/1.73 m2 per year rapid progression.
    """
    if len({day for day, _ in series}) < 2:
        raise CalculationError("a slope needs values of at least two days")
    years = [(day - series[0][0]).days / 365.25 for day, _ in series]
    mean_x = sum(years) / len(years)
    mean_y = sum(value for _, value in series) / len(series)
    spread = sum((x - mean_x) ** 2 for x in years)
    return sum((x - mean_x) * (value - mean_y) for x, (_, value) in zip(years, series, strict=True)) / spread


def body_mass_index(weight_kg: float, height_cm: float) -> float:
    """Body mass index in kg/m2. Source: Keys A et al., J Chronic Dis 1972;25:329-343."""
    _positive("weight", weight_kg)
    if not 100 <= height_cm <= 250:
        raise CalculationError("the height is no adult's in cm")
    return weight_kg / (height_cm / 100) ** 2


def corrected_calcium(calcium_mg_dl: float, albumin_g_dl: float) -> float:
    """Calcium (mg/dL) at an albumin of 4 g/dL: calcium + 0.8 x (4 - albumin).

    Source: Payne RB et al., Br Med J 1973;4:643-646, in conventional units.
    """
    _positive("calcium", calcium_mg_dl)
    if not 0 < albumin_g_dl <= 7:
        raise CalculationError("the albumin is implausible in g/dL")
    return calcium_mg_dl + 0.8 * (4.0 - albumin_g_dl)


def anion_gap(sodium_mmol_l: float, chloride_mmol_l: float, bicarbonate_mmol_l: float) -> float:
    """Sodium - (chloride + bicarbonate) in mmol/L, without potassium.

    Source: Emmett M, Narins RG, Medicine (Baltimore) 1977;56:38-54.
    """
    for name, value in (("sodium", sodium_mmol_l), ("chloride", chloride_mmol_l), ("bicarbonate", bicarbonate_mmol_l)):
        _positive(name, value)
    return sodium_mmol_l - (chloride_mmol_l + bicarbonate_mmol_l)


def ldl_friedewald(total_mg_dl: float, hdl_mg_dl: float, triglycerides_mg_dl: float) -> float:
    """LDL cholesterol (mg/dL): total - HDL - triglycerides / 5; not for triglycerides of 400 mg/dL or more.

    Source: Friedewald WT et al., Clin Chem 1972;18:499-502.
    """
    for name, value in (("total", total_mg_dl), ("HDL", hdl_mg_dl), ("triglycerides", triglycerides_mg_dl)):
        _positive(name, value)
    if triglycerides_mg_dl >= 400:
        raise CalculationError("the Friedewald formula does not hold for such triglycerides")
    ldl = total_mg_dl - hdl_mg_dl - triglycerides_mg_dl / 5
    _positive("LDL", ldl)
    return ldl


# Source: KDIGO 2024 CKD guideline, Kidney Int 2024;105(4S), section 2.1; mL/min/1.73 m2 per year.
RAPID_PROGRESSION_PER_YEAR = -5.0


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise CalculationError(f"{name} must be positive")
