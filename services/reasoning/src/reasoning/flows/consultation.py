"""From a question to a checked assessment: read the record, let rules and model speak, conclude. Nothing is stored."""

import asyncio

from consult import Concluded, Identity, Prepared, Record, SignedAssessment, conclude, prepare
from consult.rules import CITED_PASSAGES
from contracts.errors import InvalidInputError, UnavailableError
from harness import Consultation, InputsRefusedError, ModelPin
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.reasoning_service_pb2 import AskRequest, Progress

from reasoning.flows.driver import Driver, OnProgress, now
from reasoning.flows.parts import Parts
from reasoning.flows.runs import Report
from reasoning.flows.tools import MemoryTools


async def consult(request: AskRequest, identity: Identity, parts: Parts, report: Report) -> Concluded:
    """UnavailableError when Triton or memory does not answer, or not in time: nothing is half released."""
    try:
        async with asyncio.timeout(parts.seconds):
            return await _consult(request, identity, parts, report)
    except TimeoutError as error:
        raise UnavailableError(f"the assessment took longer than {parts.seconds:g} seconds; ask again") from error


async def _consult(request: AskRequest, identity: Identity, parts: Parts, report: Report) -> Concluded:
    pin = await parts.reasoner.pin()
    report(Progress(role="memory", action="read"))
    record = await read_record(request, parts)
    prepared = prepare(request.question, record, parts.budget, identity)
    for rule in prepared.spoke:
        report(Progress(role="rules", action=rule))
    run = _begin(prepared, pin, parts)
    tools = MemoryTools.of(record, request.patient, parts.memory)
    await Driver(parts.reasoner, tools, pin, _reporting(report)).drive(run)
    report(Progress(role="gate", action="verify"))
    return conclude(prepared, run, request.patient, pin, now())


async def read_record(request: AskRequest, parts: Parts) -> Record:
    """Timeline, context and evidence from memory; the last signed assessment from our own store."""
    asked_at = now()
    timeline = await parts.memory.timeline(request.patient)
    context, passages, reviewed = await asyncio.gather(
        parts.memory.context(request.patient, request.question, parts.budget.context_tokens),
        parts.memory.passages(CITED_PASSAGES),
        parts.store.last_signed(timeline.identifiers),
    )
    signed = (SignedAssessment(assessment, at) for assessment, at, review in reviewed if _was_signed(review.decision))
    return Record(timeline, context, passages, asked_at, next(signed, None))


def _begin(prepared: Prepared, pin: ModelPin, parts: Parts) -> Consultation:
    try:
        return prepared.begin(pin, parts.tokenizer)
    except InputsRefusedError as error:
        raise InvalidInputError(str(error)) from error


def _was_signed(decision: "wire.ReviewDecision.ValueType") -> bool:
    return decision in (wire.REVIEW_DECISION_ACCEPTED, wire.REVIEW_DECISION_EDITED)


def _reporting(report: Report) -> OnProgress:
    return lambda progress: report(Progress(role=progress.role, action=progress.action, tokens=progress.tokens))
