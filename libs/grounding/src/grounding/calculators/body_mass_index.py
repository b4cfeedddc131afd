"""Body mass index."""

from terminology.loinc import BMI, HEIGHT, WEIGHT

from grounding import keys
from grounding.calculator import Calculator, Given
from grounding.derived import Derived, of_results
from grounding.formula import CalculationError, positive
from grounding.given import newest

NAME = "body-mass-index"


def body_mass_index(weight_kg: float, height_cm: float) -> float:
    """In kg/m2; adults."""
    positive(weight=weight_kg)
    if not 100 <= height_cm <= 250:
        raise CalculationError("the height is no adult's in cm")
    return weight_kg / (height_cm / 100) ** 2


def compute(given: Given) -> Derived:
    """Of the newest weight and height, one decimal."""
    weight, height = newest(given, WEIGHT, "kg"), newest(given, HEIGHT, "cm")
    value = body_mass_index(float(weight.value), float(height.value))
    return of_results(NAME, keys.of_loinc(BMI), value, "0.1", "kg/m2", weight, height)


CALCULATOR = Calculator(
    name=NAME,
    purpose="build",
    inputs=(WEIGHT, HEIGHT),
    words="Body mass index is ",
    source="Keys A et al., J Chronic Dis 1972;25:329-343",
    compute=compute,
)
