"""Creatinine clearance by Cockcroft and Gault."""

from terminology.loinc import CREATININE, WEIGHT

from grounding.calculator import Calculator, Given, key_of
from grounding.derived import Derived
from grounding.formula import CalculationError, Sex, age_in_years, positive
from grounding.given import newest, person, rounded

NAME = "creatinine-clearance"


def creatinine_clearance(creatinine_mg_dl: float, age_years: int, weight_kg: float, sex: Sex) -> float:
    """In mL/min: (140 - age) x weight / (72 x Scr), x 0.85 if female; adults."""
    positive(creatinine=creatinine_mg_dl, weight=weight_kg)
    if not 18 <= age_years < 140:
        raise CalculationError("the Cockcroft-Gault formula is for adults")
    clearance = (140 - age_years) * weight_kg / (72.0 * creatinine_mg_dl)
    return clearance * 0.85 if sex is Sex.FEMALE else clearance


def compute(given: Given) -> Derived:
    """Of the newest creatinine and weight, in whole mL/min."""
    someone = person(given)
    creatinine, weight = newest(given, CREATININE, "mg/dL"), newest(given, WEIGHT, "kg")
    age_years = age_in_years(someone.born, creatinine.day)
    value = creatinine_clearance(float(creatinine.value), age_years, float(weight.value), someone.sex)
    used = (creatinine.fact.fact_id, weight.fact.fact_id, *someone.fact_ids)
    return Derived(NAME, frozenset({key_of(NAME)}), rounded(value, "1"), "mL/min", creatinine.day, used)


CALCULATOR = Calculator(
    name=NAME,
    purpose="clearance",
    inputs=(CREATININE, WEIGHT),
    method="Cockcroft-Gault",
    words="Creatinine clearance by {method} is ",
    source="Cockcroft DW, Gault MH, Nephron 1976;16:31-41",
    compute=compute,
    names={"creatinine clearance": key_of(NAME)},
)
