"""What every keeper of vectors must do: the engine in process, the client's local mode, a server if one is named."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from memory.adapters.qdrant_edge import QdrantEdge
from memory.adapters.qdrant_server import QdrantServer
from memory.domain.vectors import DIMENSIONS, Point, VectorIndex
from qdrant_client import AsyncQdrantClient

SERVER = os.environ.get("QDRANT_URL", "")
KEEPERS = [
    "edge",
    pytest.param("local", marks=pytest.mark.filterwarnings("ignore:Payload indexes have no effect")),
    pytest.param("server", marks=pytest.mark.skipif(not SERVER, reason="QDRANT_URL names no server")),
]


@asynccontextmanager
async def keeper(name: str, folder: Path) -> AsyncIterator[VectorIndex]:
    if name == "edge":
        async with QdrantEdge.open(folder / "edge") as edge:
            yield edge
    elif name == "local":
        client = AsyncQdrantClient(path=str(folder / "local"))
        yield QdrantServer(client)
        await client.close()
    else:
        async with QdrantServer.connect(SERVER) as server:
            yield server


@pytest.fixture(params=KEEPERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def collection() -> str:
    return f"conformance_{uuid.uuid4().hex}"


def vector(seed: int) -> list[float]:
    values = np.random.default_rng(seed).normal(size=DIMENSIONS)
    return [float(value) for value in values / np.linalg.norm(values)]


def point(seed: int, identifier: int = 1) -> Point:
    return Point(str(uuid.uuid5(uuid.NAMESPACE_OID, str(seed))), vector(seed), {"identifier": identifier})


async def test_the_nearest_point_comes_first_with_its_cosine(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(n) for n in range(20)])
        hits = await index.search(collection, vector(7), 3)
    assert hits[0].id == point(7).id
    assert hits[0].score == pytest.approx(1.0, abs=1e-4)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[1].score == pytest.approx(
        max(float(np.dot(vector(7), vector(n))) for n in range(20) if n != 7), abs=1e-4
    )


async def test_a_filter_keeps_other_persons_points_out(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(n, identifier=n % 3) for n in range(30)])
        hits = await index.search(collection, vector(7), 30, {"identifier": [0, 2]})
        none = await index.search(collection, vector(7), 30, {"identifier": [99]})
    assert {hit.id for hit in hits} == {point(n).id for n in range(30) if n % 3 in (0, 2)}
    assert none == []


async def test_a_point_written_again_is_replaced(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(1)])
        await index.upsert(collection, [Point(point(1).id, vector(2), {"identifier": 5})])
        assert await index.count(collection) == 1
        (hit,) = await index.search(collection, vector(2), 5, {"identifier": [5]})
    assert hit.score == pytest.approx(1.0, abs=1e-4)


async def test_what_was_acknowledged_is_there_after_a_restart(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(n) for n in range(5)])
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        assert await index.count(collection) == 5
        assert (await index.search(collection, vector(3), 1))[0].id == point(3).id


async def test_ensuring_a_collection_twice_loses_nothing(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(1)])
        await index.ensure(collection)
        assert await index.count(collection) == 1


async def test_an_empty_collection_finds_nothing(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        assert await index.search(collection, vector(1), 5) == []
        assert await index.count(collection) == 0
