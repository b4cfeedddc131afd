"""What facts are about: comparable keys, names and values, looked up in terminology."""

from grounding import facts, keys
from longitude.record.v1.fact_pb2 import ASSERTION_ABSENT, FACT_KIND_ALLERGY, ClinicalFact
from terminology import absence, allergens, concepts, drugs
from terminology.absence import Meaning

# What a statement of absence can be about: every allergy, or those to drugs.
ALLERGY, DRUG_ALLERGY = "allergy", "drug-allergy"


def key(fact: ClinicalFact) -> str:
    """The same for two facts exactly when they are about one thing, however it was coded and called."""
    organism = facts.organism(fact)
    return f"{_concept(fact)}|{organism.casefold()}" if organism else _concept(fact)


def _concept(fact: ClinicalFact) -> str:
    made_of = facts.about(fact).ingredients
    if made_of:
        return keys.of_drug(made_of)
    about = [concepts.key(allergens.concept_of(each)) for each in facts.about(fact).allergens]
    if about:
        return "+".join(sorted(about))
    return keys.of_concept(fact.code) if fact.code.code else "text|" + concepts.words(name(fact))


def codes(fact: ClinicalFact) -> tuple[str, ...]:
    """`system|code` of the concept and of each ingredient: what evidence is coded with."""
    made_of = map(drugs.concept_of, facts.about(fact).ingredients)
    coded = (f"{each.system}|{each.code}" for each in (fact.code, *made_of) if each.code)
    return tuple(dict.fromkeys(coded))


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


def denied(fact: ClinicalFact) -> str:
    """Which allergies the fact says that the patient is not known to have (`allergy`: any); empty for other facts."""
    if fact.kind != FACT_KIND_ALLERGY or fact.assertion != ASSERTION_ABSENT:
        return ""
    known = absence.of(fact.code)
    return known.about if known and known.meaning is Meaning.NONE else ""


def denies(denial: ClinicalFact, allergy: ClinicalFact) -> bool:
    """Whether a denial speaks of this allergy; one of drugs does where the allergen is known to be one."""
    about = denied(denial)
    to_a_drug = any(each.ingredient or each.drug_class for each in facts.about(allergy).allergens)
    return about == ALLERGY or (about == DRUG_ALLERGY and to_a_drug)
