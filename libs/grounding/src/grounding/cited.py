"""What one statement may rest on: the facts and passages it cites, and what follows from them.

Guarantee: a citation of something the episode does not have is kept in `missing`, never silently dropped.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from longitude.reasoning.v1.assessment_pb2 import Citation
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding.sources import Sources


@dataclass(frozen=True)
class Cited:
    """The cited part of the sources; without citations in a text of another system, all current facts."""

    sources: Sources
    facts: tuple[ClinicalFact, ...]
    passages: tuple[Passage, ...]
    missing: int = 0

    @classmethod
    def of(cls, sources: Sources, citations: Iterable[Citation]) -> "Cited":
        fact_ids, passage_ids, missing = [], [], 0
        for citation in citations:
            if citation.fact_id and sources.has_fact(citation.fact_id):
                fact_ids.append(citation.fact_id)
            elif citation.passage_id and sources.has_passage(citation.passage_id):
                passage_ids.append(citation.passage_id)
            else:
                missing += 1
        return cls(
            sources,
            tuple(sources.fact(each) for each in dict.fromkeys(fact_ids)),
            tuple(sources.passage(each) for each in dict.fromkeys(passage_ids)),
            missing,
        )

    @classmethod
    def whole_record(cls, sources: Sources) -> "Cited":
        """Everything current: for text that came without citations."""
        return cls(sources, sources.current, sources.passages)
