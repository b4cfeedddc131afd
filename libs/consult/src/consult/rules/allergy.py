"""A drug that is ordered or active although the patient is allergic to it or to its class."""

from grounding import Sources, Statement, facts
from grounding.concepts import class_key
from grounding.drugs import DrugClass
from grounding.statements import Name, Part, Reaction, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, ClinicalFact

from consult.rule import Rule
from consult.rules import parts

# SNOMED CT 764146007 "penicillin" names the class.
_PENICILLIN = "http://snomed.info/sct|764146007"


def drug_of_an_allergic_class(sources: Sources) -> list[Statement]:
    """An active or ordered drug whose ingredient or class is a recorded allergy, however the allergy was learned.

    Source: AAAAI/ACAAI Drug Allergy: 2022 practice parameter update, J Allergy Clin Immunol 2022;150:1333-1393.
    """
    allergies = [fact for fact in sources.active(FACT_KIND_ALLERGY) if not facts.is_absent(fact)]
    return [
        statement
        for drug in parts.newest_first(parts.in_use(sources))
        for allergy in allergies
        if _same_class(drug, allergy)
        for statement in _conflict(sources, drug, allergy)
    ]


def _same_class(drug: ClinicalFact, allergy: ClinicalFact) -> bool:
    ingredient = facts.drug(drug)
    if ingredient is None:
        return bool(facts.keys(drug) & facts.keys(allergy))
    allergen = facts.keys(allergy)
    penicillin = ingredient.drug_class is DrugClass.PENICILLIN and _PENICILLIN in allergen
    same_class = ingredient.drug_class is not DrugClass.OTHER and class_key(ingredient.drug_class) in allergen
    return penicillin or same_class or bool(facts.keys(drug) - {class_key(DrugClass.OTHER)} & allergen)


def _conflict(sources: Sources, drug: ClinicalFact, allergy: ClinicalFact) -> list[Statement]:
    reaction: tuple[Part, ...] = (Words(", reaction "), Reaction(allergy.fact_id)) if allergy.note else ()
    alert = parts.statement(
        wire.STATEMENT_KIND_ALERT,
        *(Name(drug.fact_id, capital=True), *parts.state(drug), Words(", although an allergy is recorded: ")),
        *(Name(allergy.fact_id), *reaction),
        *parts.quoted(sources, ("aaaai-2022-penicillin-allergy",), ("penicillin", "anaphylaxis", "avoid")),
    )
    proposal = parts.statement(
        wire.STATEMENT_KIND_PROPOSAL,
        *(Words("Avoid "), Name(drug.fact_id), Words(" with this allergy: "), Name(allergy.fact_id)),
    )
    return [alert, proposal]


RULES = (
    Rule(
        drug_of_an_allergic_class,
        place=20,
        cites={
            "aaaai-2022-penicillin-allergy": "penicillin allergy label verification anaphylaxis",
        },
    ),
)
