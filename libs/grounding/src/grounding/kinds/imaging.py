"""A finding on an image."""

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import PROVENANCE_COMPUTED_FROM_IMAGE, FactKind

from grounding import facts, phrases
from grounding.kind import Kind, of_fact
from grounding.sources import Sources
from grounding.statements import Name, Part, Probability, Statement, Words


def statement(sources: Sources, fact_id: str) -> Statement:
    """With its probability, and the words that a network computed it where one did."""
    fact = sources.fact(fact_id)
    absent = facts.is_absent(fact)
    parts: list[Part] = [Words("Image: no " if absent else "Image: "), Name(fact_id), *phrases.on(fact)]
    if fact.provenance == PROVENANCE_COMPUTED_FROM_IMAGE:
        sure = Words(", confidence " if absent else ", probability ")
        parts += [sure, Probability(fact_id), Words(" (computed from the image by a network)")]
    return Statement(wire.STATEMENT_KIND_IMAGING, tuple(parts))


KIND = Kind(
    word="imaging",
    proto=wire.STATEMENT_KIND_IMAGING,
    handle="F",
    roles={"imaging_liaison": ("check",)},
    choose=of_fact("imaging", FactKind.FACT_KIND_IMAGING_FINDING),
    say=lambda sources, choice: statement(sources, *choice.fact_ids),
)
