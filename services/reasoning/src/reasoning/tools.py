"""The reading tools of an episode, answered by memory in the one shape of a context: lines, facts, passages.

None of them changes anything.
"""

from collections.abc import Iterable, Mapping

from grounding.render import cite_fact
from longitude.ingestion.v1.clinical_fact_pb2 import (
    FACT_KIND_IMAGING_FINDING,
    ClinicalFact,
    PatientKey,
)
from longitude.memory.v1.memory_service_pb2 import ContextLine, EvidencePassage, GetContextResponse, RecordedFact
from servicekit.errors import NotFoundError

from reasoning.adapters.memory import Memory
from reasoning.domain.record import Record

_LINES = 6
_LINE_CHARACTERS = 300


class Tools:
    """Bound to one patient and one record."""

    def __init__(self, memory: Memory, patient: PatientKey, record: Record) -> None:
        self._memory = memory
        self._patient = patient
        self._facts = {each.fact.fact_id: each for each in record.timeline.facts if not each.HasField("superseded_at")}

    async def call(self, tool: str, arguments: Mapping[str, str]) -> GetContextResponse:
        """NotFoundError for a tool that is not served or a fact that is not there."""
        match tool:
            case "read_timeline":
                return self._same_code(arguments["fact_id"])
            case "read_image_findings":
                return _of_facts(each for each in self._facts.values() if each.fact.kind == FACT_KIND_IMAGING_FINDING)
            case "search_evidence":
                return _of_passages(await self._memory.evidence(arguments["query"]))
            case "search_memory" | "read_document":
                return await self._notes(arguments)
            case _:
                raise NotFoundError("no such tool")

    def _same_code(self, fact_id: str) -> GetContextResponse:
        if fact_id not in self._facts:
            raise NotFoundError("no such fact")
        code = self._facts[fact_id].fact.code
        return _of_facts(each for each in self._facts.values() if each.fact.code == code)

    async def _notes(self, arguments: Mapping[str, str]) -> GetContextResponse:
        """Facts that were read from the documents found: what a statement may then rest on."""
        hits = await self._memory.notes(self._patient, arguments["query"])
        documents = {hit.document_id for hit in hits if hit.document_id}
        return _of_facts(each for each in self._facts.values() if each.fact.source.document_id in documents)


def _of_facts(recorded: Iterable[RecordedFact]) -> GetContextResponse:
    newest = sorted(recorded, key=lambda each: each.fact.valid_from.seconds, reverse=True)[:_LINES]
    lines = [ContextLine(text=_line(each.fact), fact_id=each.fact.fact_id) for each in newest]
    return GetContextResponse(lines=lines, facts=newest)


def _of_passages(passages: Iterable[EvidencePassage]) -> GetContextResponse:
    kept = list(passages)[:_LINES]
    lines = [ContextLine(text=each.text[:_LINE_CHARACTERS], passage_id=each.passage_id) for each in kept]
    return GetContextResponse(lines=lines, passages=kept)


def _line(fact: ClinicalFact) -> str:
    return cite_fact(fact).quote[:_LINE_CHARACTERS]
