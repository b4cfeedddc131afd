"""The numbers that a cited record holds or that follow from it, ready to be compared with a number in a text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from longitude.ingestion.v1.clinical_fact_pb2 import PROVENANCE_COMPUTED_FROM_IMAGE, ClinicalFact

from grounding import facts, units
from grounding.concepts import loinc_of
from grounding.derived import Derived
from grounding.mentions import NumberMention

# Conversion factors differ in their last digit between laboratories (88.4, 88.42): allow 0.2 %.
_FACTOR_TOLERANCE = Decimal("0.002")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number of the record or derived from it."""

    value: Decimal
    unit: str
    comparator: str
    day: date | None
    keys: frozenset[str]
    fact_ids: tuple[str, ...]

    @property
    def printed(self) -> str:
        gap = "" if self.unit == "%" else " "
        number = f"{self.comparator}{self.value}{gap + self.unit if self.unit else ''}"
        return f"{number} on {self.day.isoformat()}" if self.day else number


def of(recorded: Iterable[ClinicalFact], derived: Iterable[Derived]) -> tuple[Candidate, ...]:
    """Every quantity as normalised and as sent, every probability of a film, every derived value."""
    found = [candidate for fact in recorded for candidate in _of_fact(fact)]
    computed = (each for each in derived if not each.label)
    return (
        *found,
        *(Candidate(each.value, each.unit, each.comparator, each.day, each.keys, each.fact_ids) for each in computed),
    )


def agrees(number: NumberMention, candidate: Candidate) -> bool:
    """Whether the text's number is this one: the same in the same unit, or converted and rounded as printed.

    A bare number may be in either unit. A text that says `below 30` is true of 27; one that says 30 is not.
    """
    value = _in_unit(candidate, number.unit)
    if value is None:
        return False
    if number.comparator and not candidate.comparator:
        return _holds(value, number.comparator, number.value)
    if number.comparator != candidate.comparator:
        return False
    if number.unit in ("", candidate.unit):
        return number.value == value
    return abs(value - number.value) <= Decimal("0.5").scaleb(-number.decimals) + abs(value) * _FACTOR_TOLERANCE


def same_digits(number: NumberMention, candidate: Candidate) -> bool:
    """The digits agree, whatever the unit: then it is the unit that is wrong."""
    return number.value == candidate.value


def _of_fact(fact: ClinicalFact) -> Iterator[Candidate]:
    day, keys = facts.starts_on(fact), facts.keys(fact)
    for quantity in facts.quantities(fact):
        value = facts.number(quantity)
        if value is not None:
            unit = units.printed(quantity.unit)
            yield Candidate(value, unit, quantity.comparator, day, keys, (fact.fact_id,))
    if fact.provenance == PROVENANCE_COMPUTED_FROM_IMAGE:
        yield Candidate(Decimal(f"{fact.confidence:.2f}"), "", "", day, keys, (fact.fact_id,))


def _in_unit(candidate: Candidate, unit: str) -> Decimal | None:
    if unit in ("", candidate.unit):
        return candidate.value
    return units.convert(candidate.value, candidate.unit, unit, loinc_of(candidate.keys))


def _holds(value: Decimal, comparator: str, threshold: Decimal) -> bool:
    match comparator:
        case "<":
            return value < threshold
        case "<=":
            return value <= threshold
        case ">":
            return value > threshold
        case _:
            return value >= threshold
