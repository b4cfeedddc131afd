"""What every clinical formula needs: its error, the two sexes that formulas know, age, and a check of its arguments."""

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


def positive(**arguments: float) -> None:
    """CalculationError names the first argument that is not above zero."""
    for name, value in arguments.items():
        if not value > 0:
            raise CalculationError(f"{name.replace('_', ' ')} must be positive")
