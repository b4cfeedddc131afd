"""The numbers that a cited record holds or that follow from it, ready to be compared with a number in a text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from longitude.record.v1.fact_pb2 import PROVENANCE_COMPUTED_FROM_IMAGE, ClinicalFact
from terminology import observables, units

from grounding import facts
from grounding.derived import Derived
from grounding.mentions import NumberMention

# Conversion factors differ in their last digit between laboratories (88.4, 88.42): allow 0.2 %.
_FACTOR_TOLERANCE = Decimal("0.002")
# The most by which a rounded conversion may be off: 77 umol/L of creatinine are 0.87 mg/dL, and neither 0.9 nor 1.
_MOST_ROUNDED = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number of the record or derived from it. `stated`: every unit in which its fact states the same quantity;
    `loinc`: the code of what it measures; `reported`: the day on which its source stated it.
    """

    value: Decimal
    unit: str
    comparator: str
    day: date | None
    keys: frozenset[str]
    fact_ids: tuple[str, ...]
    stated: frozenset[str] = frozenset()
    loinc: str = ""
    reported: date | None = None

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
    """Whether the text's number is this one: the same in a unit that the fact states, else converted and rounded.

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
    rounding = min(Decimal("0.5").scaleb(-number.decimals), abs(value) * _MOST_ROUNDED)
    return abs(value - number.value) <= rounding + abs(value) * _FACTOR_TOLERANCE


def same_digits(number: NumberMention, candidate: Candidate) -> bool:
    """The digits agree, whatever the unit: then it is the unit that is wrong."""
    return number.value == candidate.value


def _of_fact(fact: ClinicalFact) -> Iterator[Candidate]:
    day, keys, reported = facts.starts_on(fact), facts.keys(fact), facts.reported_on(fact)
    sent = facts.quantities(fact)
    stated = frozenset(units.printed(each.unit) for each in sent if facts.number(each) is not None)
    for each in sent:
        value, unit, loinc = facts.number(each), units.printed(each.unit), facts.measured(fact, each)
        if value is not None:
            yield Candidate(value, unit, each.comparator, day, keys, (fact.fact_id,), stated, loinc, reported)
    if fact.provenance == PROVENANCE_COMPUTED_FROM_IMAGE:
        yield Candidate(Decimal(f"{fact.confidence:.2f}"), "", "", day, keys, (fact.fact_id,))


def _in_unit(candidate: Candidate, unit: str) -> Decimal | None:
    if unit in ("", candidate.unit):
        return candidate.value
    if unit in candidate.stated:
        return None
    return observables.convert(candidate.value, candidate.unit, unit, candidate.loinc)


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
