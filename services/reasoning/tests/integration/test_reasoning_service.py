"""The service as it runs: real Kafka, PostgreSQL, S3, Triton with the reasoner, and the memory service.

A record is sent to memory as ingestion would send it; questions and reviews go over gRPC.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer
from contracts.identifiers import event_id, patient_partition_key
from contracts.kafka import reaching
from contracts.topics import (
    ASSESSMENT_DRAFTED,
    ASSESSMENT_REVIEWED,
    EPISODE_CLOSED,
    M,
    Topic,
)
from eventbus import Outgoing
from harness import ModelPin, Replay, Tokenizer, parse
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import reasoning_service_pb2 as pb
from longitude.reasoning.v1.advice_pb2 import URGENCY_CONTRAINDICATED, URGENCY_URGENT, AdviseRequest, ProposedOrder
from longitude.reasoning.v1.assessment_pb2 import Assessment, ReviewedStatement
from longitude.reasoning.v1.events_pb2 import AssessmentDrafted, EpisodeClosed
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.fact_pb2 import CodedConcept, PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from native_stack.layout import MODELS
from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import Store
from reasoning.domain import checking
from reasoning.handlers import fingerprint
from servicekit.objects import ObjectStore
from servicekit.postgres import open_pool
from terminology.concepts import RXNORM
from testkit import Line, RunningStack
from testkit.calls import channel
from testkit.signing import sign_review

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

pytestmark = pytest.mark.timeout(600)

QUESTION = "What has changed, and does the medication still fit?"


async def events(
    running: RunningStack, topic: Topic[M], wanted: Callable[[M], bool], *, settle: float = 0.0
) -> list[M]:
    """All events of a topic that are wanted, at least one, and those that come within `settle` seconds more."""
    consumer = AIOKafkaConsumer(
        topic.name, **reaching(running.endpoints["LONGITUDE_KAFKA"]), auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[M] = []
    try:
        async with asyncio.timeout(60):
            while not found:
                found += await _poll(consumer, topic, wanted)
        until = time.monotonic() + settle
        while time.monotonic() < until:
            found += await _poll(consumer, topic, wanted)
    finally:
        await consumer.stop()
    return found


async def _poll(consumer: AIOKafkaConsumer, topic: Topic[M], wanted: Callable[[M], bool]) -> list[M]:
    batches = await consumer.getmany(timeout_ms=500)
    decoded = [topic.payload.FromString(record.value) for batch in batches.values() for record in batch]
    return [event for event in decoded if wanted(event)]


def asking(
    patient: PatientKey,
    question: str = QUESTION,
    *,
    deliberate: bool = True,
) -> pb.AskRequest:
    """A new question, for which the model takes part unless another wish is given."""
    name = f"request-{uuid.uuid4()}"
    return pb.AskRequest(patient=patient, question=question, request_id=name, deliberate=deliberate)


async def ask(stub: ReasoningServiceAsyncStub, request: pb.AskRequest) -> tuple[list[pb.Progress], Assessment]:
    """Progress and the assessment."""
    progress: list[pb.Progress] = []
    async for answer in stub.Ask(request, timeout=300):
        if answer.HasField("assessment"):
            return progress, answer.assessment
        if answer.HasField("progress"):
            progress.append(answer.progress)
    raise AssertionError("the stream ended without an assessment")


async def refused(stub: ReasoningServiceAsyncStub, request: pb.AskRequest) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(stub, request)
    return caught.value.code(), str(caught.value.details())


@pytest.fixture(scope="module")
def answered(running: RunningStack, patient: PatientKey) -> tuple[pb.AskRequest, list[pb.Progress], Assessment]:
    """One question, asked once for the tests that look at its answer."""
    request = asking(patient)

    async def once() -> tuple[list[pb.Progress], Assessment]:
        async with channel(running.endpoints["LONGITUDE_REASONING"]) as opened:
            return await ask(ReasoningServiceStub(opened), request)

    return request, *asyncio.run(once())


async def test_a_question_is_answered_by_rules_and_model_and_every_statement_points_somewhere(
    answered: tuple[pb.AskRequest, list[pb.Progress], Assessment],
) -> None:
    _, progress, assessment = answered
    roles = {each.role for each in progress}
    assert not any(each.startswith("evidence") for each in assessment.degraded)
    assert {"rules", "coordinator", "diagnostician", "verifier", "gate"} <= roles
    assert sum(each.tokens for each in progress) > 10
    released = [statement for statement in assessment.statements if statement.released]
    assert all(statement.citations and statement.claims for statement in released)
    said = {statement.author_name for statement in released if statement.author == wire.AUTHOR_RULE}
    assert {"metformin_and_kidney_function", "nsaid_with_raas_blockade", "open_contradictions"} <= said
    metformin = next(each for each in released if each.author_name == "metformin_and_kidney_function")
    assert "fda-metformin-renal" in {citation.passage_id for citation in metformin.citations}
    assert {statement.author for statement in assessment.statements} == {wire.AUTHOR_RULE, wire.AUTHOR_MODEL}
    written = [statement for statement in assessment.statements if statement.kind == wire.STATEMENT_KIND_PROSE]
    assert len(written) <= 1  # the model may write, and need not
    assert all(prose.verdict == wire.VERDICT_SUPPORTED or not prose.released for prose in written)


async def test_asking_again_with_the_same_id_gives_the_same_assessment_and_no_second_event(
    running: RunningStack,
    reasoning: ReasoningServiceAsyncStub,
    answered: tuple[pb.AskRequest, list[pb.Progress], Assessment],
) -> None:
    request, _, assessment = answered
    assert await ask(reasoning, request) == ([], assessment)
    stored = await reasoning.GetAssessment(pb.GetAssessmentRequest(assessment_id=assessment.assessment_id))
    assert stored.assessment == assessment
    drafted = await events(running, ASSESSMENT_DRAFTED, lambda event: _is(event, assessment), settle=3)
    assert drafted == [AssessmentDrafted(assessment=assessment)]
    closed = await events(
        running, EPISODE_CLOSED, lambda event: event.assessment_id == assessment.assessment_id, settle=3
    )
    assert len(closed) == 1


async def test_the_stored_episode_replays_to_the_same_actions(
    running: RunningStack, answered: tuple[pb.AskRequest, list[pb.Progress], Assessment]
) -> None:
    _, _, assessment = answered
    (closed,) = await events(running, EPISODE_CLOSED, lambda event: event.assessment_id == assessment.assessment_id)
    episode = parse(await _objects(running).get(closed.episode))
    assert (len(episode.steps), episode.episode_id) == (closed.steps, assessment.episode_id)
    tokenizer = Tokenizer.from_json((MODELS / "smollm2" / "tokenizer.json").read_text(encoding="utf-8"))
    replay = Replay(episode, ModelPin(episode.pins.model, episode.pins.model_sha256), tokenizer)
    pending = replay.start()
    while not pending.finished:
        pending = replay.resume(replay.recorded_answers())
    decisions = [step.decision for step in episode.steps if step.decision.by == "gate"]
    assert len(decisions) == len(assessment.statements)
    for said in assessment.statements:
        if said.author == wire.AUTHOR_MODEL and said.kind != wire.STATEMENT_KIND_PROSE:
            assert episode.steps[said.episode_step].turn.role == said.author_name
            assert episode.steps[said.episode_step].turn.action_ids


async def test_the_model_that_serves_takes_the_recorded_actions_again_token_for_token(
    reasoning: ReasoningServiceAsyncStub, answered: tuple[pb.AskRequest, list[pb.Progress], Assessment]
) -> None:
    _, _, assessment = answered
    replayed = await reasoning.Replay(pb.ReplayRequest(assessment_id=assessment.assessment_id))
    assert (replayed.identical, replayed.difference) == (True, "")
    assert replayed.tokens > 10
    assert replayed.max_log_prob_gap < 0.01


async def test_without_the_model_the_rules_answer_and_it_need_not_be_there(
    running: RunningStack, line: Line, reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    line.cut()
    try:
        request = asking(patient, "How is the potassium?", deliberate=False)
        progress, assessment = await ask(reasoning, request)
        replayed = await reasoning.Replay(pb.ReplayRequest(assessment_id=assessment.assessment_id))
    finally:
        line.mend()
    assert {each.role for each in progress} == {"memory", "rules", "gate"}
    assert any(each.front for each in assessment.statements)
    assert {each.author for each in assessment.statements} == {wire.AUTHOR_RULE}
    assert (assessment.model, assessment.inquiry.about[0]) == ("", "potassium")
    assert (replayed.identical, replayed.tokens, replayed.model) == (True, 0, "")
    (closed,) = await events(running, EPISODE_CLOSED, lambda event: event.assessment_id == assessment.assessment_id)
    assert (closed.tokens, closed.steps) == (0, len(assessment.statements) + 2)


async def test_what_stands_in_front_comes_while_the_model_is_still_to_speak(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    heard = [each async for each in reasoning.Ask(asking(patient, "How is the potassium?"), timeout=300)]
    kinds = [each.WhichOneof("content") for each in heard]
    roles = [each.progress.role for each in heard]
    assert kinds.index("draft") < roles.index("coordinator")
    draft, assessment = heard[kinds.index("draft")].draft, heard[-1].assessment
    assert draft.statements
    assert list(draft.statements) == [each for each in assessment.statements if each.front]


async def test_a_replay_of_a_changed_record_names_what_differs(
    running: RunningStack,
    reasoning: ReasoningServiceAsyncStub,
    answered: tuple[pb.AskRequest, list[pb.Progress], Assessment],
) -> None:
    _, _, assessment = answered
    (closed,) = await events(running, EPISODE_CLOSED, lambda event: event.assessment_id == assessment.assessment_id)
    kept = await _objects(running).get(closed.episode)
    altered = kept.replace(QUESTION.encode(), QUESTION.upper().encode())
    await _objects(running).put(closed.episode.key, altered, closed.episode.media_type)
    try:
        replayed = await reasoning.Replay(pb.ReplayRequest(assessment_id=assessment.assessment_id))
    finally:
        await _objects(running).put(closed.episode.key, kept, closed.episode.media_type)
    assert (replayed.identical, replayed.difference) == (False, "stored episode")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"question": "   "}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"question": "x" * 2001}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"patient": PatientKey(id="", authority="NORTHWEST")}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"patient": PatientKey(id="nobody", authority="NORTHWEST")}, grpc.StatusCode.NOT_FOUND),
        ({"request_id": "x" * 201}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"form": wire.FORM_BRIEF}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"form": wire.FORM_NOTE, "question": "", "deliberate": True}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"form": wire.FORM_SUMMARY, "question": "", "specialty": "astrology"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"form": 99, "question": ""}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_a_bad_question_has_a_clear_answer(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey, changed: dict[str, object], code: grpc.StatusCode
) -> None:
    fields: dict[str, object] = {"patient": patient, "question": QUESTION}
    status, text = await refused(reasoning, pb.AskRequest(**(fields | changed)))  # type: ignore[arg-type]
    assert status == code
    assert text
    assert patient.id not in text


async def test_a_note_is_written_through_the_gate_and_its_blanks_are_filled_in_by_the_review(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    request = pb.AskRequest(patient=patient, form=wire.FORM_NOTE, request_id=f"request-{uuid.uuid4()}")
    heard = [each async for each in reasoning.Ask(request, timeout=300)]
    note, drafts = heard[-1].assessment, [each.draft for each in heard if each.HasField("draft")]
    assert (note.form, note.question, note.model) == (wire.FORM_NOTE, "Note", "")
    assert not note.degraded
    released = [each for each in note.statements if each.released and each.kind != wire.STATEMENT_KIND_BLANK]
    assert {each.verdict for each in released if each.front} == {wire.VERDICT_SUPPORTED}
    assert all(each.citations for each in released)
    assert [each.text for each in drafts[0].statements] == [each.text for each in note.statements if each.front]
    blank = next(each for each in note.statements if each.kind == wire.STATEMENT_KIND_BLANK)
    words = f"{blank.text} tired for two weeks."
    filled_in = ReviewedStatement(statement_id=blank.statement_id, decision=wire.REVIEW_DECISION_EDITED, text=words)
    edited = wire.REVIEW_DECISION_EDITED
    review = pb.ReviewRequest(
        assessment_id=note.assessment_id, reviewer="dr.example", decision=edited, statements=[filled_in]
    )
    await reasoning.Review(await sign_review(reasoning, review))
    kept = await reasoning.GetAssessment(pb.GetAssessmentRequest(assessment_id=note.assessment_id))
    filled = next(each for each in kept.reviewed if each.statement_id == blank.statement_id)
    assert (filled.original, filled.text) == (blank.text, words)
    replayed = await reasoning.Replay(pb.ReplayRequest(assessment_id=note.assessment_id))
    assert replayed.identical


async def test_a_request_id_answers_one_question_only(
    reasoning: ReasoningServiceAsyncStub, answered: tuple[pb.AskRequest, list[pb.Progress], Assessment]
) -> None:
    request = pb.AskRequest()
    request.CopyFrom(answered[0])
    request.question = "Another question?"
    assert (await refused(reasoning, request))[0] == grpc.StatusCode.FAILED_PRECONDITION


async def test_a_review_is_an_event_once_and_the_next_assessment_starts_from_it(
    running: RunningStack,
    reasoning: ReasoningServiceAsyncStub,
    answered: tuple[pb.AskRequest, list[pb.Progress], Assessment],
) -> None:
    assessment = answered[2]
    drafted = next(each for each in assessment.statements if each.released)
    edit = ReviewedStatement(statement_id=drafted.statement_id, decision=wire.REVIEW_DECISION_EDITED)
    edit.text = f"{drafted.text} Takes metformin 850 mg twice daily."
    review = pb.ReviewRequest(
        assessment_id=assessment.assessment_id,
        reviewer="NWD17",
        decision=wire.REVIEW_DECISION_EDITED,
        statements=[edit],
    )
    wrong = pb.ReviewRequest()
    wrong.CopyFrom(review)
    wrong.statements.append(ReviewedStatement(statement_id="elsewhere", decision=wire.REVIEW_DECISION_REJECTED))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reasoning.Review(wrong)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    response = await reasoning.Review(await sign_review(reasoning, review))
    (event,) = await events(
        running, ASSESSMENT_REVIEWED, lambda event: event.assessment_id == assessment.assessment_id, settle=2
    )
    assert (event.review_id, event.reviewer) == (response.review_id, "NWD17")
    edited, *accepted = sorted(event.statements, key=lambda each: each.statement_id != drafted.statement_id)
    assert {each.decision for each in accepted} == {wire.REVIEW_DECISION_ACCEPTED}
    assert (edited.original, edited.text) == (drafted.text, edit.text)
    assert [span.judgement for span in edited.spans] == [wire.JUDGEMENT_KEPT, wire.JUDGEMENT_ADDED]
    assert edited.verdict == wire.VERDICT_CONTRADICTED, "noted, not blocked"
    assert _steps(assessment) == {each.statement_id: each.episode_step for each in event.statements}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reasoning.Review(review)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    stored = await reasoning.GetAssessment(pb.GetAssessmentRequest(assessment_id=assessment.assessment_id))
    assert stored.decision == wire.REVIEW_DECISION_EDITED
    assert stored.reviewed == event.statements


def _steps(assessment: Assessment) -> dict[str, int]:
    return {each.statement_id: each.episode_step for each in assessment.statements if each.released}


async def test_what_is_unknown_is_not_found(reasoning: ReasoningServiceAsyncStub) -> None:
    for name in ("", "no-id", str(uuid.uuid4())):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await reasoning.GetAssessment(pb.GetAssessmentRequest(assessment_id=name))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await reasoning.Review(pb.ReviewRequest(assessment_id=name, reviewer="x"))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


LABEL = "Starting it is not recommended when eGFR is between 30 and 45."
LETTER = (
    "# Plan\r\n\r\n1. Takes lisinopril 20 mg daily.\r\n2. Takes metformin 850 mg twice daily. 😀 Prognosis is poor."
)


async def test_a_foreign_text_is_checked_against_the_record_and_nothing_is_stored(
    running: RunningStack, reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    before = await asyncio.to_thread(_count, running)
    checked = await reasoning.Check(pb.CheckRequest(patient=patient, text=LETTER))
    assert [(LETTER[span.start : span.end], span.verdict) for span in checked.spans] == [
        ("Plan", wire.VERDICT_NO_CLAIM),
        ("Takes lisinopril 20 mg daily.", wire.VERDICT_SUPPORTED),
        ("Takes metformin 850 mg twice daily.", wire.VERDICT_CONTRADICTED),
        ("😀 Prognosis is poor.", wire.VERDICT_UNSUPPORTED),
    ]
    assert checked.spans[1].citations[0].source.control_id
    assert "the record has 1000 mg" in checked.spans[2].reason
    quoted = await reasoning.Check(pb.CheckRequest(patient=patient, text=f"The label says “{LABEL}”."))
    assert "fda-metformin-renal" in {each.passage_id for span in quoted.spans for each in span.citations}
    assert await asyncio.to_thread(_count, running) == before


async def followed(
    reasoning: ReasoningServiceAsyncStub, requests: Iterable[pb.CheckStreamRequest]
) -> tuple[list[pb.CheckedSpan], pb.CheckSummary]:
    """The spans of a text that came so, and the summary, which is the last."""
    responses = [response async for response in reasoning.CheckStream(iter(requests))]
    assert [response.HasField("summary") for response in responses] == [False] * (len(responses) - 1) + [True]
    return [response.span for response in responses[:-1]], responses[-1].summary


async def test_a_text_that_comes_bit_by_bit_has_the_verdicts_of_the_whole(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    text = f"{LETTER}\n\nThe label says “{LABEL}”. Takes lisinopril 20 mg daily."
    whole = await reasoning.Check(pb.CheckRequest(patient=patient, text=text))
    for size in (1, 7, len(text)):
        pieces = [pb.CheckStreamRequest(text=text[at : at + size]) for at in range(0, len(text), size)]
        spans, summary = await followed(reasoning, [pb.CheckStreamRequest(patient=patient), *pieces])
        assert spans == list(whole.spans)
        assert (summary.verdict, summary.supported, summary.contradicted, summary.unsupported, summary.no_claim) == (
            whole.verdict, whole.supported, whole.contradicted, whole.unsupported, whole.no_claim
        )  # fmt: skip


async def test_a_verdict_comes_while_the_text_is_still_being_written(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    was_read = asyncio.Event()

    async def written() -> AsyncIterator[pb.CheckStreamRequest]:
        yield pb.CheckStreamRequest(patient=patient, text="Takes metformin 850 mg twice daily. Pro")
        await was_read.wait()
        yield pb.CheckStreamRequest(text="gnosis is poor")

    responses = aiter(reasoning.CheckStream(written()))
    first = await anext(responses)
    assert (first.span.end, first.span.verdict) == (35, wire.VERDICT_CONTRADICTED)
    was_read.set()
    assert [each.span.verdict async for each in responses] == [wire.VERDICT_UNSUPPORTED, wire.VERDICT_UNSPECIFIED]


async def test_the_command_prints_verdicts_while_the_text_is_still_being_written(
    running: RunningStack, patient: PatientKey
) -> None:
    whose = f"{patient.id}@{patient.authority}"
    command = [sys.executable, "-m", "client", "check", "--follow", "--json", "--patient", whose]
    environment = os.environ | running.endpoints
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment)
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"# Plan\nTakes lisinopril 20 mg daily. T")
    heading, line = json.loads(await process.stdout.readline()), json.loads(await process.stdout.readline())
    assert (heading["verdict"], line["verdict"], line["sections"]) == ("no_claim", "supported", ["Plan"])
    process.stdin.write(b"akes metformin 850 mg twice daily.")
    process.stdin.close()
    rest = [json.loads(each) async for each in process.stdout]
    assert [each["verdict"] for each in rest] == ["contradicted", "contradicted"]
    assert await process.wait() == 1


@pytest.mark.parametrize(
    ("texts", "again"),
    [
        ([], None),
        ([" ", "\r\n"], None),
        (["x" * 60_000, "x" * 40_001], None),
        (["a. " * 1_000, "a. " * 1_001], None),
        (["Rest. ", "Rest."], PatientKey(id="another", authority="NORTHWEST")),
    ],
)
async def test_a_stream_that_cannot_be_checked_ends_with_a_clear_answer(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey, texts: list[str], again: PatientKey | None
) -> None:
    pieces = [pb.CheckStreamRequest(patient=again, text=text) for text in texts]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await followed(reasoning, [pb.CheckStreamRequest(patient=patient), *pieces])
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert patient.id not in str(caught.value.details())


async def test_a_stream_names_a_patient_who_is_known(reasoning: ReasoningServiceAsyncStub) -> None:
    nobody = PatientKey(id="nobody", authority="NORTHWEST")
    expected = {None: grpc.StatusCode.INVALID_ARGUMENT, nobody.id: grpc.StatusCode.NOT_FOUND}
    for name, code in expected.items():
        request = pb.CheckStreamRequest(patient=nobody if name else None, text="Rest.")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await followed(reasoning, [request])
        assert caught.value.code() == code
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await followed(reasoning, [])
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_check_reads_the_texts_of_letters_within_its_bound_and_says_what_it_left_out(
    running: RunningStack, reasoning: ReasoningServiceAsyncStub, tell_letters: Callable[..., Awaitable[None]]
) -> None:
    few, many = (PatientKey(id=f"NW-{uuid.uuid4().hex[:8]}", authority="NORTHWEST") for _ in range(2))
    await tell_letters(running, few, {"2024-01-01": "Her mother had breast cancer."})
    # Blanks fill the bound and are nothing to the index.
    long = {f"2024-0{n}-01": f"Letter {n}." + " " * (checking.MAX_NOTES_BYTES // 3) for n in range(1, 5)}
    await tell_letters(running, many, long)
    async with channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:
        notes, are_all = await Memory(opened).texts(many, checking.MAX_NOTES_BYTES)
    assert ([note.text[:9] for note in notes], are_all) == (["Letter 4.", "Letter 3."], False)
    for patient, missing in ((few, []), (many, checking.unread(notes, are_all=False))):
        checked = await reasoning.Check(pb.CheckRequest(patient=patient, text="Takes lisinopril."))
        assert list(checked.degraded) == missing


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"text": " \r\n"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"text": "x" * 100_001}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"text": "a. " * 2_001}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"patient": PatientKey(id="", authority="NORTHWEST")}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"patient": PatientKey(id="nobody", authority="NORTHWEST")}, grpc.StatusCode.NOT_FOUND),
    ],
)
async def test_a_text_that_cannot_be_checked_has_a_clear_answer(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey, changed: dict[str, object], code: grpc.StatusCode
) -> None:
    fields: dict[str, object] = {"patient": patient, "text": LETTER}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reasoning.Check(pb.CheckRequest(**(fields | changed)))  # type: ignore[arg-type]
    assert caught.value.code() == code
    assert caught.value.details()
    assert patient.id not in str(caught.value.details())


async def test_advice_says_what_speaks_against_proposed_orders_and_stores_nothing(
    running: RunningStack, reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    before = await asyncio.to_thread(_count, running)
    orders = [
        ProposedOrder(order_id="1", text="Amoxicillin 500 mg"),
        ProposedOrder(order_id="2", codings=[CodedConcept(system=RXNORM, code="5640")]),
        ProposedOrder(order_id="3", text="Foozumab"),
    ]
    advice = await reasoning.Advise(AdviseRequest(patient=patient, orders=orders, purpose="TREAT"))
    assert [list(each.drugs) for each in advice.orders] == [["amoxicillin"], ["ibuprofen"], []]
    allergy, *others = advice.findings
    assert (allergy.statement.author_name, allergy.urgency) == ("drug_of_an_allergic_class", URGENCY_CONTRAINDICATED)
    assert allergy.order_ids == ["1"]
    assert allergy.statement.citations[0].source.control_id
    kidneys = next(each for each in others if each.statement.row == "organs/nsaid-kidney-severe@1")
    assert (*kidneys.order_ids, kidneys.urgency) == ("2", URGENCY_URGENT)
    assert kidneys.source.section
    assert kidneys.words == "NSAIDs are avoided at a GFR below 30 mL/min/1.73 m2."
    assert all(each.statement.released and each.statement.verdict == wire.VERDICT_SUPPORTED for each in advice.findings)
    assert await asyncio.to_thread(_count, running) == before


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"patient": PatientKey(id="nobody", authority="NORTHWEST")}, grpc.StatusCode.NOT_FOUND),
        ({"patient": PatientKey(id="", authority="NORTHWEST")}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"purpose": "HMARKT"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"orders": [ProposedOrder(order_id="1", text=" ")]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"orders": [ProposedOrder(order_id="1", text="x" * 501)]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"orders": [ProposedOrder(order_id="1", text="a"), ProposedOrder(order_id="1", text="b")]},
         grpc.StatusCode.INVALID_ARGUMENT),
        ({"orders": [ProposedOrder(order_id=str(n), text="a") for n in range(51)]}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)  # fmt: skip
async def test_a_request_for_advice_that_cannot_be_answered_has_a_clear_answer(
    reasoning: ReasoningServiceAsyncStub, patient: PatientKey, changed: dict[str, Any], code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reasoning.Advise(AdviseRequest(**({"patient": patient} | changed)))
    assert caught.value.code() == code
    assert caught.value.details()


async def test_a_kill_in_the_middle_leaves_nothing_and_asking_again_leaves_one(
    running: RunningStack, reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    request = asking(patient)
    assert await _disturbed_while_asking(reasoning, request, partial(running.kill, "reasoning")) is not None
    await asyncio.to_thread(running.start, "reasoning")
    assert await asyncio.to_thread(_count, running, event_id("assessment", request.request_id)) == 0
    _, assessment = await ask(reasoning, request)
    drafted = await events(running, ASSESSMENT_DRAFTED, lambda event: _is(event, assessment), settle=3)
    assert drafted == [AssessmentDrafted(assessment=assessment)]


async def test_what_a_killed_process_had_stored_is_published_by_the_next(
    running: RunningStack, patient: PatientKey
) -> None:
    await asyncio.to_thread(running.kill, "reasoning")
    name = f"stored-{uuid.uuid4()}"
    assessment = Assessment(
        assessment_id=event_id("assessment", name), episode_id=event_id("episode", name), patient=patient
    )
    assessment.drafted_at.FromDatetime(datetime.now(UTC))
    key, at = patient_partition_key(patient), datetime.now(UTC)
    outgoing = [
        Outgoing(ASSESSMENT_DRAFTED, event_id("drafted", name), key, AssessmentDrafted(assessment=assessment), at),
        Outgoing(
            EPISODE_CLOSED, event_id("closed", name), key, EpisodeClosed(assessment_id=assessment.assessment_id), at
        ),
    ]
    async with open_pool(running.endpoints["LONGITUDE_POSTGRES_REASONING_SERVICE"], "reasoning") as pool:
        await Store(pool).keep(assessment, fingerprint(asking(patient)), ObjectRef(key="k"), outgoing)
    await asyncio.to_thread(running.start, "reasoning")
    assert len(await events(running, ASSESSMENT_DRAFTED, lambda event: _is(event, assessment), settle=3)) == 1
    assert await events(running, EPISODE_CLOSED, lambda event: event.assessment_id == assessment.assessment_id)


# How each is lost and comes back. Triton is every test's: its line is cut.
LOSSES: dict[str, Callable[[RunningStack, Line], tuple[Callable[[], None], Callable[[], None]]]] = {
    "triton": lambda _, line: (line.cut, line.mend),
    "memory": lambda running, _: (partial(running.kill, "memory"), partial(running.start, "memory")),
}


@pytest.mark.parametrize("gone", LOSSES)
async def test_without_model_or_memory_the_question_is_refused_in_time_and_can_be_asked_again(
    running: RunningStack, line: Line, reasoning: ReasoningServiceAsyncStub, patient: PatientKey, gone: str
) -> None:
    request = asking(patient)
    lose, mend = LOSSES[gone](running, line)
    await asyncio.to_thread(lose)
    began = time.monotonic()
    status, text = await refused(reasoning, request)
    assert (status, "ask again" in text) == (grpc.StatusCode.UNAVAILABLE, True)
    assert time.monotonic() - began < 30
    assert await asyncio.to_thread(_count, running, event_id("assessment", request.request_id)) == 0
    await asyncio.to_thread(mend)
    assert (await _answered_at_last(reasoning, request)).statements


async def test_a_model_that_goes_away_in_the_middle_releases_nothing(
    running: RunningStack, line: Line, reasoning: ReasoningServiceAsyncStub, patient: PatientKey
) -> None:
    request = asking(patient)
    status = await _disturbed_while_asking(reasoning, request, line.cut)
    line.mend()
    assert status == grpc.StatusCode.UNAVAILABLE
    assert await asyncio.to_thread(_count, running, event_id("assessment", request.request_id)) == 0


async def test_nothing_about_the_patient_is_in_the_logs(running: RunningStack, patient: PatientKey) -> None:
    written = running.logs("reasoning")
    assert "ready" in written
    for secret in (patient.id, "19570418", "metformin", "Penicillin", "1.95", QUESTION[:20]):
        assert secret not in written


async def _disturbed_while_asking(
    stub: ReasoningServiceAsyncStub, request: pb.AskRequest, disturb: Callable[[], None]
) -> grpc.StatusCode | None:
    """How the question ended when it was disturbed after the coordinator had begun."""
    disturbed = False
    try:
        async for answer in stub.Ask(request, timeout=300):
            assert not answer.HasField("assessment")
            if answer.progress.role == "coordinator" and not disturbed:
                disturbed = True
                await asyncio.to_thread(disturb)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def _answered_at_last(stub: ReasoningServiceAsyncStub, request: pb.AskRequest) -> Assessment:
    """Asks again for as long as the answer is UNAVAILABLE: connections need a while to notice a restart."""
    async with asyncio.timeout(240):
        while True:
            try:
                return (await ask(stub, request))[1]
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
            await asyncio.sleep(1)


def _is(event: AssessmentDrafted, assessment: Assessment) -> bool:
    return event.assessment.assessment_id == assessment.assessment_id


def _count(running: RunningStack, assessment_id: str = "") -> int:
    """How many assessments with this id are stored, or how many at all."""
    with psycopg.connect(running.endpoints["LONGITUDE_POSTGRES_REASONING"]) as connection:
        asked = "SELECT count(*) FROM reasoning.assessment WHERE %s IN (assessment_id::text, '')"
        row = connection.execute(asked, (assessment_id,)).fetchone()
    assert row is not None
    return int(row[0])


def _objects(running: RunningStack) -> ObjectStore:
    lines = running.endpoints
    keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
    return ObjectStore(lines["LONGITUDE_OBJECTS"], *keys, "reasoning-episodes")
