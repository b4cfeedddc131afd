"""The patients of rows: short descriptions in a file, built as records with a fixed day of today.

`drugs` and `asked` are names of ingredients (`asked`: a question names them, the record does not have them), `doses`
lists of ingredient, amount, unit and how often; `problems` and `ended` ids of families, `allergies` names, `results`
lists of observable, value, unit and days ago; `done` (words of procedures) and `vaccines` (antigens) of a name and days
ago; `stays` of days since admission and discharge (0: not discharged).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from grounding import Sources
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, PatientKey, Quantity
from terminology import drugs, families, loinc, vaccines
from terminology.concepts import ACT_CODE, CVX, LOINC
from terminology.observables import by_id

PATIENT = PatientKey(id="EXAMPLE", authority="RULES")
# A day on which every row of today is valid.
TODAY = datetime(2026, 12, 15, 12, tzinfo=UTC)
# Days ago on which drugs, problems and allergies of examples begin.
_BEGAN = 60
_KEYS = (
    "age", "sex", "drugs", "doses", "asked", "problems", "allergies", "results", "done", "vaccines", "stays", "ended",
)  # fmt: skip


def check(fields: Mapping[str, Any]) -> None:
    """ValueError unless it describes a patient."""
    for key in fields:
        if key not in _KEYS:
            raise ValueError(f"a patient has no “{key}”; known are {', '.join(_KEYS)}")
    try:
        list(_facts(fields))
        asked(fields)
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"this is no patient: {error}") from None


def sources(fields: Mapping[str, Any]) -> Sources:
    """The record of such a patient."""
    return Sources.of(TODAY, list(_facts(fields)), [], [], [PATIENT])


def asked(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The ingredients that the question names."""
    return tuple(_ingredient(name).name for name in fields.get("asked", ()))


def _facts(fields: Mapping[str, Any]) -> Iterator[RecordedFact]:
    numbers = count(1)
    for key, build in _BUILDERS.items():
        listed = fields.get(key, [])
        for value in listed if isinstance(listed, list) else [listed]:
            fact = build(value)
            fact.fact_id = f"x{next(numbers)}"
            fact.patient.CopyFrom(PATIENT)
            fact.assertion, fact.provenance, fact.confidence = pb.ASSERTION_PRESENT, pb.PROVENANCE_STRUCTURED, 1.0
            fact.stated_at.CopyFrom(fact.valid_from)
            recorded = RecordedFact(fact=fact)
            recorded.recorded_at.CopyFrom(fact.stated_at)
            yield recorded


def _since(fact: ClinicalFact, days: int, end: int | None = None) -> ClinicalFact:
    fact.valid_from.FromDatetime(TODAY - timedelta(days=days))
    if end is not None:
        fact.valid_to.FromDatetime(TODAY - timedelta(days=end))
    return fact


def _ingredient(name: str) -> drugs.Ingredient:
    ingredient = drugs.by_name(name)
    if ingredient is None:
        raise ValueError(f"“{name}” is not the name of an ingredient")
    return ingredient


def _drug(name: str) -> ClinicalFact:
    concept = drugs.concept_of(_ingredient(name))
    return _since(ClinicalFact(kind=pb.FACT_KIND_MEDICATION, code=concept, status=pb.FACT_STATUS_ACTIVE), _BEGAN)


def _dose(value: list[Any]) -> ClinicalFact:
    name, amount, unit, often = value
    fact = _drug(name)
    fact.dosage.dose.value, fact.dosage.dose.unit, fact.dosage.frequency = amount, unit, often
    return fact


def _problem(family: str) -> ClinicalFact:
    concept = CodedConcept(display=families.known()[family].name)
    return _since(ClinicalFact(kind=pb.FACT_KIND_PROBLEM, code=concept, status=pb.FACT_STATUS_ACTIVE), _BEGAN)


def _past_problem(family: str) -> ClinicalFact:
    fact = _problem(family)
    fact.status = pb.FACT_STATUS_ENDED
    return _since(fact, 400, 300)


def _allergy(name: str) -> ClinicalFact:
    concept = CodedConcept(display=name)
    return _since(ClinicalFact(kind=pb.FACT_KIND_ALLERGY, code=concept, status=pb.FACT_STATUS_ACTIVE), _BEGAN)


def _result(value: list[Any]) -> ClinicalFact:
    identifier, amount, unit, days = value
    known = by_id()[identifier]
    concept = CodedConcept(system=LOINC, code=known.loinc, display=known.name)
    quantity = Quantity(value=amount, unit=unit)
    fact = ClinicalFact(kind=pb.FACT_KIND_RESULT, code=concept, quantity=quantity, status=pb.FACT_STATUS_FINAL)
    return _since(fact, days, days)


def _done(value: list[Any]) -> ClinicalFact:
    name, days = value
    concept = CodedConcept(display=name)
    return _since(ClinicalFact(kind=pb.FACT_KIND_PROCEDURE, code=concept, status=pb.FACT_STATUS_FINAL), days, days)


def _vaccine(value: list[Any]) -> ClinicalFact:
    antigen, days = value
    first = next((each for each in vaccines.known() if antigen in each.antigens), None)
    if first is None:
        raise ValueError(f"“{antigen}” is not an antigen of terminology's vaccines")
    concept = CodedConcept(system=CVX, code=first.code, display=first.display)
    return _since(ClinicalFact(kind=pb.FACT_KIND_IMMUNIZATION, code=concept, status=pb.FACT_STATUS_FINAL), days, days)


def _stay(value: list[int]) -> ClinicalFact:
    admitted, discharged = value
    concept = CodedConcept(system=ACT_CODE, code="IMP", display="inpatient encounter")
    status = pb.FACT_STATUS_ENDED if discharged else pb.FACT_STATUS_ACTIVE
    fact = ClinicalFact(kind=pb.FACT_KIND_ENCOUNTER, code=concept, status=status)
    return _since(fact, admitted, discharged or None)


def _age(years: int) -> ClinicalFact:
    born = (TODAY - timedelta(days=int(years * 365.25) + 100)).date().isoformat()
    fact = ClinicalFact(kind=pb.FACT_KIND_DEMOGRAPHIC, code=loinc.concept(loinc.BIRTH_DATE), text=born)
    return _since(fact, _BEGAN)


def _sex(sex: str) -> ClinicalFact:
    fact = ClinicalFact(kind=pb.FACT_KIND_DEMOGRAPHIC, code=loinc.concept(loinc.SEX), text=sex)
    return _since(fact, _BEGAN)


_BUILDERS: Mapping[str, Callable[[Any], ClinicalFact]] = {
    "age": _age,
    "sex": _sex,
    "drugs": _drug,
    "doses": _dose,
    "problems": _problem,
    "ended": _past_problem,
    "allergies": _allergy,
    "results": _result,
    "done": _done,
    "vaccines": _vaccine,
    "stays": _stay,
}
