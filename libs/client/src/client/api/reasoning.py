"""Questions, checks, reviews and replays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from longitude.reasoning.v1 import advice_pb2, assessment_pb2, concern_pb2, prepared_pb2
from longitude.reasoning.v1 import reasoning_service_pb2 as pb
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.fact_pb2 import PatientKey

from client.api.channel import explained, open_channel
from client.errors import ClientError
from client.people import sign
from client.stack import find

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

SECONDS = 30.0
EPISODE_SECONDS = 900.0
CHECK_SECONDS = 120.0
FOLLOW_SECONDS = 1800.0
# Concerns of a page: the most that there may be.
CONCERNS_PAGE = 100

Heard: TypeAlias = pb.Progress | pb.Draft | assessment_pb2.Assessment


class ReasoningClient:
    """Commands whose effects are events."""

    def __init__(self, stub: ReasoningServiceAsyncStub) -> None:
        self._stub = stub

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str) -> AsyncIterator[ReasoningClient]:
        """A client while inside."""
        async with open_channel(endpoint) as channel:
            yield cls(ReasoningServiceStub(channel))

    async def ask(
        self,
        patient: PatientKey,
        question: str,
        *,
        request_id: str = "",
        deliberate: bool = False,
        form: assessment_pb2.Form.ValueType = assessment_pb2.FORM_ANSWER,
        specialty: str = "",
        chooser: pb.Chooser.ValueType = pb.CHOOSER_UNSPECIFIED,
    ) -> AsyncIterator[Heard]:
        """Progress while the episode runs, and what stands in front while the model is to speak; the assessment is the
        last item. Other forms than an answer take no question.

        The same `request_id` gives the same assessment again.
        """
        request = pb.AskRequest(
            patient=patient,
            question=question,
            request_id=request_id,
            deliberate=deliberate,
            form=form,
            specialty=specialty,
            chooser=chooser,
        )
        with explained("reasoning"):
            async for response in self._stub.Ask(request, timeout=EPISODE_SECONDS):
                yield _content(response)

    async def assessment(self, assessment_id: str) -> pb.GetAssessmentResponse:
        """An assessment and what the physician made of it."""
        with explained("reasoning"):
            request = pb.GetAssessmentRequest(assessment_id=assessment_id)
            return await self._stub.GetAssessment(request, timeout=SECONDS)

    async def review(
        self,
        assessment_id: str,
        reviewer: str,
        decision: assessment_pb2.ReviewDecision.ValueType,
        statements: Iterable[assessment_pb2.ReviewedStatement] = (),
    ) -> pb.ReviewResponse:
        """Record and sign a physician's decision; RefusedError when the assessment was reviewed already.

        Signed is what the service has stored: who asks has seen the same, by `assessment`.
        """
        request = pb.ReviewRequest(
            assessment_id=assessment_id, reviewer=reviewer, decision=decision, statements=statements
        )
        stored = await self.assessment(assessment_id)
        await asyncio.to_thread(sign, find().variables, request, stored.assessment_bytes)
        with explained("reasoning"):
            return await self._stub.Review(request, timeout=SECONDS)

    async def replay(self, assessment_id: str) -> pb.ReplayResponse:
        """The recorded episode driven again by the model that serves now."""
        with explained("reasoning"):
            return await self._stub.Replay(pb.ReplayRequest(assessment_id=assessment_id), timeout=EPISODE_SECONDS)

    async def check(self, patient: PatientKey, text: str) -> pb.CheckResponse:
        """A text of another system, sentence by sentence against the whole record; nothing is stored."""
        with explained("reasoning"):
            return await self._stub.Check(pb.CheckRequest(patient=patient, text=text), timeout=CHECK_SECONDS)

    async def advise(
        self, patient: PatientKey, orders: Iterable[advice_pb2.ProposedOrder] = ()
    ) -> advice_pb2.AdviseResponse:
        """What rules and rows say of the record and of proposed orders beside it; nothing is stored."""
        with explained("reasoning"):
            request = advice_pb2.AdviseRequest(patient=patient, orders=orders)
            return await self._stub.Advise(request, timeout=SECONDS)

    async def check_stream(
        self, patient: PatientKey, texts: AsyncIterable[str]
    ) -> AsyncIterator[pb.CheckedSpan | pb.CheckSummary]:
        """A text that is still being written, in pieces of any size: each span as soon as its sentence is complete, the
        summary last. A ClientError of `texts` is raised here.
        """
        failed: list[ClientError] = []
        with explained("reasoning"):
            async for response in self._stub.CheckStream(_requests(patient, texts, failed), timeout=FOLLOW_SECONDS):
                if not failed:
                    yield response.span if response.HasField("span") else response.summary
        for error in failed:
            raise error

    async def concerns(self, request: concern_pb2.ListConcernsRequest, most: int) -> concern_pb2.ListConcernsResponse:
        """Open concerns, the most urgent first, whatever pages they come in; `next_page_token`: there are more."""
        whole = concern_pb2.ListConcernsResponse()
        request.page_size = min(most, CONCERNS_PAGE)
        with explained("reasoning"):
            while True:
                page = await self._stub.ListConcerns(request, timeout=SECONDS)
                whole.concerns.extend(page.concerns)
                whole.hidden += page.hidden
                whole.next_page_token = request.page_token = page.next_page_token
                if not page.next_page_token or len(whole.concerns) + whole.hidden >= most:
                    return whole

    async def prepared(self, patient: PatientKey | None, most: int) -> prepared_pb2.ListPreparedResponse:
        """Briefs and summaries that are ready, the nearest visit first."""
        with explained("reasoning"):
            request = prepared_pb2.ListPreparedRequest(patient=patient, most=most)
            return await self._stub.ListPrepared(request, timeout=SECONDS)

    async def act_on_concern(self, request: concern_pb2.ActOnConcernRequest) -> concern_pb2.Concern:
        """The concern after what the caller did; RefusedError where it is resolved or was changed."""
        with explained("reasoning"):
            return (await self._stub.ActOnConcern(request, timeout=SECONDS)).concern


def _content(response: pb.AskResponse) -> Heard:
    if response.HasField("assessment"):
        return response.assessment
    return response.draft if response.HasField("draft") else response.progress


async def _requests(
    patient: PatientKey, texts: AsyncIterable[str], failed: list[ClientError]
) -> AsyncIterator[pb.CheckStreamRequest]:
    """The patient first, so that the record is read while the text is awaited."""
    yield pb.CheckStreamRequest(patient=patient)
    try:
        async for text in texts:
            yield pb.CheckStreamRequest(text=text)
    except ClientError as error:
        failed.append(error)
