"""A problem with its state; family history is told as such."""

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FactKind

from grounding import facts, phrases
from grounding.kind import Kind, of_fact
from grounding.sources import Sources
from grounding.statements import Name, Part, Statement, Words


def statement(sources: Sources, fact_id: str) -> Statement:
    """`Problem: chronic kidney disease, active since 2024-05-06.` Without a stated start: `active, recorded on ...`."""
    fact = sources.fact(fact_id)
    state: tuple[Part, ...] = (Words(", active"), *phrases.since(fact))
    if facts.has_ended(fact, sources.today):
        state = (Words(", resolved"), *phrases.ended_on(fact))
    family = facts.is_family_history(fact) and not facts.is_family_history_text(facts.name_of(fact))
    lead = Words("Family history: " if family else "Problem: ")
    told: tuple[Part, ...] = (Words("no "), Name(fact_id)) if facts.is_absent(fact) else (Name(fact_id), *state)
    return Statement(wire.STATEMENT_KIND_PROBLEM, (lead, *told))


KIND = Kind(
    word="problem",
    proto=wire.STATEMENT_KIND_PROBLEM,
    handle="F",
    roles={"historian": ("gather",), "diagnostician": ("hypothesise",)},
    choose=of_fact("problem", FactKind.FACT_KIND_PROBLEM),
    say=lambda sources, choice: statement(sources, *choice.fact_ids),
)
