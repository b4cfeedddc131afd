"""Whether a coding has a known concept, by the tables of its kind."""

from collections.abc import Callable

from terminology import (
    absence,
    allergens,
    answers,
    documents,
    drugs,
    encounters,
    observables,
    problems,
    procedures,
    reports,
    units,
    vaccines,
)
from terminology.concepts import ACT_CODE
from terminology.coverage.occurrences import Coding, Kind, Occurrence


def is_known(occurrence: Occurrence) -> bool:
    """Whether any coding of an occurrence has a known concept."""
    return any(_LOOKS[occurrence.kind](coding) for coding in occurrence.codings)


def _observation(coding: Coding) -> bool:
    """An order may be for a panel or a procedure, a report for a document."""
    concept = coding.concept
    return bool(observables.of(concept) or reports.of(concept) or documents.of(concept)) or _procedure(coding)


def _answer(coding: Coding) -> bool:
    """An answer may be a problem, an observable or a procedure itself."""
    concept = coding.concept
    by_meaning = answers.of(concept) or problems.of(concept) or observables.of(concept) or absence.of(concept)
    return bool(by_meaning) or _procedure(coding)


def _problem(coding: Coding) -> bool:
    """A reason for a visit may be a procedure; an absence is a statement too."""
    return bool(problems.of(coding.concept) or absence.of(coding.concept)) or _procedure(coding)


def _procedure(coding: Coding) -> bool:
    return bool(procedures.of(coding.concept) or encounters.of(coding.concept))


def _medication(coding: Coding) -> bool:
    return bool(drugs.ingredients_of(coding.concept) or vaccines.of(coding.concept) or absence.of(coding.concept))


def _allergy(coding: Coding) -> bool:
    concept = coding.concept
    return bool(allergens.allergens_of(concept) or drugs.ingredients_of(concept) or absence.of(concept))


def _immunisation(coding: Coding) -> bool:
    return bool(vaccines.of(coding.concept) or drugs.ingredients_of(coding.concept))


def _encounter(coding: Coding) -> bool:
    by_letter = coding.system == ACT_CODE and encounters.of_class(coding.code)
    return bool(by_letter or encounters.of(coding.concept) or problems.of(coding.concept)) or _procedure(coding)


def _document(coding: Coding) -> bool:
    return bool(documents.of(coding.concept) or (not coding.system and documents.of_type(coding.code)))


def _unit(coding: Coding) -> bool:
    return bool(units.ucum(coding.code))


_LOOKS: dict[Kind, Callable[[Coding], bool]] = {
    Kind.OBSERVATION: _observation,
    Kind.ANSWER: _answer,
    Kind.PROBLEM: _problem,
    Kind.MEDICATION: _medication,
    Kind.ALLERGY: _allergy,
    Kind.PROCEDURE: _procedure,
    Kind.IMMUNISATION: _immunisation,
    Kind.ENCOUNTER: _encounter,
    Kind.DOCUMENT: _document,
    Kind.UNIT: _unit,
}
