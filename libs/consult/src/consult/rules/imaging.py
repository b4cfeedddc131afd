"""What networks saw on the newest images."""

from datetime import timedelta

from grounding import Sources, Statement, facts
from grounding.kinds import imaging
from grounding.statements import Day, Name, Probability, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FACT_KIND_IMAGING_FINDING, ClinicalFact

from consult.rule import Rule
from consult.rules import parts

# Findings of one image share its moment; anything older is history.
_SAME_IMAGE = timedelta(hours=1)


def imaging_findings(sources: Sources) -> list[Statement]:
    """The findings of the newest image that each network saw: a photograph of skin makes no chest film old.

    Source: the image's own analysis; thresholds stand in the network's model card.
    """
    dated = [fact for fact in sources.of_kind(FACT_KIND_IMAGING_FINDING) if fact.HasField("valid_from")]
    networks = dict.fromkeys(fact.source_code.system for fact in dated)
    return [
        statement
        for network in networks
        for statement in _newest(sources, [fact for fact in dated if fact.source_code.system == network])
    ]


def _newest(sources: Sources, dated: list[ClinicalFact]) -> list[Statement]:
    """Each finding that is present, and in one sentence those that are not."""
    newest = max(fact.valid_from.seconds for fact in dated)
    recent = [fact for fact in dated if newest - fact.valid_from.seconds <= _SAME_IMAGE.total_seconds()]
    present = [imaging.statement(sources, fact.fact_id) for fact in recent if not facts.is_absent(fact)]
    absent = [fact for fact in recent if facts.is_absent(fact)]
    return present + ([_absent(absent)] if absent else [])


def _absent(absent: list[ClinicalFact]) -> Statement:
    entries = (
        (Words("no "), Name(fact.fact_id), Words(" (confidence "), Probability(fact.fact_id), Words(")"))
        for fact in absent
    )
    lead = (Words("Image of "), Day(absent[0].fact_id), Words(": "))
    tail = Words(" (computed from the image by a network)")
    return parts.statement(wire.STATEMENT_KIND_IMAGING, *lead, *join(", ", entries), tail)


RULES = (Rule(imaging_findings, place=140),)
