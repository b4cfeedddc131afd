"""Anion gap, without potassium."""

from terminology.loinc import ANION_GAP, BICARBONATE, CHLORIDE, SODIUM

from grounding import keys
from grounding.calculator import Calculator, Given
from grounding.derived import Derived, of_results
from grounding.formula import positive
from grounding.given import newest, of_one_day

NAME = "anion-gap"


def anion_gap(sodium_mmol_l: float, chloride_mmol_l: float, bicarbonate_mmol_l: float) -> float:
    """Sodium - (chloride + bicarbonate) in mmol/L."""
    positive(sodium=sodium_mmol_l, chloride=chloride_mmol_l, bicarbonate=bicarbonate_mmol_l)
    return sodium_mmol_l - (chloride_mmol_l + bicarbonate_mmol_l)


def compute(given: Given) -> Derived:
    """Of sodium, chloride and bicarbonate of one day, in whole mmol/L."""
    sodium, chloride, bicarbonate = of_one_day(
        *(newest(given, code, "mmol/L") for code in (SODIUM, CHLORIDE, BICARBONATE))
    )
    value = anion_gap(float(sodium.value), float(chloride.value), float(bicarbonate.value))
    return of_results(NAME, keys.of_loinc(ANION_GAP), value, "1", "mmol/L", sodium, chloride, bicarbonate)


CALCULATOR = Calculator(
    name=NAME,
    purpose="balance",
    inputs=(SODIUM, CHLORIDE, BICARBONATE),
    words="The anion gap is ",
    source="Emmett M, Narins RG, Medicine (Baltimore) 1977;56:38-54",
    compute=compute,
)
