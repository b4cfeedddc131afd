"""The services in this process on real servers, fault proxies between them, and what each RPC answers.

One patient is sent in as a hospital sends it and asked about once, so that every RPC has something to answer.
"""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import auditing.adapters.kafka
import auditing.app
import auditing.settings
import eventbus.producer
import grpc
import imaging.app
import imaging.settings
import ingestion.app
import ingestion.settings
import learning.app
import learning.settings
import memory.app
import memory.settings
import pytest
import reasoning.app
import reasoning.settings
import servicekit.postgres
from eventbus import EventBus
from google.protobuf.message import Message
from longitude.auditing.v1 import auditing_service_pb2 as auditing_pb
from longitude.auditing.v1.auditing_service_pb2_grpc import AuditingServiceStub
from longitude.imaging.v1 import imaging_service_pb2 as imaging_pb
from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceStub
from longitude.learning.v1 import learning_service_pb2 as learning_pb
from longitude.learning.v1.learning_service_pb2_grpc import LearningServiceStub
from longitude.memory.v1 import memory_service_pb2 as memory_pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.reasoning.v1 import advice_pb2, concern_pb2, prepared_pb2
from longitude.reasoning.v1 import reasoning_service_pb2 as reasoning_pb
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import PatientKey
from manifests import read_services
from native_stack import Stack
from native_stack.layout import MODELS
from servicekit import Process, migrate
from testkit import FaultProxy, MllpClient
from testkit.calls import channel
from testkit.kafka import kafka_through
from testkit.signing import identity_of

SERVERS = ("kafka", "postgres", "objects", "triton")
FILES = {
    "auditing": auditing_pb.DESCRIPTOR,
    "imaging": imaging_pb.DESCRIPTOR,
    "learning": learning_pb.DESCRIPTOR,
    "memory": memory_pb.DESCRIPTOR,
    "reasoning": reasoning_pb.DESCRIPTOR,
}
_STUBS = {
    "auditing": AuditingServiceStub,
    "imaging": ImagingServiceStub,
    "learning": LearningServiceStub,
    "memory": MemoryServiceStub,
    "reasoning": ReasoningServiceStub,
}
_SERVICES = read_services()
_APPS: dict[str, tuple[Any, Any]] = {
    "ingestion": (ingestion.app.app, ingestion.settings.Settings),
    "memory": (memory.app.app, memory.settings.Settings),
    "imaging": (imaging.app.app, imaging.settings.Settings),
    "reasoning": (reasoning.app.app, reasoning.settings.Settings),
    "learning": (learning.app.app, learning.settings.Settings),
    "auditing": (auditing.app.app, auditing.settings.Settings),
}
PATIENT = PatientKey(id="AWAY1", authority="NORTH")
QUESTION = "What has changed?"
CALL_SECONDS = 60.0
NOBODYS = str(uuid.UUID(int=1))


@dataclass
class System:
    """The services, their servers behind proxies, and the bounds of waiting made short."""

    folder: Path
    lines: Mapping[str, str]
    # By service and server; Kafka's is everybody's: where a client connects is for the broker to say.
    proxies: Mapping[tuple[str, str], FaultProxy]
    ports: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)
    # Of the question asked at the start.
    request_id: str = ""
    assessment_id: str = ""

    @asynccontextmanager
    async def serving(self, name: str, **changed: Any) -> AsyncIterator[Process]:
        """One service, as its own process would run it."""
        app, settings = _APPS[name]
        process = Process(1.0)
        made = settings(**(self._settings(name) | changed))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app(made, process))
            process.health.started = True
            yield process
            await process.stop_tasks()

    async def call(self, service: str, rpc: str, request: Message) -> str:
        """The status; of a stream, the one that it ends with."""
        (declared,) = FILES[service].services_by_name.values()
        asked = iter([request]) if declared.methods_by_name[rpc].client_streaming else request
        answer = getattr(_STUBS[service](self.channels[service]), rpc)(asked, timeout=CALL_SECONDS)
        try:
            if hasattr(answer, "__aiter__"):
                async for _ in answer:
                    pass
            else:
                await answer
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"

    async def send(self, control_id: str, mrn: str = PATIENT.id) -> str:
        """MSA-1 of an HL7 message about a patient, and ERR-3 where there is one."""
        message = (
            f"MSH|^~\\&|LAB|NORTH|X|X|20260301||ORU^R01|{control_id}|P|2.5.1\r"
            f"PID|1||{mrn}^^^NORTH^MR||Test^Away||19570418|F\r"
            f"OBR|1||{control_id}|24323-8^CMP^LN|||20260301\r"
            "OBX|1|NM|2160-0^Creatinine^LN||1.95|mg/dL|||||F|||20260301\r"
        )
        async with MllpClient(self.ports["MLLP"]) as client:
            answer = (await client.send(message.encode())).decode()
        segments = {line[:3]: line.split("|") for line in answer.split("\r")}
        return " ".join([segments["MSA"][1], *(segments["ERR"][3].split("^")[:1] if "ERR" in segments else ())])

    def _settings(self, name: str) -> dict[str, Any]:
        values: dict[str, Any] = {
            "kafka": self.lines["LONGITUDE_KAFKA"],
            "objects": self.proxies[name, "objects"].endpoint,
            "objects_access_key": self.lines["LONGITUDE_OBJECTS_ACCESS_KEY"],
            "objects_secret_key": self.lines["LONGITUDE_OBJECTS_SECRET_KEY"],
            "triton": self.proxies[name, "triton"].endpoint,
            "tokenizer": MODELS / "smollm2" / "tokenizer.json",
            "prose_tokens": 0,
            # The one process here is the command, which reads no record for itself.
            "concern_workers": 0,
            "preparation_workers": 0,
            "memory": self.ports["memory"],
            "grpc_listen": self.ports[name],
            "http_listen": "127.0.0.1:0",
            "mllp_listen": self.ports["MLLP"],
            "dicom_listen": self.ports["DICOM"],
            "qdrant": f"edge:{self.folder}/vectors",
            "signing_key_file": self.folder / "signing.key",
            "pseudonym_key_file": self.folder / "pseudonym.key",
            "checkpoint_seconds": 0.5,
            "trainer": "none",
        }
        if dsn := self.lines.get(f"LONGITUDE_POSTGRES_{_SERVICES[name].role.upper()}"):
            server = dsn.rpartition("@")[2].partition("/")[0]
            values["postgres"] = dsn.replace(server, self.proxies[name, "postgres"].endpoint)
        return values


def requests(system: System) -> dict[str, dict[str, tuple[Message, str]]]:
    """For each RPC of each service a request, and its status while everything is there."""
    # Another text each time, so that loading it is something to announce.
    passage = Passage(passage_id="away", title="Kidneys", text=f"Check creatinine: {uuid.uuid4()}.", source="A test")
    passage.source_kind, passage.published, passage.licence = "cohort", "2026", "CC0-1.0"
    name = system.assessment_id
    return {
        "auditing": {
            "GetCheckpoint": (auditing_pb.GetCheckpointRequest(), "OK"),
            "GetInclusionProof": (auditing_pb.GetInclusionProofRequest(event_id="nobody's"), "NOT_FOUND"),
            "GetConsistencyProof": (auditing_pb.GetConsistencyProofRequest(old_size=1, new_size=1), "OK"),
            "ReadLeaves": (auditing_pb.ReadLeavesRequest(end=1), "OK"),
            "Trace": (auditing_pb.TraceRequest(id="nobody's"), "NOT_FOUND"),
            "GetCompleteness": (auditing_pb.GetCompletenessRequest(), "OK"),
            "GetFeeds": (auditing_pb.GetFeedsRequest(), "OK"),
            "ListLooks": (auditing_pb.ListLooksRequest(patients=[PATIENT]), "OK"),
        },
        "imaging": {
            "GetStudyAnalysis": (imaging_pb.GetStudyAnalysisRequest(sop_instance_uid="1.2"), "NOT_FOUND"),
            "GetDocument": (imaging_pb.GetDocumentRequest(document_id="nobody's"), "NOT_FOUND"),
        },
        "learning": {
            "SetConsent": (learning_pb.SetConsentRequest(patient=PATIENT, decided_by="NWD17"), "OK"),
            "GetConsent": (learning_pb.GetConsentRequest(patient=PATIENT), "OK"),
            "StartJob": (learning_pb.StartJobRequest(request_id="a", recipe="r", steps=1, started_by="NWD17"), "OK"),
            "GetJob": (learning_pb.GetJobRequest(job_id=NOBODYS), "NOT_FOUND"),
            "ListJobs": (learning_pb.ListJobsRequest(), "OK"),
            "StopJob": (learning_pb.StopJobRequest(job_id=NOBODYS), "NOT_FOUND"),
            "GetCurves": (learning_pb.GetCurvesRequest(job_id=NOBODYS), "NOT_FOUND"),
            "Report": (learning_pb.ReportRequest(), "OK"),
            "ListVersions": (learning_pb.ListVersionsRequest(), "OK"),
            "FileGateReport": (learning_pb.FileGateReportRequest(version_id=NOBODYS), "NOT_FOUND"),
            "Promote": (learning_pb.PromoteRequest(version_id=NOBODYS, decided_by="NWD17"), "NOT_FOUND"),
            "RollBack": (learning_pb.RollBackRequest(), "FAILED_PRECONDITION"),
        },
        "memory": {
            "GetTimeline": (memory_pb.GetTimelineRequest(patient=PATIENT), "OK"),
            "GetFact": (memory_pb.GetFactRequest(fact_id="nobody's"), "NOT_FOUND"),
            "Find": (memory_pb.FindRequest(patient=PATIENT, words="kidneys"), "OK"),
            "GetNotes": (memory_pb.GetNotesRequest(patient=PATIENT), "OK"),
            "GetContext": (memory_pb.GetContextRequest(patient=PATIENT, question=QUESTION, token_budget=500), "OK"),
            "SearchNotes": (memory_pb.SearchNotesRequest(patient=PATIENT, query="kidneys"), "OK"),
            "SearchEvidence": (memory_pb.SearchEvidenceRequest(query="kidneys"), "OK"),
            "GetEvidenceCoverage": (memory_pb.GetEvidenceCoverageRequest(), "OK"),
            "GetEditions": (memory_pb.GetEditionsRequest(), "OK"),
            "LoadEvidence": (memory_pb.LoadEvidenceRequest(passages=[passage], unsigned_local=True), "OK"),
            "ListEvidence": (memory_pb.ListEvidenceRequest(page_size=1), "OK"),
            "GetEvidence": (memory_pb.GetEvidenceRequest(edition_id="nobody's"), "NOT_FOUND"),
            "ReleaseEvidence": (memory_pb.ReleaseEvidenceRequest(edition_ids=["nobody's"]), "NOT_FOUND"),
            "WithdrawEvidence": (memory_pb.WithdrawEvidenceRequest(edition_id="nobody's"), "NOT_FOUND"),
            "GetIdentifiers": (memory_pb.GetIdentifiersRequest(patient=PATIENT), "OK"),
            "OpenRecord": (memory_pb.OpenRecordRequest(patient=PATIENT, purpose="TREAT", reason=QUESTION), "OK"),
            "EndOpening": (memory_pb.EndOpeningRequest(opening_id=NOBODYS), "NOT_FOUND"),
            "ListOpenings": (memory_pb.ListOpeningsRequest(), "OK"),
            "ReviewOpening": (memory_pb.ReviewOpeningRequest(opening_id=NOBODYS, comment=QUESTION), "NOT_FOUND"),
        },
        "reasoning": {
            "Ask": (asking(system.request_id), "OK"),
            "GetAssessment": (reasoning_pb.GetAssessmentRequest(assessment_id=name), "OK"),
            # Not a decision: refused after the assessment was read.
            "Review": (reasoning_pb.ReviewRequest(assessment_id=name, reviewer="NWD17"), "INVALID_ARGUMENT"),
            "Replay": (reasoning_pb.ReplayRequest(assessment_id=name), "OK"),
            "Check": (reasoning_pb.CheckRequest(patient=PATIENT, text="Creatinine was 1.95 mg/dL."), "OK"),
            "Advise": (advice_pb2.AdviseRequest(patient=PATIENT), "OK"),
            "CheckStream": (reasoning_pb.CheckStreamRequest(patient=PATIENT, text="Creatinine was 1.95 mg/dL."), "OK"),
            "ListConcerns": (concern_pb2.ListConcernsRequest(patient=PATIENT), "OK"),
            "ActOnConcern": (acknowledging(NOBODYS), "NOT_FOUND"),
            "ListPrepared": (prepared_pb2.ListPreparedRequest(patient=PATIENT), "OK"),
        },
    }


_begin = EventBus.__init__


def _signing_as_its_service(bus: EventBus, service: str, bootstrap: str) -> None:
    """All services are one process here, and each signs with a key of its own."""
    _begin(bus, service, bootstrap, identity=identity_of(service))


@asynccontextmanager
async def running(stack: Stack, folder: Path, patched: pytest.MonkeyPatch) -> AsyncIterator[System]:
    """All of it, with a patient in the record and an assessment of that patient."""
    patched.setattr(servicekit.postgres, "WAIT", 1.0)
    patched.setattr(eventbus.producer, "PUBLISH_TIMEOUT", 2.0)
    patched.setattr(auditing.adapters.kafka, "ANSWER_SECONDS", 2.0)
    patched.setattr(EventBus, "__init__", _signing_as_its_service)
    lines = stack.endpoints()
    for service in _SERVICES.values():
        if service.owns.tables:
            migrate(lines[f"LONGITUDE_POSTGRES_{service.name.upper()}"], service.name, service.name, service.role)
    upstream = {
        "kafka": lines["LONGITUDE_KAFKA"],
        "objects": lines["LONGITUDE_OBJECTS"],
        "triton": lines["LONGITUDE_TRITON"],
        "postgres": lines["LONGITUDE_POSTGRES_MEMORY"].rpartition("@")[2].partition("/")[0],
    }
    async with AsyncExitStack() as exits:
        proxies = {
            (service, server): await exits.enter_async_context(FaultProxy(upstream[server]))
            for service in _APPS
            for server in SERVERS
            if server != "kafka"
        }
        brokers = await exits.enter_async_context(FaultProxy(upstream["kafka"]))
        proxies |= {(service, "kafka"): brokers for service in _APPS}
        exits.enter_context(kafka_through(brokers, upstream["kafka"]))
        system = System(folder, lines, proxies)
        system.ports |= {name: f"127.0.0.1:{free_port()}" for name in (*_APPS, "MLLP", "DICOM")}
        for name in _APPS:
            system.processes[name] = await exits.enter_async_context(system.serving(name))
            system.channels[name] = await exits.enter_async_context(channel(system.ports[name]))
        await _prepare(system)
        yield system


async def _prepare(system: System) -> None:
    assert await system.send("AWAY1") == "AA"
    asked = requests(system)
    await until(lambda: answers(system, "memory", "GetTimeline", asked["memory"]["GetTimeline"]))
    await until(lambda: answers(system, "auditing", "ReadLeaves", asked["auditing"]["ReadLeaves"]))
    await until(lambda: answers(system, "auditing", "GetCheckpoint", asked["auditing"]["GetCheckpoint"]))
    system.request_id = str(uuid.uuid4())
    stub = ReasoningServiceStub(system.channels["reasoning"])
    request = asking(system.request_id)
    async for answer in stub.Ask(request, timeout=120):
        system.assessment_id = answer.assessment.assessment_id or system.assessment_id


def asking(request_id: str) -> reasoning_pb.AskRequest:
    """A question for which the model takes part."""
    return reasoning_pb.AskRequest(patient=PATIENT, question=QUESTION, request_id=request_id, deliberate=True)


def acknowledging(concern_id: str) -> concern_pb2.ActOnConcernRequest:
    return concern_pb2.ActOnConcernRequest(concern_id=concern_id, action=concern_pb2.CONCERN_ACTION_ACKNOWLEDGE)


async def answers(system: System, service: str, rpc: str, expected: tuple[Message, str]) -> bool:
    return await system.call(service, rpc, expected[0]) == expected[1]


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < end, "it did not come back"
        await asyncio.sleep(0.1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
