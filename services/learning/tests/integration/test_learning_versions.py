"""What becomes of versions, on a real PostgreSQL: one serves, at most, and each decision is one event."""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from contracts.errors import ConflictError, InvalidInputError, NotFoundError
from learning import views
from learning.adapters.postgres import jobs, versions
from learning.domain.jobs import Order
from learning.flows import finishing, promoting
from longitude.learning.v1.events_pb2 import (
    CandidateTrained,
    Gate,
    VersionPromoted,
    VersionRefused,
    VersionRolledBack,
)
from testkit.recipes import Fitted
from testkit.recipes import Gate as Row

PERSON = "NWD17"
PASSED = Row("gold said", 0.71, 0.65, at_least=True)
FAILED = Row("gold said", 0.61, 0.65, at_least=True)


def made(folder: Path) -> Path:
    artifact = folder / uuid.uuid4().hex
    artifact.write_text(artifact.name)
    return artifact


async def trained(world: Any, *gates: Row) -> str:
    """A candidate, as a trainer leaves it."""
    order = Order(uuid.uuid4().hex, "line-fit", 1, 1, PERSON)
    async with world.store.connection() as conn:
        await jobs.add(conn, order)
        lease = await jobs.take(conn, "test", timedelta(seconds=30))
    assert lease is not None
    assert await finishing.finish(
        world.parts.objects, "learning-versions", lease, Fitted(made(world.folder), "made up", {"slope": 2.0}, gates)
    )
    async with world.store.connection() as conn:
        stored = await jobs.get(conn, lease.job_id)
    assert stored is not None
    assert stored.version_id is not None
    return stored.version_id


async def states(world: Any, *version_ids: str) -> list[str]:
    found = dict(await world.rows("SELECT version_id::text, state FROM version"))
    return [found[version_id] for version_id in version_ids]


async def told(world: Any, kind: type[Any]) -> list[Any]:
    await world.parts.outbox.sweep()
    return [each.payload for each in world.published if isinstance(each.payload, kind)]


async def test_a_candidate_has_its_artifact_its_figures_and_its_gates(world: Any) -> None:
    version_id = await trained(world, PASSED)
    (event,) = await told(world, CandidateTrained)
    assert event.version.version_id == version_id
    assert event.gates == [Gate(name="gold said", figure=0.71, bound=0.65, at_least=True, passed=True)]
    assert await world.versions.get(event.version.artifact)
    async with world.store.connection() as conn:
        (entry,) = map(views.version, await versions.newest(conn))
    assert entry.version == event.version
    assert entry.gates == event.gates


async def test_a_version_whose_gates_passed_is_promoted_by_a_person_once(world: Any) -> None:
    version_id = await trained(world, PASSED)
    first = await promoting.promote(version_id, PERSON, world.parts)
    assert await promoting.promote(version_id, PERSON, world.parts) == first
    (event,) = await told(world, VersionPromoted)
    assert (event.version_id, event.replaced_version_id, event.decided_by) == (version_id, "", PERSON)
    assert await states(world, version_id) == ["live"]


async def test_a_version_that_failed_a_gate_is_refused_with_the_figure_and_the_refusal_is_told_once(world: Any) -> None:
    version_id = await trained(world, FAILED)
    for _ in range(2):
        with pytest.raises(ConflictError, match=r"refused: gold said is 0\.61 and must be at least 0\.65"):
            await promoting.promote(version_id, PERSON, world.parts)
    (event,) = await told(world, VersionRefused)
    assert [gate.figure for gate in event.failed] == [0.61]
    assert await states(world, version_id) == ["refused"]
    # Measured again it may serve.
    assert await promoting.file_report(version_id, [PASSED], world.parts)
    await promoting.promote(version_id, PERSON, world.parts)
    assert await states(world, version_id) == ["live"]


async def test_a_version_that_nobody_measured_is_not_promoted(world: Any) -> None:
    version_id = await trained(world)
    with pytest.raises(ConflictError, match="not measured"):
        await promoting.promote(version_id, PERSON, world.parts)
    assert not await promoting.file_report(version_id, [], world.parts)
    with pytest.raises(ConflictError, match="not measured"):
        await promoting.promote(version_id, PERSON, world.parts)
    assert await states(world, version_id) == ["candidate"]


async def test_a_report_that_is_none_is_refused(world: Any) -> None:
    version_id = await trained(world)
    with pytest.raises(InvalidInputError):
        await promoting.file_report(version_id, [PASSED, FAILED], world.parts)
    with pytest.raises(NotFoundError):
        await promoting.file_report(str(uuid.uuid4()), [PASSED], world.parts)


async def test_rolling_back_needs_no_person_and_ends_at_the_base_model(world: Any) -> None:
    one, two = await trained(world, PASSED), await trained(world, PASSED)
    for version_id in (one, two):
        await promoting.promote(version_id, PERSON, world.parts)
    assert await states(world, one, two) == ["superseded", "live"]
    assert (await promoting.roll_back("", "slower", world.parts))[1] == one
    assert await states(world, one, two) == ["live", "rolled-back"]
    assert (await promoting.roll_back("", "", world.parts))[1] == ""
    with pytest.raises(ConflictError, match="base model"):
        await promoting.roll_back("", "", world.parts)
    events = await told(world, VersionRolledBack)
    assert [(each.version_id, each.live_version_id) for each in events] == [(two, one), (one, "")]
    with pytest.raises(ConflictError, match="rolled back"):
        await promoting.promote(two, PERSON, world.parts)


async def test_what_was_rolled_back_never_comes_back_by_rolling_back(world: Any) -> None:
    one, two = await trained(world, PASSED), await trained(world, PASSED)
    for version_id in (one, two, one):
        await promoting.promote(version_id, PERSON, world.parts)
    assert (await promoting.roll_back("", "", world.parts))[1] == two
    assert (await promoting.roll_back("", "", world.parts))[1] == ""
    assert await states(world, one, two) == ["rolled-back", "rolled-back"]


async def test_of_many_who_promote_at_once_one_version_serves_and_every_event_tells_what_it_replaced(
    world: Any,
) -> None:
    five = [await trained(world, PASSED) for _ in range(5)]
    await asyncio.gather(*(promoting.promote(each, PERSON, world.parts) for each in five))
    assert sorted(await states(world, *five)) == ["live", *["superseded"] * 4]
    events = {each.replaced_version_id: each.version_id for each in await told(world, VersionPromoted)}
    order, version_id = [], ""
    while version_id := events.get(version_id, ""):
        order.append(version_id)
    assert sorted(order) == sorted(five)
