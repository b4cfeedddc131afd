"""A drug that is ordered or active although the patient is allergic to it, to its class, or to what may cross-react.

A cross-reaction that the evidence calls unlikely is not told. An alert that says that nothing is to be feared teaches
its reader to pass over those that do: orders of carbapenems with a penicillin allergy, or of furosemide with a sulfa
allergy, would make most of them.
"""

from grounding import Sources, Statement, facts, phrases, relations
from grounding.statements import ClassName, CrossReaction, Name, Part, Reaction, Words
from knowledge.terms import Urgency
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, ClinicalFact, CodedConcept
from terminology.allergens import Relation, RelationKind
from terminology.cross_reactions import Strength

from consult.rule import Rule
from consult.rules import parts
from consult.rules.classes import PENICILLIN


def drug_of_an_allergic_class(sources: Sources) -> list[Statement]:
    """An active or ordered drug of which an ingredient or its class is a recorded allergy, however that was learned, or
    may cross-react with one: an alert, and the proposal to avoid it unless a reaction is only possible.

    Source: the rows of terminology's allergens and cross-reactions, each with its own; AAAAI/ACAAI Drug Allergy: 2022
    practice parameter update, J Allergy Clin Immunol 2022;150:1333-1393.
    """
    return [
        statement
        for drug in parts.newest_first(parts.in_use(sources))
        for allergy in _recorded(sources)
        for statement in _statements(sources, drug, allergy)
    ]


def against_a_proposed_drug(sources: Sources, drug: CodedConcept) -> list[tuple[Statement, Relation]]:
    """The allergies for which `drug_of_an_allergic_class` would speak once this drug were ordered, as alerts that name
    the allergy; how the drug relates to each.
    """
    ordered = ClinicalFact(kind=FACT_KIND_MEDICATION, code=drug)
    related = ((allergy, relation(ordered, allergy)) for allergy in _recorded(sources))
    return [(_against(allergy), close) for allergy, close in related if close]


def _against(allergy: ClinicalFact) -> Statement:
    return parts.statement(wire.STATEMENT_KIND_ALERT, Words("Allergy: "), *_told(allergy))


def relation(drug: ClinicalFact, allergy: ClinicalFact) -> Relation | None:
    """How a drug relates to an allergy; None where nothing is known, or a reaction is unlikely."""
    known = relations.between(drug, allergy)
    # What terminology does not know is compared as it was sent.
    if known is None and facts.about(drug).own_keys & facts.about(allergy).own_keys:
        return Relation(RelationKind.INGREDIENT)
    cross = known.cross_reaction if known else None
    return None if cross and cross.strength is Strength.UNLIKELY else known


def told_of(statement: Statement, sources: Sources) -> Relation | None:
    """How the drug that is taken relates to the allergy, where a statement is about both."""
    kinds = {fact.kind: fact for fact in (sources.fact(each) for each in statement.fact_ids)}
    if not {FACT_KIND_MEDICATION, FACT_KIND_ALLERGY} <= kinds.keys():
        return None
    return relation(kinds[FACT_KIND_MEDICATION], kinds[FACT_KIND_ALLERGY])


def urgency(close: Relation) -> Urgency:
    """Of an allergy to the drug or its class, and of a cross-reaction by how strong it is."""
    cross = close.cross_reaction
    if cross is None:
        return Urgency.CONTRAINDICATED
    return Urgency.URGENT if cross.strength is Strength.LIKELY else Urgency.IMPORTANT


def _recorded(sources: Sources) -> list[ClinicalFact]:
    return [fact for fact in sources.active(FACT_KIND_ALLERGY) if not facts.is_absent(fact)]


def _statements(sources: Sources, drug: ClinicalFact, allergy: ClinicalFact) -> list[Statement]:
    close = relation(drug, allergy)
    if close is None:
        return []
    cross = close.cross_reaction
    if cross is None:
        return _conflict(sources, drug, allergy, _classes(close, drug))
    alert = _alert(sources, drug, allergy, (), Words("; "), CrossReaction(drug.fact_id, allergy.fact_id))
    return [alert, _avoid(drug, allergy)] if cross.strength is Strength.LIKELY else [alert]


def _classes(close: Relation, drug: ClinicalFact) -> tuple[Part, ...]:
    """` (cephalosporin)`: the class by which the two relate."""
    if close.drug_class is None:
        return ()
    return (Words(" ("), ClassName(drug.fact_id, close.drug_class.id), Words(")"))


def _conflict(
    sources: Sources, drug: ClinicalFact, allergy: ClinicalFact, drug_class: tuple[Part, ...]
) -> list[Statement]:
    guidance: tuple[Part, ...] = ()
    if facts.class_of(allergy, PENICILLIN):
        guidance = parts.quoted(sources, ("aaaai-2022-penicillin-allergy",), ("penicillin", "anaphylaxis", "avoid"))
    return [_alert(sources, drug, allergy, drug_class, *guidance), _avoid(drug, allergy)]


def _alert(
    sources: Sources, drug: ClinicalFact, allergy: ClinicalFact, drug_class: tuple[Part, ...], *more: Part
) -> Statement:
    """`Naproxen (NSAID) was ordered on ..., although an allergy is recorded: NSAIDS, severe`."""
    return parts.statement(
        wire.STATEMENT_KIND_ALERT,
        *(Name(drug.fact_id, capital=True), *drug_class, *parts.state(sources, drug)),
        *(Words(", although an allergy is recorded: "), *_told(allergy), *more),
    )


def _told(allergy: ClinicalFact) -> tuple[Part, ...]:
    """`NSAIDS, reaction hives, severe`."""
    reaction: tuple[Part, ...] = (Words(", reaction "), Reaction(allergy.fact_id)) if allergy.note else ()
    return (Name(allergy.fact_id), *reaction, *phrases.severity(allergy))


def _avoid(drug: ClinicalFact, allergy: ClinicalFact) -> Statement:
    return parts.statement(
        wire.STATEMENT_KIND_PROPOSAL,
        *(Words("Avoid "), Name(drug.fact_id), Words(" with this allergy: "), Name(allergy.fact_id)),
    )


RULES = (
    Rule(
        drug_of_an_allergic_class,
        place=20,
        cites={
            "aaaai-2022-penicillin-allergy": "penicillin allergy label verification anaphylaxis",
        },
    ),
)
