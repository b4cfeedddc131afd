"""The patient memory over gRPC, for the person whose token goes along; every call has a deadline."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import grpc
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.context_pb2 import Note, RecordedFact
from longitude.record.v1.fact_pb2 import FactKind, PatientKey
from servicekit.grpc import answer

from gateway.domain.fhir.queries import Place

if TYPE_CHECKING:
    from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceAsyncStub

# Longest time for one read, in seconds.
DEADLINE = 10.0
# Documents of a page of texts.
_TEXTS = 200

_answer = partial(answer, callee="patient memory")


class Memory:
    """NotFoundError: unknown patient or fact. DeniedError: not open to the person. UnavailableError: ask again."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._stub: MemoryServiceAsyncStub = MemoryServiceStub(channel)

    async def timeline(
        self, patient: PatientKey, kinds: Sequence["FactKind.ValueType"], size: int, place: Place
    ) -> pb.GetTimelineResponse:
        """A page of what stands, of these kinds; none is every kind."""
        request = pb.GetTimelineRequest(patient=patient, kinds=kinds, page_size=size, page_token=place.token)
        if place.as_of:
            request.known_at.FromMicroseconds(place.as_of)
        return await _answer(self._stub.GetTimeline(request, timeout=DEADLINE))

    async def fact(self, fact_id: str) -> RecordedFact:
        """A fact that stands and is open."""
        return (await _answer(self._stub.GetFact(pb.GetFactRequest(fact_id=fact_id), timeout=DEADLINE))).fact

    async def text(self, patient: PatientKey, fact_id: str) -> Note | None:
        """The text of a document; None where it has none."""
        request = pb.GetNotesRequest(patient=patient, page_size=_TEXTS)
        while True:
            page = await _answer(self._stub.GetNotes(request, timeout=DEADLINE))
            if note := next((note for note in page.notes if note.fact_id == fact_id), None):
                return note
            if not page.next_page_token:
                return None
            request.page_token = page.next_page_token

    async def ping(self) -> None:
        """Raise where memory cannot be reached."""
        await self._channel.channel_ready()
