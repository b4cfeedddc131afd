"""An allergy, or that there is none."""

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact, FactKind
from terminology import absence

from grounding import facts, phrases
from grounding.kind import Kind, of_fact
from grounding.sources import Sources
from grounding.statements import Day, Name, Part, Reaction, Statement, Words


def statement(sources: Sources, fact_id: str) -> Statement:
    """`Allergy: penicillin, reaction hives, severe, since 2024-05-06.`"""
    fact = sources.fact(fact_id)
    reaction: tuple[Part, ...] = (Words(", reaction "), Reaction(fact_id)) if fact.note else ()
    start = (Words(", since "), Day(fact_id)) if facts.starts_on(fact) else phrases.since(fact)
    lead = Words("Allergy status: " if facts.is_absent(fact) else "Allergy: ")
    return Statement(wire.STATEMENT_KIND_ALLERGY, (lead, *allergen(fact), *reaction, *phrases.severity(fact), *start))


def allergen(fact: ClinicalFact) -> tuple[Part, ...]:
    """The allergen; with `no` before it where the record states an absence and its name does not say so itself."""
    negative = (
        facts.is_absent(fact) and absence.of(fact.code) is None and not facts.name_of(fact).lower().startswith("no ")
    )
    return (Words("no "), Name(fact.fact_id)) if negative else (Name(fact.fact_id),)


KIND = Kind(
    word="allergy",
    proto=wire.STATEMENT_KIND_ALLERGY,
    handle="F",
    roles={"pharmacist": ("check",)},
    choose=of_fact("allergy", FactKind.FACT_KIND_ALLERGY),
    say=lambda sources, choice: statement(sources, *choice.fact_ids),
)
