"""A drug against a recorded allergy, beyond what terminology's allergens and cross-reactions say of it already."""

from collections.abc import Iterator
from dataclasses import dataclass

from grounding import facts, phrases, relations
from grounding.statements import Name, Reaction, Words
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import allergens, drug_classes
from terminology.cross_reactions import Strength

from knowledge import wording
from knowledge.families.interactions import MOST, narrowness
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient, names_of
from knowledge.row import Row
from knowledge.terms import Drugs


@dataclass(frozen=True, slots=True)
class Conditions:
    """A drug of `drugs` with an allergy to one of `allergens`: ids of classes, ingredients or substances, as
    terminology's allergens name them.
    """

    drugs: Drugs
    allergens: tuple[str, ...]

    def __post_init__(self) -> None:
        for each in self.allergens:
            if not (drug_classes.by_id(each) or allergens.allergens_in(each)):
                raise ValueError(f"“{each}” is no allergen of terminology")


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """Each drug that is taken, or that is asked about, beside the allergy."""
    wanted: Conditions = row.conditions
    for allergy in patient.allergies:
        if _names(allergy).isdisjoint(each.casefold() for each in wanted.allergens):
            continue
        recorded = _recorded(allergy)
        for drug in patient.drugs(wanted.drugs, local=True)[:MOST]:
            if not _is_told_already(drug.fact, allergy):
                taken = (*wording.taken(patient.sources, drug.fact, wanted.drugs), Words(", although an allergy is "))
                told = wording.statement(row, (*taken, Words("recorded: "), *recorded))
                subject = wording.ids((drug.fact, allergy))
                yield Finding(row, told, subject, narrowness(wanted.drugs, drug.names))
        for asked in patient.asks_about(wanted.drugs)[:MOST]:
            told = wording.statement(row, (Words("Allergy: "), *recorded))
            yield Finding(row, told, frozenset((allergy.fact_id, asked.name)), asked=(asked.name,))


def _names(allergy: ClinicalFact) -> frozenset[str]:
    """By what a row may name it, in lower case."""
    listed = facts.about(allergy).allergens
    drugs = names_of(*(each.ingredient for each in listed if each.ingredient))
    classes = (each.id for one in listed if one.drug_class for each in drug_classes.with_wider((one.drug_class.id,)))
    return drugs.union(classes, (each.name.casefold() for each in listed))


def _is_told_already(drug: ClinicalFact, allergy: ClinicalFact) -> bool:
    """Whether the relation of terminology's tables is told: all but an unlikely cross-reaction are."""
    relation = relations.between(drug, allergy)
    cross = relation.cross_reaction if relation else None
    return relation is not None and (cross is None or cross.strength is not Strength.UNLIKELY)


def _recorded(allergy: ClinicalFact) -> wording.Parts:
    """`penicillin, reaction hives, severe`."""
    reaction: wording.Parts = (Words(", reaction "), Reaction(allergy.fact_id)) if allergy.note else ()
    return (Name(allergy.fact_id), *reaction, *phrases.severity(allergy))


FAMILY = Family("allergies", "a drug against an allergy", Conditions, evaluate)
