"""Every edge between services is in a manifest; the traces of a real run must say the same."""

import asyncio
import json
import os
import ssl
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from client.api import AuditingClient, ImagingClient
from client.people import bearer
from client.stack import Stack
from contracts.identifiers import parse_patient
from demo import access
from demo.sending import film_uid
from gateway.domain.fhir.ids import logical_id
from longitude.ingestion.v1.ingestion_service_pb2 import StartRereadingRequest
from longitude.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from manifests import read_services
from manifests.topics import topics
from testkit.calls import open_channel

from tests.observe import Observer, until
from tests.story import exchange
from tests.system.after_story import PATIENT, System

SERVICES = read_services()
CRITICAL = (
    "MSH|^~\\&|LAB|NORTHWEST|HUB|HUB|{at:%Y%m%d%H%M%S}+0000||ORU^R01|EDGE{number}|P|2.5.1\r"
    "PID|1||EDGE-1^^^NORTHWEST^MR||Testperson^Edge||19500101|F\r"
    "OBR|1|E{number}|E{number}|2823-3^Potassium^LN|||{at:%Y%m%d%H%M%S}+0000\r"
    "OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|||||F|||{at:%Y%m%d%H%M%S}+0000\r"
)
Edge = tuple[str, str]
Call = tuple[str, str, str]


def listed_events() -> set[Edge]:
    return {(topic.name, consumer) for topic in topics(SERVICES) for consumer in topic.consumers}


def listed_calls() -> set[Call]:
    calls = (
        (caller.name, callee, methods)
        for caller in SERVICES.values()
        for callee, methods in caller.calls.services.items()
    )
    return {(caller, callee, method) for caller, callee, methods in calls for method in methods}


def spans(system: System) -> Iterator[dict[str, Any]]:
    for path in (system.stack.directory / "traces").glob("*"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.endswith("}"):
                yield json.loads(line)


def service_of(span: dict[str, Any]) -> str:
    return str(span["resource"]["attributes"]["service.name"])


def seen_events(system: System) -> set[Edge]:
    return {
        (s["attributes"]["messaging.destination.name"], service_of(s))
        for s in spans(system)
        if s["kind"] == "SpanKind.CONSUMER" and not s["attributes"]["messaging.destination.name"].startswith("dlq.")
    }


def seen_calls(system: System) -> set[Call]:
    return {
        (service_of(s), s["attributes"]["rpc.service"].split(".")[1], s["attributes"]["rpc.method"])
        for s in spans(system)
        if s["kind"] == "SpanKind.CLIENT" and str(s["attributes"].get("rpc.service", "")).startswith("longitude.")
    }


def read_as_fhir(system: System) -> None:
    """The record through the door for others."""
    lines = system.stack.endpoints
    patient = logical_id(parse_patient(PATIENT))
    headers = {"Authorization": f"Bearer {bearer(os.environ | lines)}"}
    asked = urllib.request.Request(f"https://{lines['LONGITUDE_HTTPS']}/fhir/R4/Patient/{patient}", headers=headers)
    trust = ssl.create_default_context(cafile=os.environ["LONGITUDE_TLS_AUTHORITY"])
    with urllib.request.urlopen(asked, context=trust, timeout=30) as answer:
        assert json.load(answer)["resourceType"] == "Patient"


async def look(system: System) -> None:
    """The film is shown, and four people look at a record that is closed, opened, broken open and reviewed."""
    reached = Stack(os.environ | system.stack.endpoints, system.stack.directory)
    async with ImagingClient.connect(reached.endpoint("imaging")) as imaging:
        assert (await imaging.study(film_uid())).sop_instance_uid == film_uid()
    async with AuditingClient.connect(reached.endpoint("auditing")) as auditing:
        assert await access.look(reached, auditing, lambda _: None)


def learn(observer: Observer) -> None:
    """A consent, a version that is refused, and one that is promoted and taken back."""
    observer.json("learn", "consent", PATIENT, "--give")
    short = observer.json("learn", "start", "line-fit", "--steps", "3", "--follow")
    refused = observer.command("learn", "promote", short["version_id"], "--by", "Tester")
    assert (refused.returncode, "distance from the slope" in refused.stderr) == (1, True)
    long = observer.json("learn", "start", "line-fit", "--steps", "120", "--follow")
    observer.json("learn", "promote", long["version_id"], "--by", "Tester")
    assert observer.json("learn", "roll-back")["live_version_id"] == ""


def concern(system: System) -> None:
    """A critical value opens a concern, somebody acknowledges it, a higher one changes it, a normal one resolves it."""
    number = 0

    def send(potassium: str) -> None:
        nonlocal number
        number += 1
        exchange(system.stack.endpoints, CRITICAL.format(value=potassium, number=number, at=datetime.now(UTC)).encode())

    def listed(row: str = "criticals/potassium") -> dict[str, Any]:
        shown = system.observer.json("worklist", "EDGE-1@NORTHWEST", "--all")["concerns"]
        return next((each for each in shown if each["row"] == row), {})

    send("6.6")
    until(lambda: known(system), "the concern is opened")
    opened = listed()
    acted = system.observer.json("concern", "acknowledge", opened["concern_id"])
    send("7.2")
    until(lambda: listed()["revision"] > acted["revision"], "the concern changed")
    send("4.4")
    until(lambda: not listed(), "the concern is resolved")


def known(system: System) -> bool:
    done = system.observer.command("worklist", "EDGE-1@NORTHWEST", "--json")
    return done.returncode == 0 and "criticals/potassium" in done.stdout


@pytest.mark.usefixtures("review", "withdrawn", "cards")
def test_every_edge_of_a_real_run_is_listed_and_every_listed_edge_is_used(system: System) -> None:
    # A review, cards, evidence that is released and withdrawn, a message that nobody can read, a rebuild, a training,
    # looks, and a concern that somebody acts on: the edges that the story itself does not use.
    learn(system.observer)
    asyncio.run(look(system))
    read_as_fhir(system)
    concern(system)
    exchange(system.stack.endpoints, b"this is not HL7")
    with open_channel(system.stack.endpoints["LONGITUDE_INGESTION"]) as channel:
        request = StartRereadingRequest(started_by="Tester", reason="another reader")
        IngestionServiceStub(channel).StartRereading(request)
    until(
        lambda: seen_events(system) >= listed_events(),
        f"events {listed_events() - seen_events(system)}",
        within_s=120,
    )
    assert seen_events(system) == listed_events()
    assert {call[:2] for call in seen_calls(system)} == {call[:2] for call in listed_calls()}
    assert seen_calls(system) <= listed_calls()


def test_only_the_owner_publishes_a_topic(system: System) -> None:
    publishers = {
        (s["attributes"]["messaging.destination.name"].partition(".")[0], service_of(s))
        for s in spans(system)
        if s["kind"] == "SpanKind.PRODUCER"
    }
    assert publishers
    assert all(owner == publisher for owner, publisher in publishers)
