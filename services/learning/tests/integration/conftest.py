"""The service's own pieces on real servers."""

import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import ASSESSMENT_REVIEWED, EPISODE_CLOSED, Topic
from eventbus import Event, Outbox, Outgoing
from google.protobuf.message import Message
from learning.adapters.objects import Objects
from learning.adapters.postgres import Store, open_store
from learning.flows.parts import Parts
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Action, Decision, Episode, ModelTurn, Step
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed, EpisodeClosed
from longitude.record.v1.fact_pb2 import PatientKey
from servicekit.objects import ObjectStore
from testkit import ObjectStorage

EPISODES, VERSIONS, THEIRS = "learning-episodes", "learning-versions", "reasoning-episodes"


class World:
    """A learning service without its process: its store and buckets, and what reasoning would have sent."""

    def __init__(self, store: Store, storage: ObjectStorage, dsn: str, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.published: list[Outgoing] = []
        self._storage, self._dsn = storage, dsn
        self.theirs, self.ours, self.versions = map(self._bucket, (THEIRS, EPISODES, VERSIONS))
        objects = Objects(store, {EPISODES: self.ours, VERSIONS: self.versions})
        self.parts = Parts(store, objects, Outbox(store.connection, self._publish), EPISODES, b"k" * 32, *_events())

    async def episode(self, patient: PatientKey, name: str = "") -> Event[EpisodeClosed]:
        """An episode that reasoning closed, in its bucket, and the event that says so."""
        name = name or uuid.uuid4().hex
        said = wire.STATEMENT_KIND_TREND
        steps = [
            Step(index=0, decision=Decision(by="rules", what="begin")),
            Step(index=1, turn=ModelTurn(role="editor", action_ids=[1, 2])),
            Step(index=2, decision=Decision(by="guard", what="say", action=Action(say=Action.Say(kind=said)))),
        ]
        data = Episode(episode_id=event_id("episode", name), steps=steps).SerializeToString()
        reference = await self.theirs.put(f"{name}.pb", data, "application/protobuf")
        closed = EpisodeClosed(
            episode_id=event_id("episode", name),
            assessment_id=event_id("assessment", name),
            patient=patient,
            episode=reference,
            steps=3,
            tokens=2,
        )
        return build_event(EPISODE_CLOSED, closed, f"episode {name}")

    def review(self, patient: PatientKey, name: str, *statements: wire.ReviewedStatement) -> Event[AssessmentReviewed]:
        """A physician's review of the assessment of that name."""
        review = AssessmentReviewed(
            review_id=event_id("review", name),
            assessment_id=event_id("assessment", name),
            patient=patient,
            reviewer="NWD17",
            decision=wire.REVIEW_DECISION_EDITED,
            statements=statements,
        )
        return build_event(ASSESSMENT_REVIEWED, review, f"review {name}")

    async def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        async with self.store.connection() as conn:
            return await (await conn.execute(query.encode(), parameters)).fetchall()

    def trainer(self, **changed: str) -> "subprocess.Popen[bytes]":
        """`python -m learning.train`, as an orchestrator starts it."""
        settings = {
            "POSTGRES": self._dsn,
            "OBJECTS": self._storage.endpoint,
            "OBJECTS_ACCESS_KEY": self._storage.access_key,
            "OBJECTS_SECRET_KEY": self._storage.secret_key,
            "PSEUDONYM_KEY_FILE": str(self.folder / "key"),
            "WORK": str(self.folder / "jobs"),
            "LEASE_SECONDS": "2",
            "KAFKA": "127.0.0.1:9",
            "GRPC_LISTEN": "127.0.0.1:0",
            "HTTP_LISTEN": "127.0.0.1:0",
        } | {name: value for name, value in changed.items() if name.isupper()}
        environment = os.environ | {f"LONGITUDE_{name}": value for name, value in settings.items()}
        with (self.folder / "trainer.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "learning.train"], env=environment, stderr=log)

    def _bucket(self, name: str) -> ObjectStore:
        storage = self._storage
        return ObjectStore(storage.endpoint, storage.access_key, storage.secret_key, name)

    async def _publish(self, outgoing: Outgoing) -> None:
        self.published.append(outgoing)


def _events() -> tuple[Any, Any]:
    import asyncio  # noqa: PLC0415 - of the loop that runs now

    return asyncio.Event(), asyncio.Event()


def build_event(topic: Topic[Any], payload: Message, name: str) -> Event[Any]:
    """The event as the bus would decode it; `name` decides its id."""
    value = payload.SerializeToString(deterministic=True)
    key = patient_partition_key(payload.patient)  # type: ignore[attr-defined]
    return Event(event_id("test", name), topic, key, payload, "", datetime.now(UTC), 0, 0, value, {})


@pytest.fixture
async def world(new_database: Callable[..., str], objects: ObjectStorage, tmp_path: Path) -> AsyncIterator[World]:
    dsn = new_database("learning")
    async with open_store(dsn) as store:
        yield World(store, objects, dsn, tmp_path)


@pytest.fixture
def patient() -> PatientKey:
    return PatientKey(id=f"NW-{uuid.uuid4().hex[:8]}", authority="NORTHWEST")
