"""What is true of an invented patient, in the terms of a reader: value, unit, day, dose, side, person."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement. `values` are the same measurement in every unit it may be told in, the usual unit first."""

    name: str
    day: date
    values: tuple[tuple[Decimal, str], ...]
    # What was reported first and corrected later; told only as corrected.
    replaced: tuple[tuple[Decimal, str], ...] = ()

    @property
    def value(self) -> Decimal:
        return self.values[0][0]


@dataclass(frozen=True, slots=True)
class Drug:
    """A course of one ingredient, ordered on the day `since`. `dose` is today's or the last; `outdated` what it was."""

    name: str
    drug_class: str
    dose: Decimal
    unit: str
    frequency: str
    since: date
    until: date | None = None
    ordered: bool = False
    outdated: Decimal | None = None
    # When the dose of today began; `since` where it never changed.
    changed: date | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis of the patient, recorded on the day `since`. `side` is left, right or empty."""

    name: str
    since: date
    until: date | None = None
    side: str = ""
    # Whether the message states that it began then.
    start_stated: bool = True


@dataclass(frozen=True, slots=True)
class Allergy:
    name: str
    reaction: str
    day: date


@dataclass(frozen=True, slots=True)
class Tempting:
    """A sentence that the record invites and that is false, with the trap it belongs to."""

    trap: str
    text: str


@dataclass(frozen=True)
class Truth:
    """Everything that may be said of the patient; what is not here is baseless."""

    today: date
    born: date
    sex: str
    results: tuple[Result, ...] = ()
    drugs: tuple[Drug, ...] = ()
    problems: tuple[Problem, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    # The day on which somebody recorded that no allergy is known.
    no_known_allergies: date | None = None
    # Diseases of relatives, and findings that were looked for and are not there.
    family: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    encounters: tuple[tuple[date, date], ...] = ()
    letters: tuple[date, ...] = ()
    tempting: tuple[Tempting, ...] = ()

    def course(self, name: str) -> tuple[Result, ...]:
        """The measurements of one analyte, oldest first."""
        return tuple(sorted((each for each in self.results if each.name == name), key=lambda each: each.day))

    @property
    def statements(self) -> tuple[str, ...]:
        """Every plain true sentence."""
        return (
            *(f"{each.name} was {each.value} {each.values[0][1]} on {each.day}." for each in self.results),
            *(_of_drug(each) for each in self.drugs),
            *(f"Problem: {each.name}, {_state(each)}." for each in self.problems),
            *(f"Allergy: {each.name}, reaction {each.reaction}." for each in self.allergies),
            *(f"Family history: {each}." for each in self.family),
            *(f"No {each}." for each in self.denied),
        )


@dataclass(frozen=True)
class Story:
    """A patient's messages in the order of arrival, a question, and the truth. `traps` names what lies in wait."""

    seed: int
    patient_id: str
    authority: str
    messages: tuple[bytes, ...]
    question: str
    truth: Truth
    traps: frozenset[str]


def _of_drug(drug: Drug) -> str:
    dose = f"{drug.name} {drug.dose} {drug.unit} {drug.frequency}"
    if drug.ordered:
        return f"{dose}: ordered on {drug.since}."
    return f"{dose}: stopped on {drug.until}." if drug.until else f"{dose}: ordered on {drug.since}, not renewed since."


def _state(problem: Problem) -> str:
    if problem.until:
        return f"resolved on {problem.until}"
    since = f"active since {problem.since}"
    return since if problem.start_stated else f"active, recorded on {problem.since}, start not stated"
