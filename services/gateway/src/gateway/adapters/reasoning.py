"""Advice of reasoning over gRPC, for the person whose token goes along."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import grpc
from longitude.reasoning.v1.advice_pb2 import AdviseRequest, AdviseResponse, ProposedOrder
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from servicekit.grpc import answer

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

# Longest time for one answer, in seconds.
DEADLINE = 10.0

_answer = partial(answer, callee="reasoning service")


class Reasoning:
    """NotFoundError: unknown patient. DeniedError: not open to the person. UnavailableError, BusyError: ask again."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._stub: ReasoningServiceAsyncStub = ReasoningServiceStub(channel)

    async def advise(self, patient: PatientKey, orders: Sequence[ProposedOrder]) -> AdviseResponse:
        """What rules and rows say of the record, and of the orders beside it."""
        request = AdviseRequest(patient=patient, orders=orders)
        return await _answer(self._stub.Advise(request, timeout=DEADLINE))

    async def ping(self) -> None:
        """Raise where reasoning cannot be reached."""
        await self._channel.channel_ready()
