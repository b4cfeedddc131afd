"""The imaging service as a process: events in and out over Kafka, reads over gRPC."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from contracts.identifiers import event_id, patient_partition_key
from contracts.kafka import reaching
from contracts.topics import (
    DOCUMENT_READ,
    DOCUMENT_RECEIVED,
    STUDY_ANALYSED,
    STUDY_RECEIVED,
    M,
    Topic,
    dead_letter_topic,
)
from eventbus import Event, Outgoing
from longitude.imaging.v1 import imaging_service_pb2 as pb
from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceStub
from longitude.ingestion.v1.events_pb2 import StudyReceived
from testkit.calls import channel
from testkit.signing import Publish, publishing

if TYPE_CHECKING:
    from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceAsyncStub

Build = Callable[..., Any]


class Line:
    """Publishes what ingestion would, and finds what imaging makes of it."""

    def __init__(self, kafka: str, publish: Publish) -> None:
        self._kafka = kafka
        self._publish = publish

    async def send(self, payload: Any) -> str:
        """The id of the event."""
        name = event_id("test", uuid.uuid4().hex)
        await self.again(payload, name)
        return name

    async def again(self, payload: Any, name: str) -> None:
        """Publish the same event once more."""
        topic: Topic[Any] = STUDY_RECEIVED if isinstance(payload, StudyReceived) else DOCUMENT_RECEIVED
        key = patient_partition_key(payload.patient)
        await self._publish(Outgoing(topic, name, key, payload, datetime.now(UTC)))

    async def caused(self, topic: str, cause: str, count: int = 1) -> list["ConsumerRecord[bytes, bytes]"]:
        """The records of a topic that one event caused, as soon as there are `count`."""
        header, found = ("ce_id" if topic.startswith("dlq.") else "ce_causationid"), []
        consumer = AIOKafkaConsumer(topic, **reaching(self._kafka), auto_offset_reset="earliest")
        await consumer.start()
        try:
            async with asyncio.timeout(120):
                async for record in consumer:
                    if dict(record.headers).get(header) == cause.encode():
                        found.append(record)
                    if len(found) == count:
                        return found
        finally:
            await consumer.stop()
        raise AssertionError("the consumer ended by itself")


@pytest.fixture
async def line(kafka: str) -> AsyncIterator[Line]:
    async with publishing(kafka) as publish:
        yield Line(kafka, publish)


@pytest.fixture
async def imaging(service: Any) -> AsyncIterator["ImagingServiceAsyncStub"]:
    async with channel(service.endpoint) as opened:
        yield ImagingServiceStub(opened)


def decoded(topic: Topic[M], record: "ConsumerRecord[bytes, bytes]") -> M:
    return Event.decode(topic, record).payload


async def test_a_film_goes_from_event_to_event_and_can_be_read(
    line: Line, imaging: "ImagingServiceAsyncStub", keep: Build, study: Build, film_file: Build
) -> None:
    received = study(await keep(film_file(seed=31)))
    (record,) = await line.caused(STUDY_ANALYSED.name, await line.send(received))
    analysis = decoded(STUDY_ANALYSED, record)
    assert analysis.quality.acceptable
    answer = await imaging.GetStudyAnalysis(pb.GetStudyAnalysisRequest(sop_instance_uid=received.sop_instance_uid))
    assert answer.analysis == analysis


async def test_a_page_goes_from_event_to_event_and_can_be_read(
    line: Line, imaging: "ImagingServiceAsyncStub", keep: Build, document: Build, lab_page: Build
) -> None:
    received = document(await keep(lab_page([("Potassium", "5.0", "mmol/L", "3.5 - 5.1")]), "image/png"))
    (record,) = await line.caused(DOCUMENT_READ.name, await line.send(received))
    read = decoded(DOCUMENT_READ, record)
    assert [fact.code.code for fact in read.facts] == ["2823-3"]
    answer = await imaging.GetDocument(pb.GetDocumentRequest(document_id=received.document_id))
    assert answer.document == read


async def test_the_same_event_twice_publishes_the_same_bytes_twice(
    line: Line, service: Any, keep: Build, study: Build, film_file: Build
) -> None:
    received = study(await keep(film_file(seed=32)))
    name = await line.send(received)
    await line.caused(STUDY_ANALYSED.name, name)
    await line.again(received, name)
    first, second = await line.caused(STUDY_ANALYSED.name, name, count=2)
    assert (first.value, dict(first.headers)["ce_id"]) == (second.value, dict(second.headers)["ce_id"])


async def test_a_killed_service_answers_each_event_after_its_restart(
    line: Line, service: Any, keep: Build, study: Build, film_file: Build
) -> None:
    names = [await line.send(study(await keep(film_file(seed=60 + n)))) for n in range(4)]
    await line.caused(STUDY_ANALYSED.name, names[0])
    service.kill()
    service.start()
    for name in names:
        assert await line.caused(STUDY_ANALYSED.name, name)


async def test_an_object_that_is_gone_is_a_dead_letter_and_the_line_goes_on(
    line: Line, service: Any, keep: Build, document: Build
) -> None:
    missing = await keep(b"kept", "text/plain")
    missing.key = "never-stored"
    gone, after = await line.send(document(missing)), await line.send(document(await keep(b"NKDA", "text/plain")))
    (letter,) = await line.caused(dead_letter_topic("imaging", DOCUMENT_RECEIVED), gone)
    assert dict(letter.headers)["dlq_reason"] == b"object-missing"
    assert await line.caused(DOCUMENT_READ.name, after)


async def test_unknown_and_empty_identifiers_have_their_own_answers(imaging: "ImagingServiceAsyncStub") -> None:
    questions: list[tuple[Awaitable[Any], grpc.StatusCode]] = [
        (imaging.GetStudyAnalysis(pb.GetStudyAnalysisRequest(sop_instance_uid="1.2")), grpc.StatusCode.NOT_FOUND),
        (imaging.GetDocument(pb.GetDocumentRequest(document_id="x")), grpc.StatusCode.NOT_FOUND),
        (imaging.GetStudyAnalysis(pb.GetStudyAnalysisRequest()), grpc.StatusCode.INVALID_ARGUMENT),
        (imaging.GetDocument(pb.GetDocumentRequest()), grpc.StatusCode.INVALID_ARGUMENT),
    ]
    for call, code in questions:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        assert error.value.code() == code


async def test_nothing_of_a_patient_is_in_the_log(service: Any, line: Line, keep: Build, document: Build) -> None:
    text = "Testperson is allergic to penicillin. Anaphylaxis in Musterstadt."
    await line.caused(DOCUMENT_READ.name, await line.send(document(await keep(text.encode(), "text/plain"))))
    log = service.log.read_text()
    assert log
    assert not [word for word in ("Testperson", "penicillin", "Musterstadt", "NW-204417") if word in log]
