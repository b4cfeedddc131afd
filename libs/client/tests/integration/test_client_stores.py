"""`longitude audit verify` over the stores: what was altered, deleted or slipped in is found, row by row."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from client.errors import UnreachableError
from client.stores import Rows
from contracts.topics import ASSESSMENT_DRAFTED, ASSESSMENT_REVIEWED, EPISODE_CLOSED, MESSAGE_RECEIVED
from eventbus import Outgoing
from google.protobuf.message import Message
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.events_pb2 import AssessmentDrafted, AssessmentReviewed, EpisodeClosed
from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, ClinicalFact, PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from minio import Minio
from native_stack import Stack
from servicekit.objects import connect
from testkit import Backends, RunningStack
from testkit.signing import publishing

PATIENT = PatientKey(id="P1", authority="TEST")
BUCKET = "reasoning-episodes"
EPISODE = b"an episode"
pytestmark = pytest.mark.timeout(180)


class Stores:
    """A record, an assessment, its review and its episode, all as events say."""

    def __init__(self, running: RunningStack) -> None:
        self.running = running
        self.name = str(uuid.uuid4())
        self.fact = ClinicalFact(fact_id=f"f-{self.name}", kind=FACT_KIND_ALLERGY, text="penicillin")
        statement = wire.AssessedStatement(statement_id="s1", text="Takes metformin.", released=True)
        self.assessment = wire.Assessment(assessment_id=self.name, episode_id=self.name, statements=[statement])
        self.assessment.patient.CopyFrom(PATIENT)
        self.review = AssessmentReviewed(review_id=str(uuid.uuid4()), assessment_id=self.name, patient=PATIENT)
        self.episode = ObjectRef(bucket=BUCKET, key=self.name, size=len(EPISODE))

    @property
    def minio(self) -> Minio:
        lines = self.running.endpoints
        keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
        return connect(lines["LONGITUDE_OBJECTS"], *keys)

    def put(self, data: bytes) -> None:
        self.minio.put_object(BUCKET, self.name, io.BytesIO(data), len(data))

    def execute(self, query: str, *values: object, schema: str = "reasoning") -> None:
        """As the owner of the tables."""
        dsn = self.running.endpoints[f"LONGITUDE_POSTGRES_{schema.upper()}"]
        with psycopg.connect(dsn, options=f"-c search_path={schema}", autocommit=True) as connection:
            connection.execute(query.encode(), values)

    def insert_assessment(self, name: str, data: bytes) -> None:
        self.execute(
            "INSERT INTO assessment VALUES (%s, '', %s, %s, %s, now())", name, PATIENT.id, PATIENT.authority, data
        )

    async def fill(self) -> None:
        self.put(EPISODE)
        self.episode.sha256 = hashlib.sha256(EPISODE).hexdigest()
        self.insert_assessment(self.name, bytes_of(self.assessment))
        self.execute("INSERT INTO episode VALUES (%s, %s, %s)", self.name, self.name, bytes_of(self.episode))
        self.execute(
            "INSERT INTO review VALUES (%s, %s, %s, now())", self.review.review_id, self.name, bytes_of(self.review)
        )
        message = MessageReceived(header=MessageHeader(control_id="c"), patient=PatientIdentity(key=PATIENT))
        message.facts.append(self.fact)
        closed = EpisodeClosed(episode_id=self.name, assessment_id=self.name, patient=PATIENT, episode=self.episode)
        async with publishing(self.running.endpoints["LONGITUDE_KAFKA"]) as publish:
            for topic, event in (
                (MESSAGE_RECEIVED, message),
                (ASSESSMENT_DRAFTED, AssessmentDrafted(assessment=self.assessment)),
                (EPISODE_CLOSED, closed),
                (ASSESSMENT_REVIEWED, self.review),
            ):
                await publish(Outgoing(topic, str(uuid.uuid4()), b"k", event, datetime.now(UTC)))
        await asyncio.to_thread(self._until_recorded)

    def _until_recorded(self) -> None:
        dsn = self.running.endpoints["LONGITUDE_POSTGRES_MEMORY"]
        with psycopg.connect(dsn, options="-c search_path=memory", autocommit=True) as connection:
            for _ in range(600):
                row = connection.execute("SELECT 1 FROM fact WHERE fact_id = %s", (self.fact.fact_id,)).fetchone()
                if row is not None:
                    return
                connection.execute("SELECT pg_sleep(0.1)")
        raise AssertionError("memory did not record it")


def bytes_of(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def stores(new_stack: Callable[..., Stack]) -> Stores:
    nowhere = {"triton": "127.0.0.1:1"}
    stack = new_stack(("kafka", "postgres", "objects", "auditing", "memory", "reasoning"), (), nowhere)
    made = Stores(RunningStack(stack, stack.endpoints()))
    asyncio.run(made.fill())
    return made


@pytest.fixture
def verify(backends: Backends, stores: Stores, tmp_path: Path) -> Callable[[], dict[str, Any]]:
    """The report of one who has never met this log."""
    (tmp_path / "var").mkdir()
    lines = backends.issuer | stores.running.endpoints
    (tmp_path / "var/stack.env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def verified() -> dict[str, Any]:
        command = [sys.executable, "-m", "client", "audit", "verify", "--json"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.stdout, ran.stderr
        report: dict[str, Any] = json.loads(ran.stdout)
        assert ran.returncode == (0 if report["holds"] else 1)
        return report

    return verified


Verify = Callable[[], dict[str, Any]]


def test_stores_that_hold_what_was_logged_are_counted(stores: Stores, verify: Verify) -> None:
    report = verify()
    assert (report["problems"], report["not_looked_at"]) == ([], [])
    assert report["rows"] == {
        "reasoning.assessment": 1,
        "reasoning.review": 1,
        "reasoning.episode": 1,
        "memory.fact": 1,
    }
    assert (report["objects"], report["unsigned"], report["tiles"]) == (1, 0, 2)


def test_who_is_shown_rows_by_policies_alone_gets_an_error_and_not_rows_missing(stores: Stores) -> None:
    rows = Rows(stores.running.endpoints["LONGITUDE_POSTGRES_MEMORY_SERVICE"])
    with pytest.raises(UnreachableError, match=r"memory\.fact cannot be read \(InsufficientPrivilege\)"):
        asyncio.run(rows.digests("memory.fact"))


@contextmanager
def altered(stores: Stores, query: str, undo: str, before: bytes, after: bytes, name: str) -> Iterator[None]:
    stores.execute(query, after, name)
    try:
        yield
    finally:
        stores.execute(undo, before, name)


@pytest.mark.parametrize("table", ["assessment", "review", "episode"])
def test_an_altered_row_is_found(stores: Stores, verify: Verify, table: str) -> None:
    column, key = {"assessment": ("assessment", "assessment_id"), "review": ("review", "review_id")}.get(
        table, ("object", "episode_id")
    )
    row: Any = {"assessment": stores.assessment, "review": stores.review, "episode": stores.episode}[table]
    name = stores.review.review_id if table == "review" else stores.name
    query = f"UPDATE {table} SET {column} = %s WHERE {key} = %s"
    with altered(stores, query, query, bytes_of(row), bytes_of(row) + b"\x92\x3f\x01x", name):
        report = verify()
    assert report["problems"] == [f"reasoning.{table} {name}: the row was altered after it was logged"]


def test_an_altered_record_is_found_though_its_table_refuses_change(stores: Stores, verify: Verify) -> None:
    """Its owner drops the trigger, changes the fact and puts the trigger back."""
    name, told = stores.fact.fact_id, ClinicalFact()
    told.CopyFrom(stores.fact)
    told.patient.CopyFrom(PATIENT)
    before = bytes_of(told)
    told.text = "none"
    change = "ALTER TABLE fact DISABLE TRIGGER USER; UPDATE fact SET payload = {} WHERE fact_id = '{}'"
    for data, wanted in ((bytes_of(told), ["was altered after it was logged"]), (before, [])):
        stores.execute(change.format(f"'\\x{data.hex()}'::bytea", name), schema="memory")
        stores.execute("ALTER TABLE fact ENABLE TRIGGER USER", schema="memory")
        assert verify()["problems"] == [f"memory.fact {name}: the row {each}" for each in wanted]


def test_what_was_never_logged_is_found(stores: Stores, verify: Verify) -> None:
    name = str(uuid.uuid4())
    stores.insert_assessment(name, b"")
    try:
        assert verify()["problems"] == [f"reasoning.assessment {name}: the row was never logged"]
    finally:
        stores.execute("DELETE FROM assessment WHERE assessment_id = %s", name)


def test_what_was_deleted_is_found(stores: Stores, verify: Verify) -> None:
    stores.execute("DELETE FROM review")
    try:
        assert verify()["problems"] == [
            f"reasoning.review {stores.review.review_id}: the row was logged and is not there"
        ]
    finally:
        stores.execute(
            "INSERT INTO review VALUES (%s, %s, %s, now())",
            stores.review.review_id,
            stores.name,
            bytes_of(stores.review),
        )


def test_rows_that_their_owner_hides_are_seen(stores: Stores, verify: Verify) -> None:
    """The verifier is of a role that no owner holds: neither a policy nor a withdrawn right blinds it."""
    stores.execute("ALTER TABLE assessment ENABLE ROW LEVEL SECURITY; REVOKE ALL ON assessment FROM PUBLIC")
    try:
        assert verify()["rows"]["reasoning.assessment"] == 1
    finally:
        stores.execute("ALTER TABLE assessment DISABLE ROW LEVEL SECURITY")
    with (
        pytest.raises(psycopg.Error),
        psycopg.connect(stores.running.endpoints["LONGITUDE_POSTGRES_VERIFIER"]) as connection,
    ):
        connection.execute("SET default_transaction_read_only = off; DELETE FROM reasoning.assessment")


def test_an_altered_or_deleted_object_is_found(stores: Stores, verify: Verify) -> None:
    stores.put(b"another episode")
    try:
        assert verify()["problems"] == [f"{BUCKET}/{stores.name}: the object is altered"]
        stores.minio.remove_object(BUCKET, stores.name)
        assert verify()["problems"] == [f"{BUCKET}/{stores.name}: the object is gone"]
    finally:
        stores.put(EPISODE)


def test_an_altered_tile_is_found_where_the_service_tells_the_truth(stores: Stores, verify: Verify) -> None:
    name = next(each.object_name for each in stores.minio.list_objects("auditing-log", "tile/entries/", recursive=True))
    for place in (name or "", (name or "").replace("entries", "0")):
        size = int(place.rpartition("/")[2])
        assert (verify()["problems"], size > 0) == ([], True)
        newest = max(
            (
                each.object_name or ""
                for each in stores.minio.list_objects("auditing-log", place.rpartition("/")[0], recursive=True)
            ),
            key=lambda path: int(path.rpartition("/")[2]),
        )
        before = stores.minio.get_object("auditing-log", newest).data
        after = before[:-1] + bytes([before[-1] ^ 1])
        stores.minio.put_object("auditing-log", newest, io.BytesIO(after), len(after))
        try:
            assert verify()["problems"] == [f"auditing-log/{newest}: the tile is altered"]
        finally:
            stores.minio.put_object("auditing-log", newest, io.BytesIO(before), len(before))
