"""The `longitude audit` and `dead-letters` doors against a real log on real Kafka, PostgreSQL and S3.

The command runs as a user runs it: a process with the stack's endpoints in a stack.env above its folder.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from contracts.kafka import reaching
from contracts.topics import MESSAGE_RECEIVED, RECORD_READ
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eventbus import Outgoing
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.memory.v1.events_pb2 import RecordRead
from longitude.record.v1.fact_pb2 import FACT_KIND_PROBLEM, PatientKey
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_REFUSED, LOOK_OUTCOME_SHOWN, Look, LookOutcome
from native_stack import Stack
from testkit import Backends, RunningStack
from testkit.signing import publishing

DEAD_LETTERS = f"dlq.memory.{MESSAGE_RECEIVED.name}"


@pytest.fixture(scope="module")
def log(new_stack: Callable[..., Stack]) -> RunningStack:
    """Kafka, PostgreSQL, S3 and the auditing service, with 300 events."""
    stack = new_stack(("kafka", "postgres", "objects", "auditing"), ())
    running = RunningStack(stack, stack.endpoints())
    publish(running, [(MESSAGE_RECEIVED.name, event(n)) for n in range(300)])
    return running


@pytest.fixture
def folder(backends: Backends, log: RunningStack, tmp_path: Path) -> Path:
    """A folder of a user who has never met this log."""
    (tmp_path / "var").mkdir()
    # Memory does not run here: looks at the one identifier are listed.
    settings = backends.issuer | log.endpoints | {"LONGITUDE_MEMORY": "127.0.0.1:9"}
    lines = [f"{name}={value}\n" for name, value in settings.items()]
    (tmp_path / "var/stack.env").write_text("".join(lines), encoding="utf-8")
    return tmp_path


Record = tuple[bytes, dict[str, str]]


def event(number: int, *, run: str = "base", **headers: str) -> Record:
    payload = MessageReceived(
        header=MessageHeader(control_id=f"{run}-{number}"),
        patient=PatientIdentity(key=PatientKey(id="P1", authority="TEST"), family_name="Fictitious"),
    )
    attributes = {
        "ce_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run}/{number}")),
        "ce_type": MESSAGE_RECEIVED.event_type,
        "ce_time": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "ce_source": "/longitude/ingestion",
    }
    return payload.SerializeToString(), attributes | headers


def publish(log: RunningStack, records: list[tuple[str, Record]]) -> None:
    async def work() -> None:
        producer = AIOKafkaProducer(**reaching(log.endpoints["LONGITUDE_KAFKA"]), acks="all")
        await producer.start()
        try:
            for topic, (value, headers) in records:
                await producer.send(topic, value, headers=[(name, text.encode()) for name, text in headers.items()])
            await producer.flush()
        finally:
            await producer.stop()

    asyncio.run(work())


def longitude(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "100"} | variables
    command = [sys.executable, "-m", "client", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def as_json(finished: subprocess.CompletedProcess[str]) -> Any:
    assert finished.stdout, finished.stderr
    return json.loads(finished.stdout)


def log_rows(log: RunningStack, statement: str) -> None:
    with psycopg.connect(log.endpoints["LONGITUDE_POSTGRES_AUDITING"], options="-c search_path=auditing") as conn:
        conn.execute(statement.encode())


def test_a_whole_log_is_verified_and_remembered(folder: Path) -> None:
    first = longitude(folder, "audit", "verify", "--json")
    report = as_json(first)
    assert first.returncode == 0, report
    assert report["size"] == report["verified"] >= 300
    assert (report["missing"], report["expired"], report["problems"]) == (0, 0, [])
    remembered = json.loads((folder / "var/verified-log.json").read_text(encoding="utf-8"))
    assert remembered["size"] == report["size"]
    page = longitude(folder, "audit", "verify")
    assert page.returncode == 0
    assert "the log holds" in page.stdout
    assert report["root"] in page.stdout


def test_an_altered_leaf_is_told(log: RunningStack, folder: Path) -> None:
    log_rows(log, "UPDATE leaf SET data = replace(convert_from(data, 'UTF8'), '\"C\"', '\"D\"')::bytea WHERE index = 7")
    try:
        finished = longitude(folder, "audit", "verify", "--json")
    finally:
        log_rows(
            log, "UPDATE leaf SET data = replace(convert_from(data, 'UTF8'), '\"D\"', '\"C\"')::bytea WHERE index = 7"
        )
    assert finished.returncode == 1
    assert any("do not give the signed root" in problem for problem in as_json(finished)["problems"])
    assert not (folder / "var/verified-log.json").exists()


def test_records_that_the_log_did_not_take_are_missing(log: RunningStack, folder: Path) -> None:
    database = log.endpoints["LONGITUDE_POSTGRES_AUDITING"]
    with psycopg.connect(database, options="-c search_path=auditing") as conn:
        # Whoever holds the tree head keeps the log from growing; reads go on.
        conn.execute("SELECT size FROM tree_head FOR UPDATE")
        publish(log, [(MESSAGE_RECEIVED.name, event(n, run="unseen")) for n in range(5)])
        finished = longitude(folder, "audit", "verify", "--json", "--wait", "2")
        conn.rollback()
    report = as_json(finished)
    assert (finished.returncode, report["missing"], report["holds"]) == (1, 5, False)
    assert as_json(longitude(folder, "audit", "verify", "--json"))["missing"] == 0


def test_a_log_of_another_key_is_not_the_same_log(folder: Path) -> None:
    other = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    finished = longitude(folder, "audit", "verify", LONGITUDE_LOG_KEY=other)
    assert finished.returncode == 1
    assert "another key than the pinned one" in finished.stderr


def test_a_log_that_was_cut_back_is_told_by_what_was_remembered(log: RunningStack, folder: Path) -> None:
    size = as_json(longitude(folder, "audit", "verify", "--json"))["size"]
    remembered = folder / "var/verified-log.json"
    pin = json.loads(remembered.read_text(encoding="utf-8"))
    # What this user once verified was longer than what the log shows now.
    remembered.write_text(json.dumps(pin | {"size": size + 10}), encoding="utf-8")
    finished = longitude(folder, "audit", "verify", "--json")
    assert finished.returncode == 1
    assert f"the log once had {size + 10} leaves: it was cut back to {size}" in as_json(finished)["problems"]


def test_an_event_is_proved_step_by_step(folder: Path) -> None:
    event_id = event(42)[1]["ce_id"]
    proof = as_json(longitude(folder, "audit", "prove", event_id, "--json"))
    assert proof["leaf"]["event_id"] == event_id
    assert proof["path"][-1]["result"] == proof["root"]
    assert "Fictitious" not in json.dumps(proof)
    page = longitude(folder, "audit", "prove", event_id)
    assert page.returncode == 0
    assert "is the root that" in page.stdout


def test_an_unknown_event_is_one_clear_line(folder: Path) -> None:
    finished = longitude(folder, "audit", "prove", "no-such-event")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.strip() == "longitude: auditing: no leaf carries this event"


def test_a_consumer_is_handed_only_verified_events(log: RunningStack, folder: Path) -> None:
    publish(log, [(MESSAGE_RECEIVED.name, event(1))])
    finished = longitude(folder, "audit", "consume", "--topic", MESSAGE_RECEIVED.name, "--json")
    assert finished.returncode == 0, finished.stderr
    events = [json.loads(line)["event_id"] for line in finished.stdout.splitlines()]
    assert len(events) == len(set(events)) >= 300
    assert {event(n)[1]["ce_id"] for n in range(300)} <= set(events)


def test_a_message_is_traced_by_its_control_id(folder: Path) -> None:
    finished = longitude(folder, "trace", "base-3")
    assert finished.returncode == 0
    assert event(3)[1]["ce_id"] in finished.stdout
    assert [leaf["event_id"] for leaf in as_json(longitude(folder, "trace", "base-3", "--json"))] == [
        event(3)[1]["ce_id"]
    ]


def test_a_dead_letter_is_shown_without_its_payload_and_its_replay_is_in_the_log(
    log: RunningStack, folder: Path
) -> None:
    place = {"dlq_topic": MESSAGE_RECEIVED.name, "dlq_partition": "0", "dlq_offset": "3"}
    value, headers = event(7, dlq_reason="bug", dlq_consumer="memory", dlq_attempts="1", **place)
    headers["dlq_event_id"] = headers["ce_id"]
    publish(log, [(DEAD_LETTERS, (value, headers))])
    letter = as_json(longitude(folder, "dead-letters", "list", "--json"))[-1]
    assert (letter["reason"], letter["consumer"], letter["event_id"]) == ("bug", "memory", headers["ce_id"])
    shown = longitude(folder, "dead-letters", "show", letter["place"])
    assert shown.returncode == 0
    assert "Fictitious" not in shown.stdout
    assert "Fictitious" in longitude(folder, "dead-letters", "show", letter["place"], "--payload").stdout
    replayed = as_json(longitude(folder, "dead-letters", "replay", letter["place"], "--json"))
    assert longitude(folder, "dead-letters", "replay", letter["place"]).returncode == 1, "once is once"
    assert longitude(folder, "audit", "verify").returncode == 0
    proof = as_json(longitude(folder, "audit", "prove", replayed[0]["replay_id"], "--json"))
    assert proof["leaf"]["causation_id"] == headers["ce_id"]
    traced = as_json(longitude(folder, "trace", headers["ce_id"], "--json"))
    assert {leaf["topic"] for leaf in traced} == {MESSAGE_RECEIVED.name, DEAD_LETTERS}


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "verify"),
        ("timeline", "P1@TEST"),
        ("ask", "P1@TEST", "why?"),
        ("dead-letters", "list"),
        ("send", "message.hl7"),
    ],
)
def test_a_stack_that_is_down_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "message.hl7").write_bytes(b"MSH|^~\\&|A\r")
    names = ("MLLP", "KAFKA", "MEMORY", "REASONING", "AUDITING")
    finished = longitude(tmp_path, *arguments, **{f"LONGITUDE_{name}": "127.0.0.1:1" for name in names})
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr.startswith("longitude: ")
    assert "Traceback" not in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1


def look(number: int, *, outcome: LookOutcome.ValueType, reason: str = "") -> Outgoing:
    seen = Look(
        patient=PatientKey(id="P7", authority="TEST"),
        issuer="https://issuer.example",
        subject="nurse-7",
        roles=["nurse"],
        process="command",
        rpc="GetTimeline",
        purpose="TREAT",
        reason=reason,
        outcome=outcome,
        status="" if outcome == LOOK_OUTCOME_SHOWN else "PERMISSION_DENIED",
        kinds=[FACT_KIND_PROBLEM],
        shown=number,
    )
    moment = datetime(2026, 1, 1, 8, number, tzinfo=UTC)
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"look/{number}"))
    return Outgoing(RECORD_READ, identifier, b"", RecordRead(look=seen), moment)


@pytest.fixture(scope="module")
def looked_at(log: RunningStack) -> str:
    """A patient at whom somebody looked three times, once in vain."""

    async def work() -> None:
        async with publishing(log.endpoints["LONGITUDE_KAFKA"]) as publish_signed:
            await publish_signed(look(1, outcome=LOOK_OUTCOME_SHOWN, reason="ward round"))
            await publish_signed(look(2, outcome=LOOK_OUTCOME_SHOWN))
            await publish_signed(look(3, outcome=LOOK_OUTCOME_REFUSED))

    asyncio.run(work())
    return "P7@TEST"


def listed(folder: Path, patient: str) -> list[dict[str, Any]]:
    """The looks, when the log has all three."""
    for _ in range(30):
        seen: list[dict[str, Any]] = as_json(longitude(folder, "audit", "access", patient, "--json"))
        if len(seen) == 3:
            return seen
        time.sleep(1)
    raise AssertionError(f"{len(seen)} looks")


def test_looks_at_a_patient_are_listed_with_who_why_and_through_what(folder: Path, looked_at: str) -> None:
    by_rank = {seen["shown"]: seen for seen in listed(folder, looked_at)}
    first = by_rank[1]
    assert (first["subject"], first["roles"], first["process"], first["service"]) == (
        "nurse-7",
        ["nurse"],
        "command",
        "memory",
    )
    assert (first["purpose"], first["reason"], first["kinds"]) == ("TREAT", "ward round", ["problem"])
    assert by_rank[0]["outcome"] == "refused"
    assert longitude(folder, "audit", "prove", first["event_id"]).returncode == 0


def test_nobody_looked_at_somebody_else(folder: Path, looked_at: str) -> None:
    listed(folder, looked_at)
    assert as_json(longitude(folder, "audit", "access", "P8@TEST", "--json")) == []


def test_looks_are_exported_as_audit_events_of_fhir(folder: Path, looked_at: str) -> None:
    listed(folder, looked_at)
    lines = longitude(folder, "audit", "access", looked_at, "--format", "fhir").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["resourceType"] for event in events] == ["AuditEvent"] * 3
    assert {event["outcome"] for event in events} == {"0", "8"}


def test_looks_are_exported_as_framed_syslog(folder: Path, looked_at: str) -> None:
    listed(folder, looked_at)
    left = longitude(folder, "audit", "access", looked_at, "--format", "syslog").stdout.encode()
    messages = []
    while left:
        length, _, left = left.partition(b" ")
        messages.append(left[: int(length)])
        left = left[int(length) :]
    assert len(messages) == 3
    for message in messages:
        header, _, body = message.decode().partition("\ufeff")
        assert re.fullmatch(r"<8[45]>1 \S+ - longitude-auditing \d+ DICOM\+RFC3881 - ", header)
        root = ET.fromstring(body)
        assert root.find("EventIdentification/EventID").get("csd-code") == "110110"  # type: ignore[union-attr]
        assert "P7" not in body


def test_whose_record_was_looked_at_is_shown_to_auditors_alone(folder: Path, looked_at: str) -> None:
    own = {"LONGITUDE_TOKEN_FILE": str(folder / "nurse.json")}
    assert longitude(folder, "login", "--as", "nurse", **own).returncode == 0
    refused = longitude(folder, "audit", "access", looked_at, **own)
    assert refused.returncode == 1
    assert "not open to the role nurse" in refused.stderr


def test_a_key_is_rotated_and_what_older_ones_signed_stays_verifiable(log: RunningStack, folder: Path) -> None:
    """Who trusts the old key follows while both sign; then the old one retires, and a newcomer verifies everything."""
    assert longitude(folder, "audit", "verify", "--log-only").returncode == 0
    pinned = folder / "var/verified-log.json"
    before = pinned.read_text(encoding="utf-8")
    file = log.directory / "data/auditing/signing.key"
    old, seed = file.read_text(encoding="ascii").strip(), secrets.token_bytes(32)
    origin = json.loads(before)["key"].partition("+")[0]
    public = b"\x01" + Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    identity = hashlib.sha256(origin.encode() + b"\n" + public).digest()[:4].hex()
    new = f"PRIVATE+KEY+{origin}+{identity}+{base64.b64encode(bytes([1]) + seed).decode()}"
    for lines, run in ((f"{new}\n{old}\n", "both"), (f"{new}\n{json.loads(before)['key']}\n", "retired")):
        file.write_text(lines, encoding="ascii")
        log.restart("auditing")
        publish(log, [(MESSAGE_RECEIVED.name, event(1, run=run))])
        verified = longitude(folder, "audit", "verify", "--log-only", "--json")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert json.loads(pinned.read_text(encoding="utf-8"))["key"].split("+")[1] == identity
    pinned.unlink()
    assert longitude(folder, "audit", "verify", "--log-only").returncode == 0, "a newcomer"
    pinned.write_text(before, encoding="utf-8")
    late = longitude(folder, "audit", "verify", "--log-only")
    assert (late.returncode, "not signed by the pinned key" in late.stderr) == (1, True), "it never saw both sign"
