"""CKD-EPI 2021 (Inker et al., N Engl J Med 2021;385:1737), written out again: the truth trusts no product code."""

from datetime import date


def age(born: date, day: date) -> int:
    """Completed years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def egfr(creatinine_mg_dl: float, born: date, sex: str, day: date) -> float:
    """Estimated filtration rate in mL/min/1.73 m2, not rounded."""
    kappa, alpha = (0.7, -0.241) if sex == "F" else (0.9, -0.302)
    ratio = creatinine_mg_dl / kappa
    rate: float = 142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2 * 0.9938 ** float(age(born, day))
    return rate * (1.012 if sex == "F" else 1.0)
