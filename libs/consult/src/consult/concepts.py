"""What facts are about: comparable keys, values and names of coded concepts."""

from longitude.record.v1.fact_pb2 import ASSERTION_ABSENT, FACT_KIND_ALLERGY, ClinicalFact

SNOMED = "http://snomed.info/sct"
# SNOMED CT 716186003 |No known allergy (situation)|.
NO_KNOWN_ALLERGY = "716186003"
# LOINC codes of demographic facts.
SEX = "46098-0"
BIRTH_DATE = "21112-8"


def key(fact: ClinicalFact) -> str:
    """`system|code`, or the normalised words of a concept that has no code."""
    if fact.code.code:
        return f"{fact.code.system}|{fact.code.code}"
    return "text|" + " ".join(name(fact).casefold().split())


def name(fact: ClinicalFact) -> str:
    """The words of the concept: as normalised, else as sent."""
    return fact.code.display or fact.source_code.display or fact.text or fact.code.code or fact.source_code.code


def value(fact: ClinicalFact) -> str:
    """The value without regard to case, whichever form it has."""
    match fact.WhichOneof("value"):
        case "quantity":
            return fact.quantity.value
        case "coded":
            return (fact.coded.code or fact.coded.display).casefold()
        case _:
            return fact.text.strip().casefold()


def denies_allergies(fact: ClinicalFact) -> bool:
    """Whether the fact says that the patient has no known allergy."""
    return (
        fact.kind == FACT_KIND_ALLERGY
        and fact.code.system == SNOMED
        and fact.code.code == NO_KNOWN_ALLERGY
        and fact.assertion == ASSERTION_ABSENT
    )
