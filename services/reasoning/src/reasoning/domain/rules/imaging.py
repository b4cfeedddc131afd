"""What networks saw on the newest films."""

from datetime import timedelta

from grounding import Sources, Statement, facts
from grounding.kinds import imaging
from grounding.statements import Day, Name, Probability, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FACT_KIND_IMAGING_FINDING, ClinicalFact

from reasoning.domain.rules import parts

# Findings of one film share its moment; anything older is history.
_SAME_FILM = timedelta(hours=1)


def imaging_findings(sources: Sources) -> list[Statement]:
    """The findings of the newest film: each that is present, and in one sentence those that are not.

    Source: the film's own analysis; thresholds stand in the network's model card.
    """
    found = [fact for fact in sources.of_kind(FACT_KIND_IMAGING_FINDING) if fact.HasField("valid_from")]
    if not found:
        return []
    newest = max(fact.valid_from.seconds for fact in found)
    recent = [fact for fact in found if newest - fact.valid_from.seconds <= _SAME_FILM.total_seconds()]
    present = [imaging.statement(sources, fact.fact_id) for fact in recent if not facts.is_absent(fact)]
    absent = [fact for fact in recent if facts.is_absent(fact)]
    return present + ([_absent(absent)] if absent else [])


def _absent(found: list[ClinicalFact]) -> Statement:
    entries = (
        (Words("no "), Name(fact.fact_id), Words(" (confidence "), Probability(fact.fact_id), Words(")"))
        for fact in found
    )
    lead = (Words("Film of "), Day(found[0].fact_id), Words(": "))
    tail = Words(" (computed from the film by a network)")
    return parts.statement(wire.STATEMENT_KIND_IMAGING, *lead, *join(", ", entries), tail)
