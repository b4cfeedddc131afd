"""The ReasoningService: checks what a stranger can send, hands over to the handlers."""

# ruff: noqa: N802 - the names are those of the generated servicer

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from consult.identity import Identity, is_assessment_id
from consult.visits import FORMS, UnknownSpecialtyError, title
from contracts.errors import BusyError, InvalidInputError, NotFoundError
from longitude.reasoning.v1 import advice_pb2, concern_pb2, prepared_pb2
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import reasoning_service_pb2 as pb
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceServicer
from longitude.record.v1.fact_pb2 import CodedConcept, PatientKey
from servicekit import looks

from reasoning import handlers
from reasoning.domain.checking import MAX_TEXT
from reasoning.flows.parts import Parts
from reasoning.flows.runs import Runs
from reasoning.flows.worklist import LARGEST_PAGE

MAX_QUESTION = 2000
MAX_REQUEST_ID = 200
MAX_IDENTIFIER = 255
# Seconds that a text may take to come, and that its next piece may.
STREAM_SECONDS = 1800.0
PIECE_SECONDS = 120.0
# Proposed orders of one request, codings of an order, characters of a text of it.
MAX_ORDERS, MAX_CODINGS, MAX_ORDER_TEXT = 50, 20, 500
# Of a list of what is ready.
MOST_PREPARED = 1000
# The one purpose for which advice reads a record (HL7 v3 ActReason).
TREAT = "TREAT"
# Seconds that a request for advice waits for its turn.
TURN_SECONDS = 2.0


class Rpc(ReasoningServiceServicer):
    """Questions, assessments, reviews; at most `checks` checks, as many texts that are followed and askers of
    advice, and one replay at the same time.
    """

    def __init__(self, parts: Parts, runs: Runs, checks: int) -> None:
        self._parts = parts
        self._runs = runs
        self._replaying = asyncio.Lock()
        self._checks = asyncio.Semaphore(checks)
        self._streams = asyncio.Semaphore(checks)
        self._advice = asyncio.Semaphore(checks)

    async def Ask(self, request: pb.AskRequest, _: Any) -> AsyncIterator[pb.AskResponse]:
        _check(request)
        identity = Identity.of(request.request_id)
        earlier = await handlers.stored_answer(request, identity, self._parts)
        if earlier is not None:
            yield pb.AskResponse(assessment=earlier)
            return
        ready = await handlers.on_form_asked_for(request, self._parts)
        if ready is not None:
            yield pb.AskResponse(assessment=ready)
            return
        work = partial(handlers.on_question, request, identity, self._parts)
        async with self._runs.join(identity.assessment_id, handlers.fingerprint(request), work) as run:
            async for response in run.heard():
                yield response
            yield pb.AskResponse(assessment=await run.result())

    async def GetAssessment(self, request: pb.GetAssessmentRequest, _: Any) -> pb.GetAssessmentResponse:
        _check_id(request.assessment_id)
        stored = await handlers.on_assessment_asked_for(request.assessment_id, self._parts)
        notices = await handlers.notices_of(stored.assessment, self._parts)
        response = pb.GetAssessmentResponse(
            assessment=stored.assessment,
            notices=notices,
            drifted=handlers.drifted_of(stored.assessment, self._parts),
            assessment_bytes=stored.assessment_bytes,
            review_bytes=stored.review_bytes,
        )
        if stored.review is not None:
            response.decision = stored.review.decision
            response.reviewed.extend(stored.review.statements)
        return response

    async def Review(self, request: pb.ReviewRequest, _: Any) -> pb.ReviewResponse:
        _check_id(request.assessment_id)
        review_id, event_id = await handlers.on_review(request, self._parts)
        return pb.ReviewResponse(review_id=review_id, event_id=event_id)

    async def Replay(self, request: pb.ReplayRequest, _: Any) -> pb.ReplayResponse:
        _check_id(request.assessment_id)
        if self._replaying.locked():
            raise BusyError("a replay runs already; ask again shortly")
        async with self._replaying:
            return await handlers.on_replay(request.assessment_id, self._parts)

    async def Check(self, request: pb.CheckRequest, _: Any) -> pb.CheckResponse:
        _check_patient(request.patient)
        _check_text(request.text)
        if self._checks.locked():
            raise BusyError("too many texts are being checked; ask again shortly")
        async with self._checks:
            return await handlers.on_check(request, self._parts)

    async def CheckStream(
        self, requests: AsyncIterator[pb.CheckStreamRequest], _: Any
    ) -> AsyncIterator[pb.CheckStreamResponse]:
        if self._streams.locked():
            raise BusyError("too many texts are being followed; ask again shortly")
        async with self._streams:
            came = aiter(requests)
            end = asyncio.get_running_loop().time() + STREAM_SECONDS
            first = await _next(came, end) or pb.CheckStreamRequest()
            _check_patient(first.patient)
            async for response in handlers.on_check_stream(first.patient, _texts(first, came, end), self._parts):
                yield response

    async def Advise(self, request: advice_pb2.AdviseRequest, _: Any) -> advice_pb2.AdviseResponse:
        _check_patient(request.patient)
        _check_orders(request.orders)
        if request.purpose not in ("", TREAT):
            raise InvalidInputError(f"purpose must be {TREAT}")
        looks.because(TREAT)
        try:
            await asyncio.wait_for(self._advice.acquire(), TURN_SECONDS)
        except TimeoutError:
            raise BusyError("too many ask for advice; ask again shortly") from None
        try:
            return await handlers.on_advice_asked_for(request, self._parts)
        finally:
            self._advice.release()

    async def ListConcerns(self, request: concern_pb2.ListConcernsRequest, _: Any) -> concern_pb2.ListConcernsResponse:
        if request.HasField("patient"):
            _check_patient(request.patient)
        if request.least not in advice_pb2.Urgency.values():
            raise InvalidInputError("unknown urgency")
        if request.concern_id:
            _check_concern_id(request.concern_id)
        elif request.resolved and not request.HasField("patient"):
            raise InvalidInputError("resolved concerns are listed of a patient")
        if request.page_size > LARGEST_PAGE:
            raise InvalidInputError(f"page_size must be at most {LARGEST_PAGE}")
        return await handlers.on_concerns_asked_for(request, self._parts)

    async def ActOnConcern(self, request: concern_pb2.ActOnConcernRequest, _: Any) -> concern_pb2.ActOnConcernResponse:
        _check_concern_id(request.concern_id)
        return concern_pb2.ActOnConcernResponse(concern=await handlers.on_concern_act(request, self._parts))

    async def ListPrepared(
        self, request: prepared_pb2.ListPreparedRequest, _: Any
    ) -> prepared_pb2.ListPreparedResponse:
        if request.HasField("patient"):
            _check_patient(request.patient)
        if request.most > MOST_PREPARED:
            raise InvalidInputError(f"most must be at most {MOST_PREPARED:,}")
        return await handlers.on_prepared_asked_for(request, self._parts)


def _check(request: pb.AskRequest) -> None:
    if request.form in (wire.FORM_UNSPECIFIED, wire.FORM_ANSWER):
        _check_question(request.question)
        _check_chooser(request)
    else:
        _check_form(request)
    _check_patient(request.patient)
    if len(request.request_id) > MAX_REQUEST_ID:
        raise InvalidInputError(f"request_id has more than {MAX_REQUEST_ID} characters")


def _check_question(question: str) -> None:
    if not question.strip():
        raise InvalidInputError("the question is empty")
    if len(question) > MAX_QUESTION:
        raise InvalidInputError(f"the question has more than {MAX_QUESTION} characters")


def _check_chooser(request: pb.AskRequest) -> None:
    if request.chooser not in pb.Chooser.values():
        raise InvalidInputError("unknown chooser")
    if request.deliberate and request.chooser not in (pb.CHOOSER_UNSPECIFIED, pb.CHOOSER_TEAM):
        raise InvalidInputError("deliberate asks for the team, and chooser for somebody else")


def _check_form(request: pb.AskRequest) -> None:
    """A brief, a summary or a note, which nobody deliberates about."""
    if request.form not in FORMS:
        raise InvalidInputError("unknown form")
    if request.question or request.deliberate or request.chooser:
        raise InvalidInputError("this form takes no question and is not deliberated")
    try:
        title(request.form, request.specialty)
    except UnknownSpecialtyError as error:
        raise InvalidInputError(str(error)) from error


def _check_patient(patient: PatientKey) -> None:
    if not (0 < len(patient.id) <= MAX_IDENTIFIER and 0 < len(patient.authority) <= MAX_IDENTIFIER):
        raise InvalidInputError(f"patient needs id and authority of at most {MAX_IDENTIFIER} characters")


def _check_orders(orders: Sequence[advice_pb2.ProposedOrder]) -> None:
    if len(orders) > MAX_ORDERS:
        raise InvalidInputError(f"more than {MAX_ORDERS} orders")
    if len({each.order_id for each in orders}) < len(orders):
        raise InvalidInputError("each order needs an order_id of its own")
    for order in orders:
        texts = [order.order_id, order.text, *(text for one in order.codings for text in _texts_of(one))]
        if len(order.codings) > MAX_CODINGS or any(len(each) > MAX_ORDER_TEXT for each in texts):
            most = f"at most {MAX_CODINGS} codings, and texts of at most {MAX_ORDER_TEXT} characters"
            raise InvalidInputError(f"an order has {most}")
        if not any(text.strip() for text in (order.text, *(one.code or one.display for one in order.codings))):
            raise InvalidInputError("an order names its drug by a text or a coding")


def _texts_of(concept: CodedConcept) -> tuple[str, str, str]:
    return concept.system, concept.code, concept.display


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidInputError("the text is empty")
    _check_length(len(text))


def _check_length(length: int) -> None:
    if length > MAX_TEXT:
        raise InvalidInputError(f"the text has more than {MAX_TEXT:,} characters")


async def _texts(
    first: pb.CheckStreamRequest, came: AsyncIterator[pb.CheckStreamRequest], end: float
) -> AsyncIterator[str]:
    """The pieces of a text, within the bounds of a whole one."""
    request: pb.CheckStreamRequest | None = first
    length, is_blank = 0, True
    while request is not None:
        if request is not first and request.HasField("patient"):
            raise InvalidInputError("only the first piece of a text names the patient")
        length, is_blank = length + len(request.text), is_blank and not request.text.strip()
        _check_length(length)
        yield request.text
        request = await _next(came, end)
    if is_blank:
        raise InvalidInputError("the text is empty")


async def _next(came: AsyncIterator[pb.CheckStreamRequest], end: float) -> pb.CheckStreamRequest | None:
    """The next piece, None after the last; BusyError when it does not come in time."""
    left = end - asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(min(PIECE_SECONDS, left)):
            return await anext(came, None)
    except TimeoutError:
        raise BusyError("the rest of the text did not come in time; begin again") from None


def _check_id(assessment_id: str) -> None:
    if not is_assessment_id(assessment_id):
        raise NotFoundError("no such assessment")


def _check_concern_id(concern_id: str) -> None:
    try:
        uuid.UUID(concern_id)
    except ValueError:
        raise NotFoundError("no such concern") from None
