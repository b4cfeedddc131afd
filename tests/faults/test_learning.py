"""Learning killed again and again while it collects and while it deletes: each episode of a patient who consented is
kept once with its object, of everybody else there is a count, and of who withdrew nothing is left.

The service is stopped (SIGSTOP) at a random moment and killed there; the moments come from the seed.
"""

import asyncio
import os
import random
import signal
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from client.api import LearningClient
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import ASSESSMENT_REVIEWED, EPISODE_CLOSED, Topic
from eventbus import Outgoing
from google.protobuf.message import Message
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed, EpisodeClosed
from longitude.record.v1.fact_pb2 import PatientKey
from native_stack import Stack
from servicekit.objects import ObjectStore, connect
from testkit.running import RunningStack
from testkit.signing import publishing

SEED = 13
ALLOWING, REFUSING, EPISODES, KILLS = 3, 2, 24, 5
BUCKET = "learning-episodes"


@dataclass(frozen=True)
class World:
    """A running learning service, and what reasoning would have sent it."""

    running: RunningStack
    chance: random.Random

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.running.endpoints["LONGITUDE_POSTGRES_LEARNING"]) as connection:
            connection.execute("SET search_path TO learning")
            return connection.execute(query.encode()).fetchall()

    def handled(self) -> int:
        """Events that had their effect."""
        return int(self.rows("SELECT count(*) FROM inbox")[0][0])

    def objects(self) -> set[str]:
        """The keys that stand in the bucket."""
        lines = self.running.endpoints
        keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
        store = connect(lines["LONGITUDE_OBJECTS"], *keys)
        return {each.object_name or "" for each in store.list_objects(BUCKET)}

    async def send(self, patients: list[PatientKey]) -> None:
        """Episodes and reviews of all of them, by turns and in one stream."""
        lines = self.running.endpoints
        keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
        theirs = ObjectStore(lines["LONGITUDE_OBJECTS"], *keys, "reasoning-episodes")
        async with publishing(lines["LONGITUDE_KAFKA"]) as publish:
            for number in range(EPISODES):
                for patient in patients:
                    name = f"{patient.id} {number}"
                    data = Episode(episode_id=event_id("episode", name)).SerializeToString()
                    reference = await theirs.put(name, data, "application/protobuf")
                    closed = EpisodeClosed(
                        episode_id=event_id("episode", name),
                        assessment_id=event_id("assessment", name),
                        patient=patient,
                        episode=reference,
                    )
                    await publish(event(EPISODE_CLOSED, name, closed, patient))
                    review = AssessmentReviewed(
                        review_id=event_id("review", name),
                        assessment_id=event_id("assessment", name),
                        patient=patient,
                        reviewer="R",
                        statements=[wire.ReviewedStatement(decision=wire.REVIEW_DECISION_ACCEPTED)],
                    )
                    await publish(event(ASSESSMENT_REVIEWED, name, review, patient))

    async def kill(self) -> None:
        """Stop the service at a random moment, kill it there, start it again."""
        await asyncio.sleep(self.chance.uniform(0.05, 0.6))
        record = self.running.stack.record()
        process = record.parts["learning"].process if record is not None else None
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.to_thread(self.running.kill, "learning")
        await asyncio.to_thread(self.running.start, "learning")

    @asynccontextmanager
    async def client(self) -> AsyncIterator[LearningClient]:
        async with LearningClient.connect(self.running.endpoints["LONGITUDE_LEARNING"]) as made:
            yield made

    async def until(self, holds: Callable[[], bool], within_s: float = 90) -> None:
        async with asyncio.timeout(within_s):
            while not await asyncio.to_thread(holds):
                await asyncio.sleep(0.2)


def event(topic: Topic[Any], name: str, payload: Message, patient: PatientKey) -> Outgoing:
    return Outgoing(topic, event_id(topic.name, name), patient_partition_key(patient), payload, datetime.now(UTC))


@pytest.fixture(scope="module")
def world(new_stack: Callable[..., Stack]) -> World:
    stack = new_stack(("kafka", "postgres", "objects", "learning"))
    return World(RunningStack(stack, stack.endpoints()), random.Random(SEED))


async def test_learning_killed_while_it_collects_keeps_each_episode_once_and_then_deletes_what_is_withdrawn(
    world: World,
) -> None:
    allowing, refusing = (
        [PatientKey(id=f"K-{uuid.uuid4().hex[:8]}", authority="NORTHWEST") for _ in range(many)]
        for many in (ALLOWING, REFUSING)
    )
    async with world.client() as client:
        for patient in allowing:
            await client.set_consent(patient, "NWD17", given=True)
    # All of it waits; each life of the service handles a part.
    await asyncio.to_thread(world.running.kill, "learning")
    await world.send([*allowing, *refusing])
    await asyncio.to_thread(world.running.start, "learning")
    every = ALLOWING * EPISODES
    handled = [world.handled()]
    while handled[-1] < (every + REFUSING * EPISODES) * 2 and len(handled) <= KILLS:
        await world.kill()
        handled.append(world.handled())
    counted = [("episode", REFUSING * EPISODES), ("review", REFUSING * EPISODES)]
    await world.until(lambda: world.handled() == (every + REFUSING * EPISODES) * 2)
    assert world.rows("SELECT count(*) FROM episode") == world.rows("SELECT count(*) FROM review") == [(every,)]
    assert world.rows("SELECT what, count FROM not_collected ORDER BY what") == counted
    assert world.objects() == {key for (key,) in world.rows("SELECT key FROM episode")}
    assert len(world.objects()) == every
    # Withdrawn, and killed before what was doomed is gone.
    for patient in allowing[1:]:
        async with world.client() as client:
            answer = await client.set_consent(patient, "NWD17", given=False)
        assert answer.deleted == 2 * EPISODES
        await world.kill()
    await world.until(lambda: len(world.objects()) == EPISODES)
    assert world.objects() == {key for (key,) in world.rows("SELECT key FROM episode")}
    assert world.rows("SELECT DISTINCT patient_id FROM episode") == [(allowing[0].id,)]
    assert world.rows("SELECT DISTINCT patient_id FROM review") == [(allowing[0].id,)]
    assert world.rows("SELECT count(*) FROM object") == [(EPISODES,)]
    changed = "SELECT count(*), count(published_at) FROM outbox"
    await world.until(lambda: world.rows(changed) == [(ALLOWING + 2, ALLOWING + 2)])
