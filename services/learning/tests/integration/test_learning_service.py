"""The service as it runs: events over Kafka, commands over gRPC and from a shell, trainers as its children."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest
from client.api import LearningClient
from client.errors import NotThereError, RefusedError
from contracts.identifiers import event_id, format_patient, patient_partition_key
from contracts.topics import ASSESSMENT_REVIEWED, EPISODE_CLOSED
from eventbus import Outgoing
from google.protobuf.message import Message
from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed, EpisodeClosed
from longitude.record.v1.fact_pb2 import PatientKey
from native_stack import Stack
from servicekit.objects import ObjectStore
from testkit import RunningStack
from testkit.signing import publishing


@pytest.fixture(scope="module")
def running(new_stack: Callable[..., Stack]) -> RunningStack:
    stack = new_stack(("kafka", "postgres", "objects", "learning"))
    return RunningStack(stack, stack.endpoints())


@pytest.fixture
async def learning(running: RunningStack) -> AsyncIterator[LearningClient]:
    async with LearningClient.connect(running.endpoints["LONGITUDE_LEARNING"]) as client:
        yield client


def command(running: RunningStack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "client", "learn", *arguments],
        env=os.environ | running.endpoints,
        cwd=running.directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def objects(running: RunningStack, bucket: str) -> ObjectStore:
    lines = running.endpoints
    keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
    return ObjectStore(lines["LONGITUDE_OBJECTS"], *keys, bucket)


async def send(running: RunningStack, patient: PatientKey, *names: str) -> None:
    """An episode and its review for each name, as reasoning publishes them."""
    theirs = objects(running, "reasoning-episodes")
    async with publishing(running.endpoints["LONGITUDE_KAFKA"]) as publish:
        for name in names:
            data = Episode(episode_id=event_id("episode", name)).SerializeToString()
            reference = await theirs.put(name, data, "application/protobuf")
            assessment_id = event_id("assessment", name)
            closed = EpisodeClosed(
                episode_id=event_id("episode", name),
                assessment_id=assessment_id,
                patient=patient,
                episode=reference,
            )
            await publish(outgoing(EPISODE_CLOSED, f"e {name}", closed, patient))
            kept = wire.ReviewedStatement(decision=wire.REVIEW_DECISION_ACCEPTED, original="text")
            review = AssessmentReviewed(
                review_id=event_id("review", name),
                assessment_id=assessment_id,
                patient=patient,
                reviewer="R",
                statements=[kept],
            )
            await publish(outgoing(ASSESSMENT_REVIEWED, f"r {name}", review, patient))


def outgoing(topic: Any, name: str, payload: Message, patient: PatientKey) -> Outgoing:
    return Outgoing(topic, event_id("test", name), patient_partition_key(patient), payload, datetime.now(UTC))


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.1)


async def test_what_a_patient_allows_is_kept_and_what_is_withdrawn_is_gone(
    running: RunningStack, learning: LearningClient, patient: PatientKey
) -> None:
    assert command(running, "consent", format_patient(patient)).returncode == 1
    assert command(running, "consent", format_patient(patient), "--give", "--by", "NWD17").returncode == 0
    await send(running, patient, *(f"{patient.id} {number}" for number in range(3)))

    async def all_kept() -> bool:
        kept = await learning.consent(patient)
        return (kept.episodes, kept.reviews) == (3, 3)

    await until(all_kept)
    withdrawn = command(running, "consent", format_patient(patient), "--withdraw", "--json")
    assert json.loads(withdrawn.stdout)["deleted"] == 6

    async def all_gone() -> bool:
        names = [f"{patient.id} {number}" for number in range(3)]
        stored = [Episode(episode_id=event_id("episode", name)).SerializeToString() for name in names]
        ours = objects(running, "learning-episodes")
        return [await ours.find(hashlib.sha256(data).hexdigest()) for data in stored] == [None] * 3

    await until(all_gone)


def trainers(running: RunningStack) -> list[psutil.Process]:
    record = running.stack.record()
    service = record.parts["learning"].process if record is not None else None
    assert service is not None
    children = psutil.Process(service.pid).children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "learning.train" in child.cmdline()]


async def test_the_service_trains_what_is_queued_and_a_killed_trainer_is_replaced(
    running: RunningStack, learning: LearningClient
) -> None:
    request = pb.StartJobRequest(request_id=uuid.uuid4().hex, recipe="line-fit", steps=200, started_by="NWD17")
    job = await learning.start(request)

    async def halfway() -> bool:
        return (await learning.job(job.job_id)).step > 20

    await until(halfway)
    (trainer,) = trainers(running)
    assert trainer.nice() == psutil.Process().nice() + 10
    os.kill(trainer.pid, signal.SIGKILL)
    followed = await asyncio.to_thread(command, running, "status", job.job_id, "--follow", "--json")
    assert followed.returncode == 0, followed.stderr
    done = json.loads(followed.stdout)
    assert (done["state"], done["attempts"], done["step"]) == ("JOB_STATE_DONE", 2, 200)
    drawn = await asyncio.to_thread(command, running, "curves", job.job_id)
    assert "loss" in drawn.stdout
    assert "(step 200)" in drawn.stdout
    promoted = await asyncio.to_thread(command, running, "promote", done["version_id"], "--by", "NWD17")
    assert promoted.returncode == 0, promoted.stderr
    (entry,) = [each for each in await learning.versions() if each.version.version_id == done["version_id"]]
    assert entry.state == pb.VERSION_STATE_LIVE
    assert (await learning.roll_back("", "a test")).live_version_id == ""


async def test_stopping_ends_the_trainer(running: RunningStack, learning: LearningClient) -> None:
    request = pb.StartJobRequest(request_id=uuid.uuid4().hex, recipe="line-fit", steps=100_000, started_by="NWD17")
    job = await learning.start(request)

    async def begun() -> bool:
        return (await learning.job(job.job_id)).step > 2

    await until(begun)
    assert (await asyncio.to_thread(command, running, "stop", job.job_id)).returncode == 0

    async def nobody() -> bool:
        return trainers(running) == []

    await until(nobody)


async def test_a_trainer_ends_with_its_service_and_the_next_service_resumes_the_job(
    running: RunningStack, learning: LearningClient
) -> None:
    request = pb.StartJobRequest(request_id=uuid.uuid4().hex, recipe="line-fit", steps=400, started_by="NWD17")
    job = await learning.start(request)

    async def begun() -> bool:
        return (await learning.job(job.job_id)).step > 20

    await until(begun)
    (trainer,) = trainers(running)
    await asyncio.to_thread(running.kill, "learning")

    async def gone() -> bool:
        return not trainer.is_running() or trainer.status() == psutil.STATUS_ZOMBIE

    await until(gone, 20)
    await asyncio.to_thread(running.start, "learning")

    async def done() -> bool:
        return (await learning.job(job.job_id)).state == pb.JOB_STATE_DONE

    await until(done, 90)
    assert (await learning.job(job.job_id)).attempts == 2
    curve, *_ = await learning.curves(job.job_id, ["loss"])
    assert [point.step for point in curve.points] == [*range(1, 401)]


async def test_what_nobody_knows_or_may_is_said(learning: LearningClient, patient: PatientKey) -> None:
    with pytest.raises(NotThereError, match="no such job"):
        await learning.job("nobody's")
    with pytest.raises(NotThereError, match="no such version"):
        await learning.promote(str(uuid.uuid4()), "NWD17")
    for wrong in ("", "x" * 300):
        with pytest.raises(RefusedError, match="decided_by"):
            await learning.set_consent(patient, wrong, given=True)
    with pytest.raises(RefusedError, match="patient"):
        await learning.set_consent(PatientKey(id="1"), "NWD17", given=True)
    assert (await learning.report(30)).episodes >= 0
