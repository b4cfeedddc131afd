"""The newest result of its code."""

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import phrases
from grounding.kind import Choice, Kind, Shown, newest_of_its_code
from grounding.sources import Sources
from grounding.statements import Name, Part, Statement, Value, Words


def statement(sources: Sources, fact_id: str) -> Statement:
    """`Potassium was 5.6 mmol/L on 2025-03-04.`"""
    return Statement(wire.STATEMENT_KIND_LATEST, measured(sources.fact(fact_id)))


def measured(fact: ClinicalFact, *, capital: bool = True, rounded: bool = False) -> tuple[Part, ...]:
    """`Potassium was 5.6 mmol/L on 2025-03-04 (comment of the laboratory: “haemolysed”)`."""
    named = (Name(fact.fact_id, capital=capital), Words(" was "), Value(fact.fact_id, rounded=rounded))
    return (*named, *phrases.on(fact), *phrases.comment(fact))


def choose(fact: ClinicalFact, shown: Shown) -> Choice:
    newest_of_its_code(fact, shown)
    return Choice("latest", (fact.fact_id,))


KIND = Kind(
    word="latest",
    proto=wire.STATEMENT_KIND_LATEST,
    handle="F",
    roles={"diagnostician": ("hypothesise", "draft")},
    choose=choose,
    say=lambda sources, choice: statement(sources, *choice.fact_ids),
)
