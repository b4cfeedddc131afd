"""From a question to a checked assessment: read the record, let rules and model speak, conclude. Nothing is stored."""

import asyncio
from collections.abc import Iterable

from consult import Chooser, Concluded, Identity, Prepared, Record, SignedAssessment, conclude, prepare, prepare_form
from consult.rules import CITED_PASSAGES
from consult.visits import FORMS, passages
from contracts.errors import InvalidInputError, UnavailableError
from harness import NO_MODEL, Consultation, InputsRefusedError, ModelPin
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.reasoning_service_pb2 import (
    CHOOSER_EDITOR,
    CHOOSER_RULES,
    CHOOSER_TEAM,
    AskRequest,
    AskResponse,
    Draft,
    Progress,
)
from longitude.record.v1.context_pb2 import Context, Note
from longitude.record.v1.fact_pb2 import PatientKey

from reasoning.domain.checking import MAX_NOTES_BYTES, unread
from reasoning.flows.driver import Driver, OnProgress, now
from reasoning.flows.parts import Parts
from reasoning.flows.runs import Report
from reasoning.flows.tools import MemoryTools

CHOOSERS = {CHOOSER_RULES: Chooser.RULES, CHOOSER_EDITOR: Chooser.EDITOR, CHOOSER_TEAM: Chooser.TEAM}


async def consult(request: AskRequest, identity: Identity, parts: Parts, report: Report) -> Concluded:
    """UnavailableError when Triton or memory does not answer, or not in time: nothing is half released."""
    try:
        async with asyncio.timeout(parts.seconds):
            return await _consult(request, identity, parts, report)
    except TimeoutError as error:
        raise UnavailableError(f"the assessment took longer than {parts.seconds:g} seconds; ask again") from error


async def _consult(request: AskRequest, identity: Identity, parts: Parts, report: Report) -> Concluded:
    report(AskResponse(progress=Progress(role="memory", action="read")))
    record = await read_record(request, parts)
    # A long record takes a while of computing: other requests go on meanwhile.
    prepared = await asyncio.to_thread(_prepared, request, record, identity, parts)
    for rule in prepared.spoke:
        report(AskResponse(progress=Progress(role="rules", action=rule)))
    pin = await parts.reasoner.pin() if prepared.deliberates else NO_MODEL
    run = _begin(prepared, pin, parts)
    if prepared.deliberates:
        # What the editor may still change is not shown before.
        if prepared.selection is None:
            report(_draft(prepared))
        tools = await asyncio.to_thread(MemoryTools.of, prepared, request.patient, parts.memory)
        await Driver(parts.reasoner, tools, pin, _reporting(report)).drive(run)
    else:
        if request.form in FORMS:
            report(_draft(prepared))
        run.start(at=now())
    report(AskResponse(progress=Progress(role="gate", action="verify")))
    return await asyncio.to_thread(conclude, prepared, run, request.patient, pin, now())


def _prepared(request: AskRequest, record: Record, identity: Identity, parts: Parts) -> Prepared:
    if request.form in FORMS:
        return prepare_form(request.form, request.specialty, record, identity)
    return prepare(request.question, record, parts.budget, identity, chooser=_chooser(request, parts.chooser))


def _chooser(request: AskRequest, default: Chooser) -> Chooser:
    if request.deliberate:
        return Chooser.TEAM
    return CHOOSERS.get(request.chooser, default)


def _draft(prepared: Prepared) -> AskResponse:
    return AskResponse(draft=Draft(statements=prepared.front))


async def read_record(request: AskRequest, parts: Parts) -> Record:
    """Timeline, context, texts and evidence from memory; the last signed assessment from our own store. A form needs no
    context and no texts, but the passages that say what is due.
    """
    asked_at, is_form = now(), request.form in FORMS
    timeline, context, (notes, left_out), cited = await asyncio.gather(
        parts.memory.timeline(request.patient),
        _context(request, parts),
        _notes(request, parts),
        parts.memory.passages({**CITED_PASSAGES, **(passages() if is_form else {})}),
    )
    signed = await last_signed(timeline.identifiers, parts)
    return Record(timeline, context, cited, asked_at, signed, notes, tuple(left_out), parts.knowledge)


async def last_signed(identifiers: Iterable[PatientKey], parts: Parts) -> SignedAssessment | None:
    """The last assessment of a person that a physician signed."""
    reviewed = await parts.store.last_signed(identifiers)
    signed = (SignedAssessment(assessment, at) for assessment, at, review in reviewed if _was_signed(review.decision))
    return next(signed, None)


async def _context(request: AskRequest, parts: Parts) -> Context:
    if request.form in FORMS:
        return Context()
    return await parts.memory.context(request.patient, request.question, parts.budget.context_tokens)


async def _notes(request: AskRequest, parts: Parts) -> tuple[tuple[Note, ...], list[str]]:
    """The texts of documents, which an answer may quote; what was not read."""
    if request.form in FORMS:
        return (), []
    notes, are_all = await parts.memory.texts(request.patient, MAX_NOTES_BYTES)
    return notes, unread(notes, are_all=are_all)


def _begin(prepared: Prepared, pin: ModelPin, parts: Parts) -> Consultation:
    try:
        return prepared.begin(pin, parts.tokenizer)
    except InputsRefusedError as error:
        raise InvalidInputError(str(error)) from error


def _was_signed(decision: "wire.ReviewDecision.ValueType") -> bool:
    return decision in (wire.REVIEW_DECISION_ACCEPTED, wire.REVIEW_DECISION_EDITED)


def _reporting(report: Report) -> OnProgress:
    return lambda one: report(AskResponse(progress=Progress(role=one.role, action=one.action, tokens=one.tokens)))
