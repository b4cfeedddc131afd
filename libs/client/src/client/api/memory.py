"""The patient record and the evidence library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.context_pb2 import Context, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import PatientKey

from client.api.channel import explained, open_channel

if TYPE_CHECKING:
    from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceAsyncStub

SECONDS = 30.0
# Facts of a page of a timeline: the most that memory gives.
PAGE = 10_000


class MemoryClient:
    """Reads of one memory service, and the commands of its evidence library."""

    def __init__(self, stub: MemoryServiceAsyncStub) -> None:
        self._stub = stub
        # What the last read was not shown, and what is to stand above it.
        self.view = pb.View()

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str, variables: Mapping[str, str] | None = None) -> AsyncIterator[MemoryClient]:
        """A client while inside; `variables` name another session than that of who is signed in."""
        async with open_channel(endpoint, variables) as channel:
            yield cls(MemoryServiceStub(channel))

    async def editions(self) -> list[pb.Edition]:
        """The editions of the record that rereadings made or make."""
        with explained("memory"):
            return list((await self._stub.GetEditions(pb.GetEditionsRequest(), timeout=SECONDS)).editions)

    async def identifiers(self, patient: PatientKey) -> list[PatientKey]:
        """All identifiers of a patient, the one asked for first; NotThereError."""
        with explained("memory"):
            request = pb.GetIdentifiersRequest(patient=patient)
            return list((await self._stub.GetIdentifiers(request, timeout=SECONDS)).identifiers)

    async def timeline(
        self,
        patient: PatientKey,
        *,
        valid_at: datetime | None = None,
        known_at: datetime | None = None,
        include_superseded: bool = False,
    ) -> pb.GetTimelineResponse:
        """All facts of a patient, as of two times (None: all times; what is known now), whatever pages they come in."""
        request = pb.GetTimelineRequest(
            patient=patient,
            valid_at=timestamp(valid_at),
            known_at=timestamp(known_at),
            include_superseded=include_superseded,
            page_size=PAGE,
        )
        with explained("memory"):
            whole = await self._stub.GetTimeline(request, timeout=SECONDS)
            while whole.next_page_token:
                request.page_token = whole.next_page_token
                page = await self._stub.GetTimeline(request, timeout=SECONDS)
                whole.facts.extend(page.facts)
                whole.next_page_token = page.next_page_token
        self.view = whole.view
        return whole

    async def open_record(self, request: pb.OpenRecordRequest) -> pb.Opening:
        """More of a record is open to the caller until its end."""
        with explained("memory"):
            return (await self._stub.OpenRecord(request, timeout=SECONDS)).opening

    async def end_opening(self, opening_id: str) -> None:
        """NotThereError where it is not the caller's."""
        with explained("memory"):
            await self._stub.EndOpening(pb.EndOpeningRequest(opening_id=opening_id), timeout=SECONDS)

    async def openings(self, *, unreviewed: bool = False) -> list[pb.Opening]:
        """The newest openings of the caller; everybody's to an auditor."""
        with explained("memory"):
            request = pb.ListOpeningsRequest(unreviewed=unreviewed)
            return list((await self._stub.ListOpenings(request, timeout=SECONDS)).openings)

    async def review_opening(self, opening_id: str, *, justified: bool, comment: str) -> None:
        """Close the review of an opening of somebody else."""
        with explained("memory"):
            request = pb.ReviewOpeningRequest(opening_id=opening_id, justified=justified, comment=comment)
            await self._stub.ReviewOpening(request, timeout=SECONDS)

    async def find(self, request: pb.FindRequest) -> list[RecordedFact]:
        """What stands of a patient about some things, the most concerning first, whatever pages it comes in."""
        facts: list[RecordedFact] = []
        with explained("memory"):
            while True:
                page = await self._stub.Find(request, timeout=SECONDS)
                self.view = page.view
                facts.extend(page.facts)
                if not page.next_page_token:
                    return facts
                request.page_token = page.next_page_token

    async def context(
        self, patient: PatientKey, question: str, token_budget: int, *, known_at: datetime | None = None
    ) -> Context:
        """The part of the record that serves a question, in at most `token_budget` tokens."""
        request = pb.GetContextRequest(
            patient=patient, question=question, token_budget=token_budget, known_at=timestamp(known_at)
        )
        with explained("memory"):
            answer = await self._stub.GetContext(request, timeout=SECONDS)
        self.view = answer.view
        return answer.context

    async def search_notes(self, patient: PatientKey, query: str, limit: int) -> list[pb.NoteHit]:
        """Passages of a patient's notes and documents, best first."""
        with explained("memory"):
            request = pb.SearchNotesRequest(patient=patient, query=query, limit=limit)
            return list((await self._stub.SearchNotes(request, timeout=SECONDS)).hits)

    async def search_evidence(self, request: pb.SearchEvidenceRequest) -> list[pb.EvidenceHit]:
        """Passages of the evidence library, best first."""
        with explained("memory"):
            return list((await self._stub.SearchEvidence(request, timeout=SECONDS)).hits)

    async def evidence_coverage(self, patient: PatientKey | None) -> pb.GetEvidenceCoverageResponse:
        """Which passages are about each problem and drug of a patient, or of those that are frequent."""
        with explained("memory"):
            request = pb.GetEvidenceCoverageRequest(patient=patient)
            return await self._stub.GetEvidenceCoverage(request, timeout=SECONDS)

    async def load_evidence(
        self, passages: Iterable[Passage], manifest: pb.EvidenceManifest | None = None, *, unsigned_local: bool = False
    ) -> pb.LoadEvidenceResponse:
        """Import a package into quarantine; RefusedError unless a trusted publisher signed it, or `unsigned_local`."""
        request = pb.LoadEvidenceRequest(passages=passages, manifest=manifest, unsigned_local=unsigned_local)
        with explained("memory"):
            return await self._stub.LoadEvidence(request, timeout=10 * SECONDS)

    async def evidence_editions(self, state: pb.EvidenceState.ValueType) -> list[pb.EvidenceEdition]:
        """Editions of passages in one state, or in any, whatever pages they come in."""
        request = pb.ListEvidenceRequest(state=state, page_size=1_000)
        editions: list[pb.EvidenceEdition] = []
        with explained("memory"):
            while True:
                page = await self._stub.ListEvidence(request, timeout=SECONDS)
                editions.extend(page.editions)
                if not page.next_page_token:
                    return editions
                request.page_token = page.next_page_token

    async def evidence_edition(self, edition_id: str) -> pb.EvidenceEdition:
        """NotThereError."""
        with explained("memory"):
            request = pb.GetEvidenceRequest(edition_id=edition_id)
            return (await self._stub.GetEvidence(request, timeout=SECONDS)).edition

    async def release_evidence(self, edition_ids: Iterable[str], reason: str = "") -> list[pb.EvidenceEdition]:
        """Approve editions as the person who calls; the second approval releases. They as they are after it."""
        with explained("memory"):
            request = pb.ReleaseEvidenceRequest(edition_ids=edition_ids, reason=reason)
            return list((await self._stub.ReleaseEvidence(request, timeout=SECONDS)).editions)

    async def withdraw_evidence(self, edition_id: str, reason: str) -> pb.EvidenceEdition:
        """From now on nothing cites it."""
        with explained("memory"):
            request = pb.WithdrawEvidenceRequest(edition_id=edition_id, reason=reason)
            return (await self._stub.WithdrawEvidence(request, timeout=SECONDS)).edition


def timestamp(time: datetime | None) -> Timestamp | None:
    """A protobuf time; None stays unset."""
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
