"""Jobs and their trainers: real processes that learn something small, on a real PostgreSQL and a real S3."""

import asyncio
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from contracts.errors import ConflictError, InvalidInputError, NotFoundError
from contracts.identifiers import event_id
from learning import handlers
from learning.adapters.postgres import jobs
from learning.domain.jobs import Order
from longitude.learning.v1 import learning_service_pb2 as pb
from longitude.learning.v1.events_pb2 import CandidateTrained
from longitude.record.v1.fact_pb2 import PatientKey
from testkit import Backends

LEASE = timedelta(seconds=30)
STEPS = 60


def order(steps: int = STEPS, seed: int = 7, recipe: str = "line-fit", request_id: str = "") -> Order:
    return Order(request_id or uuid.uuid4().hex, recipe, seed, steps, "NWD17")


async def start(world: Any, **what: Any) -> pb.Job:
    job: pb.Job = await handlers.on_job_ordered(order(**what), world.parts)
    return job


async def seen(world: Any, job_id: str) -> pb.Job:
    job: pb.Job = await handlers.on_job_asked_for(job_id, world.parts)
    return job


async def until_step(world: Any, job_id: str, step: int) -> pb.Job:
    async with asyncio.timeout(60):
        while (job := await seen(world, job_id)).step < step:
            await asyncio.sleep(0.02)
    return job


async def ended(trainer: "subprocess.Popen[bytes]") -> int:
    return await asyncio.to_thread(trainer.wait, 60)


@contextmanager
def running(world: Any, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    trainer = world.trainer(**settings)
    try:
        yield trainer
    finally:
        if trainer.poll() is None:
            trainer.kill()
        trainer.wait()


async def test_the_same_request_is_one_job_and_another_under_its_id_is_refused(world: Any) -> None:
    first = await start(world, request_id="r")
    assert (await start(world, request_id="r")).job_id == first.job_id
    with pytest.raises(ConflictError):
        await start(world, request_id="r", seed=8)
    assert [each.job_id for each in await handlers.on_jobs_listed(world.parts)] == [first.job_id]


@pytest.mark.parametrize("what", [{"steps": 0}, {"recipe": "../x"}, {"request_id": "x" * 201}])
async def test_an_order_that_cannot_be_is_refused(world: Any, what: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        await start(world, **what)


async def test_a_job_nobody_knows_is_not_found(world: Any) -> None:
    with pytest.raises(NotFoundError):
        await seen(world, str(uuid.uuid4()))


async def test_a_trainer_without_a_job_ends_at_once(world: Any) -> None:
    with running(world) as trainer:
        assert await ended(trainer) == 0


async def test_a_job_is_trained_to_its_end_with_its_curves_and_one_candidate(world: Any) -> None:
    job = await start(world)
    with running(world) as trainer:
        assert (await until_step(world, job.job_id, 2)).HasField("seconds_left")
        assert await ended(trainer) == 0
    done = await seen(world, job.job_id)
    assert (done.state, done.step, done.attempts, done.reason) == (pb.JOB_STATE_DONE, STEPS, 1, "")
    (loss, slope) = await handlers.on_curves_asked_for(job.job_id, [], world.parts)
    assert [point.step for point in loss.points] == [*range(1, STEPS + 1)]
    assert loss.points[-1].value < loss.points[0].value / 4
    assert {each.name: each.value for each in done.figures} == {
        "loss": loss.points[-1].value,
        "slope": slope.points[-1].value,
    }
    await world.parts.outbox.sweep()
    (event,) = world.published
    assert isinstance(event.payload, CandidateTrained)
    assert event.payload.version.version_id == done.version_id
    line = await world.versions.get(event.payload.version.artifact)
    assert json.loads(line)[0] == pytest.approx(slope.points[-1].value)


async def test_a_job_killed_in_the_middle_goes_on_where_it_was_and_ends_as_if_it_had_not_been(world: Any) -> None:
    undisturbed, job = await start(world), await start(world)
    with running(world) as trainer:
        assert await ended(trainer) == 0
    for step in (10, 25, 45):
        with running(world) as trainer:
            await until_step(world, job.job_id, step)
            os.kill(trainer.pid, signal.SIGKILL)
            assert await ended(trainer) == -signal.SIGKILL
        at = (await seen(world, job.job_id)).step
        assert (await seen(world, job.job_id)).state == pb.JOB_STATE_RUNNING
        # The next waits for the lease of the one that died, and no longer.
        await until_lapsed(world)
        with running(world) as trainer:
            went_on = await until_step(world, job.job_id, at + 1)
            assert went_on.attempts > 1
            trainer.terminate()
            await ended(trainer)
    with running(world) as trainer:
        assert await ended(trainer) == 0
    first, second = [await handlers.on_curves_asked_for(each.job_id, [], world.parts) for each in (undisturbed, job)]
    assert first == second
    made = [await seen(world, each.job_id) for each in (undisturbed, job)]
    assert [each.state for each in made] == [pb.JOB_STATE_DONE] * 2
    assert made[1].attempts == 7
    rows = await world.rows("SELECT count(*), count(DISTINCT key) FROM version")
    assert rows == [(2, 1)]


async def until_lapsed(world: Any) -> None:
    async with asyncio.timeout(20):
        while await world.rows("SELECT FROM job WHERE state = 'running' AND leased_until > clock_timestamp()"):
            await asyncio.sleep(0.1)


async def test_a_trainer_that_lost_its_job_writes_nothing_any_more(world: Any) -> None:
    job = await start(world)
    async with world.store.connection() as conn:
        first = await jobs.take(conn, "first", timedelta(0))
        second = await jobs.take(conn, "second", LEASE)
        assert first is not None
        assert second is not None
        assert not await jobs.progress(conn, first, 1, {"loss": 9.0}, LEASE)
        assert not await jobs.renew(conn, first, LEASE)
        assert not await jobs.end(conn, first, "done")
        await jobs.release(conn, first)
        assert await jobs.progress(conn, second, 1, {"loss": 1.0}, LEASE)
        assert await jobs.take(conn, "third", LEASE) is None
    (curve,) = await handlers.on_curves_asked_for(job.job_id, [], world.parts)
    assert [point.value for point in curve.points] == [1.0]


@pytest.mark.parametrize("many", [1, 1999, 2000, 2001, 5003])
async def test_a_long_curve_is_shown_evenly_and_with_its_ends(world: Any, many: int) -> None:
    job = await start(world, steps=many)
    async with world.store.connection() as conn:
        lease = await jobs.take(conn, "one", LEASE)
        assert lease is not None
        await jobs.progress(conn, lease, many, {"loss": 0.0}, LEASE)
        points = "INSERT INTO point SELECT %s, 'loss', n, n FROM generate_series(1, %s) AS n ON CONFLICT DO NOTHING"
        await conn.execute(points, (job.job_id, many))
    (curve,) = await handlers.on_curves_asked_for(job.job_id, [], world.parts)
    steps = [point.step for point in curve.points]
    assert (steps[0], steps[-1]) == (1, many)
    assert min(many, 1000) <= len(steps) <= jobs.MOST_POINTS
    assert len({after - before for before, after in pairwise(steps[:-1])}) <= 1


async def test_a_job_goes_to_one_of_many_trainers(world: Any) -> None:
    await start(world)

    async def take(name: str) -> object:
        async with world.store.connection() as conn:
            return await jobs.take(conn, name, LEASE)

    taken = await asyncio.gather(*(take(str(number)) for number in range(8)))
    assert sum(each is not None for each in taken) == 1


async def test_stopping_ends_the_training_and_publishes_nothing(world: Any) -> None:
    job = await start(world, steps=100_000)
    with running(world) as trainer:
        await until_step(world, job.job_id, 3)
        stopped = await handlers.on_job_stopped(job.job_id, world.parts)
        assert stopped.state == pb.JOB_STATE_STOPPED
        assert await ended(trainer) == 1
    assert (await seen(world, job.job_id)).step == stopped.step
    assert (await handlers.on_job_stopped(job.job_id, world.parts)).state == pb.JOB_STATE_STOPPED
    assert await world.rows("SELECT * FROM version") == await world.rows("SELECT * FROM outbox") == []


async def test_a_job_that_is_done_is_not_stopped(world: Any) -> None:
    job = await start(world, steps=1)
    with running(world) as trainer:
        await ended(trainer)
    with pytest.raises(ConflictError, match="done"):
        await handlers.on_job_stopped(job.job_id, world.parts)


async def test_a_recipe_that_nobody_installed_fails_its_job_by_name(world: Any) -> None:
    job = await start(world, recipe="nobodys")
    with running(world) as trainer:
        assert await ended(trainer) == 1
    failed = await seen(world, job.job_id)
    assert failed.state == pb.JOB_STATE_FAILED
    assert failed.reason.startswith("recipe-missing: no installed package has an entry point training.recipes:nobodys")
    assert "line-fit" in failed.reason


BROKEN = """
import os, signal
from contracts.errors import UnavailableError
class Dies:
    def run(self, job, report):
        os.kill(os.getpid(), signal.SIGKILL)
class Raises:
    def run(self, job, report):
        raise ValueError("a text of the training set")
class Lacks:
    def run(self, job, report):
        raise UnavailableError("triton is away")
class Fills:
    def run(self, job, report):
        raise OSError(28, "No space left on device", "/a/path")
"""


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """A folder with a package of recipes that fail, each in its own way."""
    (tmp_path / "broken.py").write_text(BROKEN)
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    names = [f"{name.lower()} = broken:{name}" for name in ("Dies", "Raises", "Lacks", "Fills")]
    (info / "entry_points.txt").write_text("\n".join(["[training.recipes]", *names]))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("recipe", "attempts", "reason"),
    [
        ("raises", 1, "ValueError"),
        ("fills", 1, "OSError: No space left on device"),
        ("dies", 3, "trainer-died"),
        ("lacks", 3, "UnavailableError"),
    ],
)
async def test_what_fails_is_named_and_what_may_pass_is_tried_three_times(
    world: Any, broken: str, monkeypatch: pytest.MonkeyPatch, recipe: str, attempts: int, reason: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", broken)
    job = await start(world, recipe=recipe)
    for _ in range(attempts):
        with running(world) as trainer:
            assert await ended(trainer) != 0
        await until_lapsed(world)
    with running(world) as trainer:
        assert await ended(trainer) == 0
    failed = await seen(world, job.job_id)
    assert (failed.state, failed.reason, failed.attempts) == (pb.JOB_STATE_FAILED, reason, attempts)


async def test_a_trainer_told_to_end_gives_its_job_back_at_once(world: Any) -> None:
    job = await start(world, steps=100_000)
    with running(world, LEASE_SECONDS="600") as trainer:
        await until_step(world, job.job_id, 3)
        trainer.terminate()
        assert await ended(trainer) == 1
    with running(world, LEASE_SECONDS="600"):
        assert (await until_step(world, job.job_id, 6)).attempts == 2


async def test_the_others_of_a_run_train_the_same_job_and_say_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = await start(world, steps=200)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "run")
    monkeypatch.setenv("RANK", "1")
    with running(world, WORK=str(tmp_path / "other")) as follower:
        monkeypatch.setenv("RANK", "0")
        with running(world) as leader:
            assert [await ended(leader), await ended(follower)] == [0, 0]
    assert (await seen(world, job.job_id)).attempts == 1
    lines = [(tmp_path / folder / job.job_id / "line.json").read_text() for folder in ("other", "jobs")]
    assert lines[0] == lines[1]
    assert await world.rows("SELECT count(*) FROM version") == [(1,)]


async def test_a_trainer_reads_what_may_be_learned_from_and_not_what_was_withdrawn(
    world: Any, patient: PatientKey
) -> None:
    job = await start(world, steps=1)
    await handlers.on_consent_set(patient, "NWD17", world.parts, given=True)
    for name in ("a", "b", "c"):
        await handlers.on_episode_closed(await world.episode(patient, name), parts=world.parts)
    # One is withdrawn from the store and not yet from the set.
    ((key,),) = await world.rows("SELECT key FROM episode ORDER BY episode_id LIMIT 1")
    await world.ours.remove(key)
    with running(world) as trainer:
        assert await ended(trainer) == 0
    await world.parts.outbox.sweep()
    trained = [each.payload for each in world.published if isinstance(each.payload, CandidateTrained)]
    assert trained[0].version.data == "64 points, 2 episodes"
    assert trained[0].version.job_id == job.job_id


async def test_finishing_that_is_killed_before_its_transaction_is_finished_by_the_next_trainer(
    world: Any, backends: Backends
) -> None:
    job = await start(world, steps=5)
    ((database,),) = await world.rows("SELECT current_database()")
    with running(world) as trainer:
        async with await psycopg.AsyncConnection.connect(backends.owner_of(database)) as conn, conn.transaction():
            await conn.execute("LOCK TABLE learning.version IN EXCLUSIVE MODE")
            await until_step(world, job.job_id, 5)
            async with asyncio.timeout(20):
                while not await world.rows("SELECT FROM pg_locks WHERE NOT granted"):
                    await asyncio.sleep(0.05)
            os.kill(trainer.pid, signal.SIGKILL)
            await ended(trainer)
    assert await world.rows("SELECT * FROM version") == await world.rows("SELECT * FROM outbox") == []
    assert (await seen(world, job.job_id)).state == pb.JOB_STATE_RUNNING
    await until_lapsed(world)
    with running(world) as trainer:
        assert await ended(trainer) == 0
    assert (await seen(world, job.job_id)).version_id == event_id("learning-version", job.job_id)
    assert await world.rows("SELECT count(*) FROM object") == [(1,)]
