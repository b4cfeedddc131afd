"""A medication with its dose and state."""

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FactKind

from grounding import facts, phrases
from grounding.kind import Kind, of_fact
from grounding.sources import Sources
from grounding.statements import Name, Statement, Words


def statement(sources: Sources, fact_id: str) -> Statement:
    """`Metformin 1000 mg oral twice daily: active since 2023-02-01.`"""
    fact = sources.fact(fact_id)
    if facts.has_ended(fact, sources.today):
        state = (Words(": stopped"), *phrases.ended_on(fact))
    elif facts.is_order(fact):
        state = (Words(": ordered"), *phrases.on(fact))
    else:
        state = (Words(": active"), *phrases.since(fact))
    return Statement(wire.STATEMENT_KIND_MEDICATION, (Name(fact_id, capital=True), *phrases.dose(fact), *state))


KIND = Kind(
    word="medication",
    proto=wire.STATEMENT_KIND_MEDICATION,
    handle="F",
    roles={"pharmacist": ("check",)},
    choose=of_fact("medication", FactKind.FACT_KIND_MEDICATION),
    say=lambda sources, choice: statement(sources, *choice.fact_ids),
)
