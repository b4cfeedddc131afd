"""LDL cholesterol by Friedewald."""

from terminology.loinc import CHOLESTEROL, HDL, LDL, TRIGLYCERIDES

from grounding import keys
from grounding.calculator import Calculator, Given
from grounding.derived import Derived, of_results
from grounding.formula import CalculationError, positive
from grounding.given import newest, of_one_day

NAME = "ldl-friedewald"


def ldl_friedewald(total_mg_dl: float, hdl_mg_dl: float, triglycerides_mg_dl: float) -> float:
    """In mg/dL: total - HDL - triglycerides / 5; not for triglycerides of 400 mg/dL or more."""
    positive(total=total_mg_dl, HDL=hdl_mg_dl, triglycerides=triglycerides_mg_dl)
    if triglycerides_mg_dl >= 400:
        raise CalculationError("the Friedewald formula does not hold for such triglycerides")
    ldl = total_mg_dl - hdl_mg_dl - triglycerides_mg_dl / 5
    positive(LDL=ldl)
    return ldl


def compute(given: Given) -> Derived:
    """Of total, HDL cholesterol and triglycerides of one day, in whole mg/dL."""
    total, hdl, fats = of_one_day(*(newest(given, code, "mg/dL") for code in (CHOLESTEROL, HDL, TRIGLYCERIDES)))
    value = ldl_friedewald(float(total.value), float(hdl.value), float(fats.value))
    return of_results(NAME, keys.of_loinc(LDL), value, "1", "mg/dL", total, hdl, fats)


CALCULATOR = Calculator(
    name=NAME,
    purpose="risk",
    inputs=(CHOLESTEROL, HDL, TRIGLYCERIDES),
    method="Friedewald",
    words="LDL cholesterol by {method} is ",
    source="Friedewald WT et al., Clin Chem 1972;18:499-502",
    compute=compute,
)
