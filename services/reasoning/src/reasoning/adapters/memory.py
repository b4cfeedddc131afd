"""The patient memory over gRPC: timeline, texts, context, evidence. Every call has a deadline and a clear failure."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import grpc
from consult import Timeline
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.context_pb2 import Context, Note, Passage
from longitude.record.v1.fact_pb2 import PatientKey
from servicekit.grpc import answer

if TYPE_CHECKING:
    from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceAsyncStub

# Longest time for one read, in seconds: a first question to a cold memory took more than 10 where all cores were busy.
DEADLINE = 30.0
# Hits asked for when evidence is wanted, and when one certain passage is.
_HITS = 5
_HITS_TO_FIND_ONE = 20
_NOTES = 5
# Facts of a page of a timeline: the most that memory gives.
_PAGE = 10_000
# Documents of a page of texts.
_TEXTS = 200

_answer = partial(answer, callee="patient memory")


@dataclass(frozen=True, slots=True)
class View:
    """Every identifier of a patient; how many facts that stand are closed; when the record last learned anything."""

    identifiers: Sequence[PatientKey]
    left_out: int
    changed_at: datetime


class Memory:
    """NotFoundError: unknown patient. UnavailableError: cannot be reached or too slow, ask again."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: MemoryServiceAsyncStub = MemoryServiceStub(channel)

    async def timeline(self, patient: PatientKey) -> Timeline:
        """The whole record, superseded statements included."""
        request = pb.GetTimelineRequest(patient=patient, include_superseded=True, page_size=_PAGE)
        first = page = await _answer(self._stub.GetTimeline(request, timeout=DEADLINE))
        facts = list(first.facts)
        while page.next_page_token:
            request.page_token = page.next_page_token
            page = await _answer(self._stub.GetTimeline(request, timeout=DEADLINE))
            facts += page.facts
        changed_at = first.as_of.ToDatetime(tzinfo=UTC)
        return Timeline(facts, first.identifiers, first.contradictions, first.view.left_out, changed_at)

    async def view(self, patient: PatientKey) -> View:
        """What who asks would see of a record."""
        request = pb.GetTimelineRequest(patient=patient, page_size=1)
        page = await _answer(self._stub.GetTimeline(request, timeout=DEADLINE))
        return View(page.identifiers, page.view.left_out, page.as_of.ToDatetime(tzinfo=UTC))

    async def texts(self, patient: PatientKey, most_bytes: int) -> tuple[tuple[Note, ...], bool]:
        """The whole texts of the patient's newest documents, together at most so many bytes; whether they are all."""
        request = pb.GetNotesRequest(patient=patient, page_size=_TEXTS)
        notes: list[Note] = []
        while True:
            page = await _answer(self._stub.GetNotes(request, timeout=DEADLINE))
            for note in page.notes:
                most_bytes -= len(note.text.encode())
                if most_bytes < 0:
                    return tuple(notes), False
                notes.append(note)
            if not page.next_page_token:
                return tuple(notes), True
            request.page_token = page.next_page_token

    async def context(self, patient: PatientKey, question: str, tokens: int) -> Context:
        request = pb.GetContextRequest(patient=patient, question=question, token_budget=tokens)
        response = await _answer(self._stub.GetContext(request, timeout=DEADLINE))
        return response.context

    async def passages(self, wanted: Mapping[str, str]) -> tuple[Passage, ...]:
        """The passages with these ids, each looked for with its own terms; those not in the library are left out."""
        found = await asyncio.gather(*(self._passage(name, terms) for name, terms in wanted.items()))
        return tuple(passage for passage in found if passage is not None)

    async def evidence(self, query: str, limit: int = _HITS) -> tuple[Passage, ...]:
        """The best passages for a query."""
        request = pb.SearchEvidenceRequest(query=query, limit=limit)
        response = await _answer(self._stub.SearchEvidence(request, timeout=DEADLINE))
        return tuple(hit.passage for hit in response.hits)

    async def quoted(self, words: str) -> tuple[Passage, ...]:
        """Passages that these words may be quoted from."""
        return await self.evidence(words, _HITS_TO_FIND_ONE)

    async def notes(self, patient: PatientKey, query: str) -> tuple[pb.NoteHit, ...]:
        """The best pieces of the patient's notes and documents."""
        request = pb.SearchNotesRequest(patient=patient, query=query, limit=_NOTES)
        response = await _answer(self._stub.SearchNotes(request, timeout=DEADLINE))
        return tuple(response.hits)

    async def _passage(self, passage_id: str, terms: str) -> Passage | None:
        found: Iterable[Passage] = await self.evidence(terms, _HITS_TO_FIND_ONE)
        return next((passage for passage in found if passage.passage_id == passage_id), None)
