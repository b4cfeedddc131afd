"""Calcium corrected for albumin."""

from terminology.loinc import ALBUMIN, CALCIUM

from grounding.calculator import Calculator, Given, key_of
from grounding.derived import Derived, of_results
from grounding.formula import CalculationError, positive
from grounding.given import newest, of_one_day

NAME = "corrected-calcium"


def corrected_calcium(calcium_mg_dl: float, albumin_g_dl: float) -> float:
    """Calcium (mg/dL) at an albumin of 4 g/dL: calcium + 0.8 x (4 - albumin)."""
    positive(calcium=calcium_mg_dl)
    if not 0 < albumin_g_dl <= 7:
        raise CalculationError("the albumin is implausible in g/dL")
    return calcium_mg_dl + 0.8 * (4.0 - albumin_g_dl)


def compute(given: Given) -> Derived:
    """For the albumin of the same day, mg/dL, one decimal."""
    calcium, albumin = of_one_day(newest(given, CALCIUM, "mg/dL"), newest(given, ALBUMIN, "g/dL"))
    value = corrected_calcium(float(calcium.value), float(albumin.value))
    return of_results(NAME, key_of(NAME), value, "0.1", "mg/dL", calcium, albumin)


CALCULATOR = Calculator(
    name=NAME,
    purpose="correction",
    inputs=(CALCIUM, ALBUMIN),
    words="Calcium corrected for albumin is ",
    source="Payne RB et al., Br Med J 1973;4:643-646, in conventional units",
    compute=compute,
    names={"calcium corrected for albumin": key_of(NAME)},
)
