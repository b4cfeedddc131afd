"""The kidney function that the story's laboratories report: CKD-EPI 2021 without race (Inker et al., N Engl J Med
2021;385:1737), for a woman. Written out here: a hospital sends it, and what the platform computes is held against it.
"""

import math
from datetime import date

BORN = date(1957, 4, 18)


def age_at(day: date) -> int:
    """Completed years on that day."""
    return day.year - BORN.year - ((day.month, day.day) < (BORN.month, BORN.day))


def egfr(creatinine_mg_dl: float, day: date) -> int:
    """Estimated filtration rate in mL/min/1.73 m2, rounded as laboratories report it."""
    ratio = creatinine_mg_dl / 0.7
    shape = math.pow(min(ratio, 1.0), -0.241) * math.pow(max(ratio, 1.0), -1.2)
    rate = 142 * shape * math.pow(0.9938, age_at(day)) * 1.012
    return round(rate)
