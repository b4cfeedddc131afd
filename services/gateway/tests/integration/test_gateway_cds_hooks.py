"""CDS Hooks as a clinical system meets it: HTTPS, a person's token, and cards from real services behind the door."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer
from client import people
from contracts.kafka import reaching
from contracts.topics import REASONING_RECORD_READ
from gateway.domain.fhir.ids import logical_id
from gateway.doors.cds_hooks import MAX_BODY
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_SHOWN
from native_stack import Stack
from testkit import Backends, MllpClient, RunningStack

pytestmark = pytest.mark.timeout(300)

KEY = PatientKey(id="CDS1", authority="NORTH")
PATIENT = "CDS1@NORTH"
PARTS = ("kafka", "postgres", "objects", "ingestion", "memory", "reasoning", "gateway")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
MESSAGES = (
    (
        "MSH|^~\\&|ADT|NORTH|X|X|20260301||ADT^A01|CDS-A|P|2.5.1\r"
        "PID|1||CDS1^^^NORTH^MR||Test^Card||19470418|F\rPV1|1|I\rAL1|1|DA|7980^Penicillin^RXNORM|SV|anaphylaxis\r"
    ),
    (
        "MSH|^~\\&|RX|NORTH|X|X|20260301||RDE^O11|CDS-B|P|2.5.1\r"
        "PID|1||CDS1^^^NORTH^MR||Test^Card||19470418|F\rORC|NW|C1|||||||20260301\r"
        "RXE||11289^warfarin^RXNORM|5||mg||||||||||||||||||||||||||\r"
    ),
)


@pytest.fixture(scope="module")
def running(new_stack: Callable[..., Stack]) -> RunningStack:
    """A record of two messages; no Triton, which nothing here needs."""
    stack = new_stack(PARTS, (), {"triton": "127.0.0.1:9"})
    up = RunningStack(stack, stack.endpoints())
    asyncio.run(_send(up))
    return up


async def _send(running: RunningStack) -> None:
    async with MllpClient(running.endpoints["LONGITUDE_MLLP"]) as client:
        for message in MESSAGES:
            assert b"|AA|" in await client.send(message.encode())
    async with asyncio.timeout(60):
        while not _is_whole(await asyncio.to_thread(_shown, running)):
            await asyncio.sleep(0.5)


def _shown(running: RunningStack) -> str:
    return command(running.endpoints, "timeline", PATIENT).stdout


def _is_whole(page: str) -> bool:
    return "arfarin" in page and "enicillin" in page


def command(variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "client", *arguments]
    return subprocess.run(argv, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
async def http(running: RunningStack) -> AsyncIterator[aiohttp.ClientSession]:
    trust = ssl.create_default_context(cafile=os.environ["LONGITUDE_TLS_AUTHORITY"])
    base = f"https://{running.endpoints['LONGITUDE_HTTPS']}"
    async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(ssl=trust)) as session:
        yield session


@pytest.fixture
def physician(backends: Backends) -> dict[str, str]:
    return {"Authorization": f"Bearer {people.bearer(backends.issuer)}"}


def order(name: str, drug: str, code: str = "", of: str = f"Patient/{PATIENT}") -> dict[str, Any]:
    coding = [{"system": RXNORM, "code": code, "display": drug}] if code else []
    concept = {"text": drug, "coding": coding}
    made = {"resourceType": "MedicationRequest", "id": name, "status": "draft", "intent": "order"}
    return {"resource": made | {"medicationCodeableConcept": concept, "subject": {"reference": of}}}


def asking(hook: str, patient: str = PATIENT, **context: Any) -> dict[str, Any]:
    who = {"userId": "Practitioner/1", "patientId": patient}
    return {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": who | context, "prefetch": {"patient": None}}


def signing(*orders: dict[str, Any]) -> dict[str, Any]:
    return asking("order-sign", draftOrders={"resourceType": "Bundle", "entry": list(orders)})


async def asked(
    http: aiohttp.ClientSession, path: str, form: Any, headers: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    async with http.post(f"/cds-services/{path}", json=form, headers=headers) as answer:
        return answer.status, json.loads(await answer.text())


async def test_discovery_is_open_to_everybody(http: aiohttp.ClientSession) -> None:
    async with http.get("/cds-services") as answer:
        assert answer.status == 200
        assert [each["hook"] for each in (await answer.json())["services"]] == [
            "patient-view",
            "order-select",
            "order-sign",
        ]


async def test_a_dangerous_order_has_cards_with_row_source_and_where_it_stands(
    http: aiohttp.ClientSession, physician: dict[str, str]
) -> None:
    form = signing(order("1", "Amoxicillin 500 mg", "723"), order("2", "Naproxen"))
    status, answer = await asked(http, "longitude-order-sign", form, physician)
    assert status == 200
    allergy, interaction, routine = answer["cards"]
    assert routine["indicator"] == "info"
    assert allergy["indicator"] == "critical"
    assert allergy["summary"].startswith("Amoxicillin 500 mg: Allergy: ")
    assert "CDS-A AL1" in allergy["detail"]
    assert interaction["indicator"] == "warning"
    assert interaction["summary"].startswith("Naproxen: An NSAID raises the risk of bleeding")
    assert interaction["source"]["topic"]["code"] == "interactions/warfarin-nsaid@1"
    assert all(len(each["summary"]) < 140 and uuid.UUID(each["uuid"]) for each in answer["cards"])


async def test_only_what_is_selected_has_cards(http: aiohttp.ClientSession, physician: dict[str, str]) -> None:
    form = asking(
        "order-select",
        logical_id(KEY),
        draftOrders={"entry": [order("1", "Naproxen", of=""), order("2", "Amoxicillin", of="")]},
        selections=["MedicationRequest/1"],
    )
    status, answer = await asked(http, "longitude-order-select", form, physician)
    assert (status, [each["source"]["topic"]["code"] for each in answer["cards"]]) == (
        200,
        ["interactions/warfarin-nsaid@1"],
    )


async def test_a_chart_of_which_nothing_is_to_be_said_has_no_cards(
    http: aiohttp.ClientSession, physician: dict[str, str]
) -> None:
    assert await asked(http, "longitude-patient-view", asking("patient-view"), physician) == (200, {"cards": []})


async def test_who_comes_in_is_known_and_may_ask(
    http: aiohttp.ClientSession, running: RunningStack, backends: Backends, tmp_path: Path
) -> None:
    form = asking("patient-view")
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}):
        status, answer = await asked(http, "longitude-patient-view", form, headers)
        assert (status, bool(answer["message"])) == (401, True)
    variables = backends.issuer | {"LONGITUDE_TOKEN_FILE": str(tmp_path / "token.json")}
    assert command(variables, "login", "--as", "engineer").returncode == 0
    engineer = {"Authorization": f"Bearer {people.bearer(variables)}"}
    status, _ = await asked(http, "longitude-patient-view", form, engineer)
    assert status == 403


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("longitude-order-sign", {"hook": "order-sign"}, 400),
        ("longitude-order-sign", asking("patient-view"), 400),
        ("longitude-patient-view", asking("patient-view", patient="nobody"), 400),
        ("longitude-patient-view", asking("patient-view", patient="NOBODY@NORTH"), 412),
        ("nothing", asking("patient-view"), 404),
        ("longitude-patient-view", asking("patient-view") | {"prefetch": "x" * MAX_BODY}, 413),
        ("longitude-patient-view/feedback", {"feedback": []}, 501),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_the_terms_of_the_protocol(
    http: aiohttp.ClientSession, physician: dict[str, str], path: str, form: Any, status: int
) -> None:
    got, answer = await asked(http, path, form, physician)
    assert (got, bool(answer["message"])) == (status, True)


async def test_a_look_by_a_card_is_a_leaf_of_the_person(
    http: aiohttp.ClientSession, running: RunningStack, physician: dict[str, str]
) -> None:
    status, _ = await asked(http, "longitude-patient-view", asking("patient-view"), physician)
    assert status == 200
    consumer = AIOKafkaConsumer(
        REASONING_RECORD_READ.name, **reaching(running.endpoints["LONGITUDE_KAFKA"]), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            async for record in consumer:
                look = REASONING_RECORD_READ.payload.FromString(record.value).look
                if look.rpc == "Advise" and look.outcome == LOOK_OUTCOME_SHOWN and look.patient == KEY:
                    assert (look.process, look.purpose, look.subject) == ("gateway", "TREAT", "developer")
                    break
    finally:
        await consumer.stop()


async def test_without_reasoning_it_says_that_it_may_be_asked_again(
    http: aiohttp.ClientSession, running: RunningStack, physician: dict[str, str]
) -> None:
    await asyncio.to_thread(running.kill, "reasoning")
    try:
        async with http.post(
            "/cds-services/longitude-patient-view", json=asking("patient-view"), headers=physician
        ) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    finally:
        await asyncio.to_thread(running.start, "reasoning")
