"""The service as it runs: real Kafka, PostgreSQL, S3, Triton with the reasoner, and the memory service.

A record is sent to memory as ingestion would send it. The session's tests share the stack, the patient and Triton.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from consult.rules import CITED_PASSAGES
from consult.visits import passages
from contracts.errors import NotFoundError
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import DOCUMENT_READ, MESSAGE_RECEIVED
from eventbus import Outgoing
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import PatientKey
from practice.records import RecordBuilder
from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import Store, open_store
from testkit import Backends, Line, RunningStack
from testkit.calls import channel
from testkit.signing import publishing

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

PARTS = ("kafka", "postgres", "objects", "memory", "reasoning")


@pytest.fixture(scope="session")
def line(triton: Callable[..., str]) -> Iterator[Line]:
    """What leads to the session's Triton: cut, it is to the services as if Triton were gone."""
    with Line(triton("embedder", "reasoner")) as opened:
        yield opened


@pytest.fixture(scope="session")
def running(backends: Backends, line: Line) -> RunningStack:
    stack = backends.new_stack(PARTS, elsewhere={"triton": line.endpoint})
    return RunningStack(stack, stack.endpoints())


@pytest.fixture
async def reasoning(running: RunningStack) -> AsyncIterator[ReasoningServiceAsyncStub]:
    async with channel(running.endpoints["LONGITUDE_REASONING"]) as opened:
        yield ReasoningServiceStub(opened)


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str]) -> str:
    return new_database("reasoning")


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


@pytest.fixture(scope="session")
def tell_letters() -> Callable[..., Awaitable[None]]:
    return send_letters


@pytest.fixture(scope="session")
def patient(running: RunningStack) -> PatientKey:
    """Someone whose record memory holds."""
    key = PatientKey(id=f"NW-{uuid.uuid4().hex[:8]}", authority="NORTHWEST")
    asyncio.run(until_evidence_is_indexed(running))
    return asyncio.run(send(running, failing_kidneys(key)))


async def until_evidence_is_indexed(running: RunningStack) -> None:
    """Memory embeds its library in the background after a start."""
    async with asyncio.timeout(120), channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:
        wanted = {**CITED_PASSAGES, **passages()}
        while len(await Memory(opened).passages(wanted)) < len(wanted):
            await asyncio.sleep(1)


def failing_kidneys(key: PatientKey) -> RecordBuilder:
    record = RecordBuilder(key)
    record.born("19570418")
    for creatinine, egfr, day in (
        ("0.92", "68", "2024-03-12"),
        ("1.21", "49", "2025-02-10"),
        ("1.95", "28", "2026-10-05"),
    ):
        record.creatinine(creatinine, day)
        record.egfr(egfr, day)
    record.encounter("Inpatient", "2025-02-10", "2025-02-14")
    record.medication("6809", "metformin", "2024-03-12", dose="1000", frequency="BID")
    record.medication("29046", "lisinopril", "2024-03-12", dose="20", frequency="QD")
    record.medication("7258", "naproxen", "2026-10-06", dose="500", ordered=True)
    record.allergy("716186003", "No known allergies", "2024-03-12", absent=True)
    record.allergy("764146007", "Penicillin", "2025-02-14", reaction="anaphylaxis")
    record.facts[-1].fact.provenance = clinical.PROVENANCE_READ_FROM_TEXT
    return record


async def send(running: RunningStack, record: RecordBuilder) -> PatientKey:
    """Publishes the record as one message and waits until memory has it."""
    for each in record.facts:
        each.fact.fact_id = event_id("fact", record.patient.id, each.fact.fact_id)
    message = MessageReceived(
        header=MessageHeader(control_id="T1"),
        patient=PatientIdentity(key=record.patient),
        facts=[each.fact for each in record.facts],
    )
    name = event_id("message", record.patient.id)
    async with publishing(running.endpoints["LONGITUDE_KAFKA"]) as publish:
        key = patient_partition_key(record.patient)
        await publish(Outgoing(MESSAGE_RECEIVED, name, key, message, datetime.now(UTC)))
    await until_known(running, record.patient)
    return record.patient


async def send_letters(running: RunningStack, patient: PatientKey, letters: Mapping[str, str]) -> None:
    """Publishes a record of letters, a text for each day, and the reading of each; waits until memory has them."""
    record = RecordBuilder(patient)
    for day in letters:
        file = clinical.SourcePointer(document_id=f"{patient.id} {day}")
        record.add(clinical.ClinicalFact(kind=clinical.FACT_KIND_DOCUMENT, source=file), day, day)
    await send(running, record)
    async with publishing(running.endpoints["LONGITUDE_KAFKA"]) as publish:
        for day, text in letters.items():
            document = DocumentRead(document_id=f"{patient.id} {day}", patient=patient, text=text)
            name = event_id("document-read", document.document_id)
            key = patient_partition_key(patient)
            await publish(Outgoing(DOCUMENT_READ, name, key, document, datetime.now(UTC)))
    async with asyncio.timeout(60), channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:
        while len((await Memory(opened).texts(patient, 2**30))[0]) < len(letters):
            await asyncio.sleep(0.2)


async def until_known(running: RunningStack, patient: PatientKey) -> None:
    async with asyncio.timeout(60), channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:
        while True:
            try:
                await Memory(opened).timeline(patient)
            except NotFoundError:
                await asyncio.sleep(0.2)
            else:
                return
