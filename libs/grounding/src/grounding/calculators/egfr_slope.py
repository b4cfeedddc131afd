"""Change of the eGFR per year."""

from collections.abc import Sequence
from datetime import date

from terminology.loinc import CREATININE, EGFR

from grounding.calculator import Calculator, Given
from grounding.calculators import egfr
from grounding.calculators.egfr import values
from grounding.derived import Derived
from grounding.formula import CalculationError
from grounding.given import rounded

NAME, UNIT = "egfr-slope", "mL/min/1.73 m2 per year"
# A sustained decline of more than this is rapid progression (KDIGO 2024 CKD guideline, section 2.1), in UNIT.
RAPID_PROGRESSION = -5.0


def slope_per_year(points: Sequence[tuple[date, float]]) -> float:
    """Least-squares slope of a series in its unit per year (365.25 days)."""
    if len({day for day, _ in points}) < 2:
        raise CalculationError("a slope needs values of at least two days")
    years = [(day - points[0][0]).days / 365.25 for day, _ in points]
    mean_x = sum(years) / len(years)
    mean_y = sum(value for _, value in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x in years)
    return sum((x - mean_x) * (value - mean_y) for x, (_, value) in zip(years, points, strict=True)) / spread


def compute(given: Given) -> Derived:
    """One decimal, computed from creatinine where no eGFR was recorded."""
    function = values(given)
    slope = slope_per_year([(value.day, float(value.value)) for value in function])
    used = tuple(dict.fromkeys(fact_id for value in function for fact_id in value.fact_ids))
    day = max(value.day for value in function)
    return Derived(NAME, egfr.KEYS, rounded(slope, "0.1"), UNIT, day, used)


CALCULATOR = Calculator(
    name=NAME,
    purpose="course",
    inputs=(CREATININE, EGFR),
    method="CKD-EPI 2021",
    words="eGFR by {method} changes on average by ",
    source="ordinary least squares over the eGFR of each day; KDIGO 2024 CKD guideline, section 2.1, reads it",
    compute=compute,
    says_day=False,
)
