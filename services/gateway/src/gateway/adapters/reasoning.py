"""Advice and concerns of reasoning over gRPC, for the person whose token goes along."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import grpc
from longitude.reasoning.v1.advice_pb2 import AdviseRequest, AdviseResponse, ProposedOrder
from longitude.reasoning.v1.concern_pb2 import Concern, ListConcernsRequest, ListConcernsResponse
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from servicekit.grpc import answer

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

# Longest time for one answer, in seconds.
DEADLINE = 10.0

_answer = partial(answer, callee="reasoning service")


class Reasoning:
    """NotFoundError: unknown patient or concern. DeniedError: not open to the person. UnavailableError, BusyError: ask
    again.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._stub: ReasoningServiceAsyncStub = ReasoningServiceStub(channel)

    async def advise(self, patient: PatientKey, orders: Sequence[ProposedOrder]) -> AdviseResponse:
        """What rules and rows say of the record, and of the orders beside it."""
        request = AdviseRequest(patient=patient, orders=orders)
        return await _answer(self._stub.Advise(request, timeout=DEADLINE))

    async def concerns(self, patient: PatientKey, size: int, token: str) -> ListConcernsResponse:
        """A page of all concerns of a patient, resolved ones too, each in the pages once."""
        request = ListConcernsRequest(patient=patient, acted=True, resolved=True, page_size=size, page_token=token)
        return await _answer(self._stub.ListConcerns(request, timeout=DEADLINE))

    async def concern(self, concern_id: str) -> Concern:
        """One that is open to the person, in any state."""
        request = ListConcernsRequest(concern_id=concern_id)
        (concern,) = (await _answer(self._stub.ListConcerns(request, timeout=DEADLINE))).concerns
        return concern

    async def ping(self) -> None:
        """Raise where reasoning cannot be reached."""
        await self._channel.channel_ready()
