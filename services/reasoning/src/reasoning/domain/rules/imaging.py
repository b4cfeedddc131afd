"""What networks saw on the newest films."""

from datetime import timedelta

from grounding import Sources, Statement, say
from longitude.ingestion.v1.clinical_fact_pb2 import FACT_KIND_IMAGING_FINDING

# Findings of one film share its moment; anything older is history.
_SAME_FILM = timedelta(hours=1)


def imaging_findings(sources: Sources) -> list[Statement]:
    """The findings of the newest film, present or absent, with probability and the words that a network computed them.

    Source: the film's own analysis; thresholds stand in the network's model card.
    """
    found = [fact for fact in sources.of_kind(FACT_KIND_IMAGING_FINDING) if fact.HasField("valid_from")]
    if not found:
        return []
    newest = max(fact.valid_from.seconds for fact in found)
    recent = [fact for fact in found if newest - fact.valid_from.seconds <= _SAME_FILM.total_seconds()]
    return [say.imaging(sources, fact.fact_id) for fact in recent]
