"""Triton slow, gone or wrong, memory slow or gone: a clear error, and nothing half released.

The service runs in this process on the real Kafka, PostgreSQL, S3, memory and Triton. Between it and the last two
stands the fault proxy, or a relay that passes Triton's own answers on and falsifies one thing in them.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.kafka import reaching
from contracts.topics import ASSESSMENT_DRAFTED, EPISODE_CLOSED
from harness import Tokenizer
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import reasoning_service_pb2 as pb
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from native_stack.layout import MODELS
from reasoning import rpc
from reasoning.adapters import memory as memory_adapter
from reasoning.adapters.postgres import Store
from reasoning.app import app
from reasoning.settings import Settings
from servicekit import Process
from servicekit.postgres import open_pool
from testkit import FaultProxy, RunningStack
from testkit.calls import channel, tls
from testkit.signing import sign_review
from tritonclient.grpc import service_pb2_grpc

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

pytestmark = pytest.mark.timeout(300)

TOKENIZER = MODELS / "smollm2" / "tokenizer.json"
QUESTION = "What has changed, and does the medication still fit?"
UNAVAILABLE, BUSY = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED
Change = Callable[["Tensors"], None]


@dataclass(frozen=True)
class Tensors:
    """The tensors of one message of Triton's protocol, by name."""

    described: Any
    raw: Any

    def get(self, name: str, kind: type[Any]) -> np.ndarray[Any, Any]:
        return np.frombuffer(self.raw[self._place(name)], kind)

    def put(self, name: str, values: np.ndarray[Any, Any]) -> None:
        self.raw[self._place(name)] = values.tobytes()
        self.described[self._place(name)].shape[:] = values.shape

    def put_text(self, name: str, text: str) -> None:
        self.raw[self._place(name)] = struct.pack("<I", len(text)) + text.encode()

    def text(self, name: str) -> str:
        return bytes(self.raw[self._place(name)])[4:].decode()

    def _place(self, name: str) -> int:
        return [each.name for each in self.described].index(name)


def nothing(_: Tensors) -> None:
    """The truth."""


class Relay(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc] # no stubs
    """Passes everything on to the real Triton; falsifies requests or answers of an episode, not the first probe."""

    def __init__(self, upstream: grpc.aio.Channel, asked: Change, answered: Change) -> None:
        self._triton = service_pb2_grpc.GRPCInferenceServiceStub(upstream)
        self._asked, self._answered = asked, answered

    async def ModelReady(self, request: Any, _: Any) -> Any:  # noqa: N802 - the protocol's name
        return await self._triton.ModelReady(request)

    async def ModelStreamInfer(self, requests: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:  # noqa: N802
        of_episode = False

        async def passed_on() -> AsyncIterator[Any]:
            nonlocal of_episode
            async for request in requests:
                tensors = Tensors(request.inputs, request.raw_input_contents)
                of_episode = bool(tensors.text("GRAMMAR"))
                if of_episode:
                    self._asked(tensors)
                yield request

        async for answer in self._triton.ModelStreamInfer(passed_on()):
            response = answer.infer_response
            if of_episode and len(response.outputs):
                self._answered(Tensors(response.outputs, response.raw_output_contents))
            yield answer


@asynccontextmanager
async def relay(running: RunningStack, asked: Change = nothing, answered: Change = nothing) -> AsyncIterator[str]:
    server = grpc.aio.server()
    async with grpc.aio.secure_channel(running.endpoints["LONGITUDE_TRITON"], tls().client()) as upstream:
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Relay(upstream, asked, answered), server)
        port = server.add_secure_port("127.0.0.1:0", tls().server())
        await server.start()
        yield f"127.0.0.1:{port}"
        await server.stop(0)


@asynccontextmanager
async def service(running: RunningStack, **changed: Any) -> AsyncIterator[ReasoningServiceAsyncStub]:
    """The whole service in this process, with other endpoints or bounds."""
    lines = running.endpoints
    settings: dict[str, Any] = {
        "kafka": lines["LONGITUDE_KAFKA"],
        "postgres": lines["LONGITUDE_POSTGRES_REASONING_SERVICE"],
        "objects": lines["LONGITUDE_OBJECTS"],
        "objects_access_key": lines["LONGITUDE_OBJECTS_ACCESS_KEY"],
        "objects_secret_key": lines["LONGITUDE_OBJECTS_SECRET_KEY"],
        "memory": lines["LONGITUDE_MEMORY"],
        "triton": lines["LONGITUDE_TRITON"],
        "tokenizer": TOKENIZER,
        "prose": False,
        "grpc_listen": f"127.0.0.1:{free_port()}",
        "http_listen": "127.0.0.1:0",
    }
    process = Process(1.0)
    made = Settings(**(settings | changed))
    async with app(made, process), channel(made.grpc_listen) as opened:
        yield ReasoningServiceStub(opened)
        await process.stop_tasks()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def left(running: RunningStack) -> tuple[int, int]:
    """How many assessments are stored, and how many of their events published."""
    dsn = running.endpoints["LONGITUDE_POSTGRES_REASONING"]
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        row = await (await connection.execute("SELECT count(*) FROM reasoning.assessment")).fetchone()
    consumer = AIOKafkaConsumer(**reaching(running.endpoints["LONGITUDE_KAFKA"]))
    await consumer.start()
    try:
        topics = (ASSESSMENT_DRAFTED.name, EPISODE_CLOSED.name)
        await consumer.topics()
        partitions = [TopicPartition(each, n) for each in topics for n in consumer.partitions_for_topic(each) or ()]
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    assert row is not None
    return int(row[0]), sum(ends.values())


async def ask(
    stub: ReasoningServiceAsyncStub,
    patient: PatientKey,
    on: str = "",
    then: Callable[[], None] | None = None,
) -> Assessment:
    """The assessment; `then` is done once, when the progress of that role is seen."""
    request = pb.AskRequest(patient=patient, question=QUESTION, deliberate=True)
    async for answer in stub.Ask(request, timeout=60):
        if answer.HasField("assessment"):
            return answer.assessment
        if then is not None and answer.progress.role == on:
            then()
            then = None
    raise AssertionError("the stream ended without an assessment")


async def refused(running: RunningStack, asking: Awaitable[object], code: grpc.StatusCode = UNAVAILABLE) -> str:
    """What the question was told when it was refused and left nothing behind."""
    before = await left(running)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asking
    assert caught.value.code() == code
    assert await left(running) == before
    return str(caught.value.details())


def another_model(answer: Tensors) -> None:
    if answer.text("MODEL_SHA256"):
        answer.put_text("MODEL_SHA256", "0" * 64)


def too_few_log_probs(answer: Tensors) -> None:
    answer.put("LOG_PROBS", answer.get("LOG_PROBS", np.float32)[:-1])


def no_numbers(answer: Tensors) -> None:
    answer.put("LOG_PROBS", answer.get("LOG_PROBS", np.float32) * np.float32("nan"))


def no_ids(answer: Tensors) -> None:
    answer.put("OUTPUT_IDS", -1 - answer.get("OUTPUT_IDS", np.int32))


def too_many_tokens(answer: Tensors) -> None:
    for name, kind in (("OUTPUT_IDS", np.int32), ("LOG_PROBS", np.float32), ("ALLOWED_MASS", np.float32)):
        answer.put(name, np.tile(answer.get(name, kind), 2_000))
    answer.put("FORCED", np.tile(answer.get("FORCED", np.bool_), 2_000))


def no_end(answer: Tensors) -> None:
    answer.put_text("FINISH_REASON", "")


@pytest.mark.parametrize(
    ("falsified", "message"),
    [
        (another_model, "replaced during the episode"),
        (too_few_log_probs, "malformed"),
        (no_numbers, "malformed"),
        (no_ids, "malformed"),
        (too_many_tokens, "malformed"),
        (no_end, "ended early"),
    ],
)
async def test_a_wrong_answer_of_the_model_ends_the_question_and_nothing_is_released(
    running: RunningStack, patient: PatientKey, falsified: Change, message: str
) -> None:
    async with relay(running, answered=falsified) as triton, service(running, triton=triton) as stub:
        text = await refused(running, ask(stub, patient))
    assert message in text
    assert "ask again" in text


def other_words(answer: Tensors) -> None:
    """Tokens that exist and that the grammar does not allow."""
    answer.put("OUTPUT_IDS", answer.get("OUTPUT_IDS", np.int32) * 0 + 4093)


def unknown_tokens(answer: Tensors) -> None:
    answer.put("OUTPUT_IDS", answer.get("OUTPUT_IDS", np.int32) * 0 + 1_000_000)


def without_a_way_out(request: Tensors) -> None:
    request.put_text("GRAMMAR", 'root ::= "a" root')


def too_long(request: Tensors) -> None:
    request.put("INPUT_IDS", np.full(5_000, 17, np.int32))


@pytest.mark.parametrize(
    ("asked", "answered", "message"),
    [
        (nothing, other_words, "too many refused actions"),
        (nothing, unknown_tokens, "refused"),
        (without_a_way_out, nothing, "the model refused the request"),
        (too_long, nothing, "the model refused the request"),
    ],
    ids=["garbage", "unknown tokens", "a grammar without a way out", "a context too long"],
)
async def test_what_the_model_cannot_do_is_said_and_the_rules_still_speak(
    running: RunningStack, patient: PatientKey, asked: Change, answered: Change, message: str
) -> None:
    async with relay(running, asked, answered) as triton, service(running, triton=triton) as stub:
        assessment = await ask(stub, patient)
    assert {each.author for each in assessment.statements} == {wire.AUTHOR_RULE}
    assert any(each.released for each in assessment.statements)
    spoken = [line for line in assessment.degraded if line.startswith("diagnostician")]
    assert any(message in line for line in spoken), assessment.degraded


async def test_a_model_that_stops_in_the_middle_is_not_waited_for(running: RunningStack, patient: PatientKey) -> None:
    async with (
        FaultProxy(running.endpoints["LONGITUDE_TRITON"]) as proxy,
        service(running, triton=proxy.endpoint, generation_seconds=1.0) as stub,
    ):
        assert "stopped answering" in await refused(running, ask(stub, patient, "coordinator", proxy.stall))


async def test_a_question_that_takes_too_long_is_given_up_whole(running: RunningStack, patient: PatientKey) -> None:
    async with service(running, episode_seconds=0.5) as stub:
        assert "longer than 0.5 seconds" in await refused(running, ask(stub, patient))


async def test_a_memory_that_stalls_or_goes_while_it_is_read_ends_the_question_and_the_check(
    running: RunningStack, patient: PatientKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_adapter, "DEADLINE", 1.0)
    async with (
        FaultProxy(running.endpoints["LONGITUDE_MEMORY"]) as proxy,
        service(running, memory=proxy.endpoint) as stub,
    ):
        check = pb.CheckRequest(patient=patient, text="Takes metformin 1000 mg twice daily.")
        assert (await stub.Check(check)).supported == 1
        proxy.stall()
        assert "memory does not answer" in await refused(running, ask(stub, patient))
        assert "memory does not answer" in await refused(running, stub.Check(check))
        stream = stub.CheckStream(iter([pb.CheckStreamRequest(patient=patient, text="Rest.")]))
        assert "memory does not answer" in await refused(running, drained(stream))
        proxy.forward()
        await proxy.refuse()
        assert "memory does not answer" in await refused(running, ask(stub, patient))
        assert "memory does not answer" in await refused(running, stub.Check(check))


def only_searches(request: Tensors) -> None:
    """Of the actions that exist, a search in memory where there is one, else the last: to finish."""
    actions = request.text("GRAMMAR").removeprefix("root ::= ").strip().split(" | ")
    tokenizer = Tokenizer.from_json(TOKENIZER.read_text(encoding="utf-8"))
    spelled = {each: tokenizer.decode(map(int, re.findall(r"Token\((\d+)\)", each))) for each in actions}
    searches = [each for each, text in spelled.items() if text.startswith("look search")]
    request.put_text("GRAMMAR", f"root ::= {' | '.join(searches or [actions[-1]])}\n")


async def test_a_memory_that_goes_in_the_middle_of_an_episode_is_named_in_the_answer(
    running: RunningStack, patient: PatientKey
) -> None:
    def cut_off() -> None:
        tasks.append(asyncio.create_task(proxy.refuse()))

    tasks: list[asyncio.Task[None]] = []
    async with (
        FaultProxy(running.endpoints["LONGITUDE_MEMORY"]) as proxy,
        relay(running, asked=only_searches) as triton,
        service(running, memory=proxy.endpoint, triton=triton) as stub,
    ):
        assessment = await ask(stub, patient, "coordinator", cut_off)
    assert tasks
    assert any(line.endswith("search_evidence unavailable") for line in assessment.degraded), assessment.degraded
    assert any(each.released for each in assessment.statements)


async def test_a_review_while_memory_is_away_is_recorded_without_a_verdict(
    running: RunningStack, patient: PatientKey
) -> None:
    name = str(uuid.uuid4())
    drafted = wire.AssessedStatement(statement_id="s1", text="Takes metformin.", released=True)
    assessment = Assessment(assessment_id=name, episode_id=name, patient=patient, statements=[drafted])
    assessment.drafted_at.GetCurrentTime()
    async with open_pool(running.endpoints["LONGITUDE_POSTGRES_REASONING"], "reasoning") as pool:
        await Store(pool).keep(assessment, b"", ObjectRef(key="k"), [])
    edit = wire.ReviewedStatement(statement_id="s1", decision=wire.REVIEW_DECISION_EDITED, text="Takes lisinopril.")
    async with (
        FaultProxy(running.endpoints["LONGITUDE_MEMORY"]) as proxy,
        service(running, memory=proxy.endpoint) as stub,
    ):
        await proxy.refuse()
        request = pb.ReviewRequest(assessment_id=name, reviewer="NWD17", decision=edit.decision, statements=[edit])
        await stub.Review(await sign_review(stub, request))
        stored = await stub.GetAssessment(pb.GetAssessmentRequest(assessment_id=name))
    (reviewed,) = stored.reviewed
    assert (reviewed.text, reviewed.verdict) == (edit.text, wire.VERDICT_UNSPECIFIED)
    assert [each.judgement for each in reviewed.spans] == [
        wire.JUDGEMENT_KEPT,
        wire.JUDGEMENT_REPLACED,
        wire.JUDGEMENT_KEPT,
    ]


async def test_more_checks_than_may_run_are_told_to_come_back(running: RunningStack, patient: PatientKey) -> None:
    check = pb.CheckRequest(patient=patient, text="Takes metformin 1000 mg twice daily. " * 500)
    async with service(running, episodes=1) as stub:
        answers = await asyncio.gather(*(stub.Check(check) for _ in range(3)), return_exceptions=True)
        busy = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
        assert {each.code() for each in busy} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert len(busy) == 2
        assert (await stub.Check(check)).supported == 500


async def never_ending(request: pb.CheckStreamRequest) -> AsyncIterator[pb.CheckStreamRequest]:
    yield request
    await asyncio.Event().wait()


async def drained(call: AsyncIterable[pb.CheckStreamResponse]) -> list[pb.CheckStreamResponse]:
    return [response async for response in call]


async def test_a_text_that_stops_coming_ends_and_makes_room(
    running: RunningStack, patient: PatientKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "PIECE_SECONDS", 1.0)
    request = pb.CheckStreamRequest(patient=patient, text="Takes metformin 1000 mg twice daily. N")
    async with service(running, episodes=1) as stub:
        call = stub.CheckStream(never_ending(request))
        assert (await anext(aiter(call))).span.verdict == wire.VERDICT_SUPPORTED
        assert "too many texts" in await refused(running, drained(stub.CheckStream(iter([request]))), BUSY)
        assert "did not come in time" in await refused(running, drained(call), BUSY)
        assert len(await drained(stub.CheckStream(iter([request])))) == 3
