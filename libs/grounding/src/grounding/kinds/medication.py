"""A medication with its dose and state."""

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FactKind

from grounding import phrases
from grounding.kind import Kind, of_fact
from grounding.sources import Sources
from grounding.statements import Name, Statement, Words


def statement(sources: Sources, fact_id: str) -> Statement:
    """`Metformin 1000 mg oral twice daily: ordered on 2023-02-01, not renewed since.`"""
    fact = sources.fact(fact_id)
    state = phrases.medication_state(sources, fact)
    named = (Name(fact_id, capital=True), *phrases.dose(fact), Words(": "))
    return Statement(wire.STATEMENT_KIND_MEDICATION, (*named, *state))


KIND = Kind(
    word="medication",
    proto=wire.STATEMENT_KIND_MEDICATION,
    handle="F",
    roles={"pharmacist": ("check",)},
    choose=of_fact("medication", FactKind.FACT_KIND_MEDICATION),
    say=lambda sources, choice: statement(sources, *choice.fact_ids),
)
