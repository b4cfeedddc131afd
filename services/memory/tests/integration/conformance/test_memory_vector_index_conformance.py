"""What every keeper of vectors must do: the engine in process, the client's local mode, a server if one is named."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qdrant_edge
from memory.adapters.qdrant_edge import QdrantEdge
from memory.adapters.qdrant_server import QdrantServer
from memory.domain.vectors import DIMENSIONS, MEANING, WORDS, Point, VectorIndex
from memory.domain.words import asked, weighed
from qdrant_client import AsyncQdrantClient, models

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


def point(seed: int, identifier: int = 1, text: str | None = None) -> Point:
    words = None if text is None else weighed(text)
    return Point(str(uuid.uuid5(uuid.NAMESPACE_OID, str(seed))), vector(seed), {"identifier": identifier}, words)


TEXTS = ("bisoprolol stopped", "bisoprolol started", "the wound heals", "no bleeding", "weight unchanged")
ONLY = {"identifier": [1]}


async def make_as_before(name: str, folder: Path, collection: str, count: int, text: str | None = None) -> None:
    """A collection as this service made it when it had no words, or with a text none that told their edition."""
    sparse = None if text is None else weighed(text)
    points = [point(n) for n in range(count)]
    if name == "edge":
        dense = qdrant_edge.EdgeVectorParams(size=DIMENSIONS, distance=qdrant_edge.Distance.Cosine)
        idf = {WORDS: qdrant_edge.EdgeSparseVectorParams(modifier=qdrant_edge.Modifier.Idf)}
        place = folder / "edge" / collection
        place.mkdir(parents=True)
        config = qdrant_edge.EdgeConfig(vectors=dense, sparse_vectors={} if sparse is None else idf)
        shard = qdrant_edge.EdgeShard.create(str(place), config)
        kept: dict[str, Any] = {}
        if sparse is not None:
            kept[WORDS] = qdrant_edge.SparseVector(list(sparse), list(sparse.values()))
        rows = [qdrant_edge.Point(p.id, {MEANING: list(p.vector or ())} | kept, dict(p.payload)) for p in points]
        shard.update(qdrant_edge.UpdateOperation.upsert_points(rows))
        shard.close()
        return
    client = AsyncQdrantClient(path=str(folder / "local")) if name == "local" else AsyncQdrantClient(url=SERVER)
    await client.create_collection(
        collection,
        vectors_config=models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE),
        sparse_vectors_config=None
        if sparse is None
        else {WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    vectors: dict[str, models.SparseVector] = {}
    if sparse is not None:
        vectors[WORDS] = models.SparseVector(indices=list(sparse), values=list(sparse.values()))
    structs = [
        models.PointStruct(id=p.id, vector={MEANING: list(p.vector or ())} | vectors, payload=dict(p.payload))
        for p in points
    ]
    await client.upsert(collection, structs)
    await client.close()


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


async def test_a_word_finds_the_points_that_hold_it_without_a_direction(
    name: str, tmp_path: Path, collection: str
) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(n, text=text) for n, text in enumerate(TEXTS)])
        hits = await index.fused(collection, None, asked("Was bisoprolol stopped?"), 5, ONLY)
        nothing = [await index.fused(collection, None, asked(query), 5, ONLY) for query in ("warfarin", "?")]
    assert [hit.id for hit in hits] == [point(0).id, point(1).id]
    assert nothing == [[], []]


async def test_direction_and_words_are_fused_by_their_reciprocal_ranks(
    name: str, tmp_path: Path, collection: str
) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(n, text=text) for n, text in enumerate(TEXTS)])
        by_direction = [hit.id for hit in await index.search(collection, vector(1), 5, ONLY)]
        hits = await index.fused(collection, vector(1), asked("bisoprolol stopped"), 5, ONLY)
    by_words = [point(0).id, point(1).id]
    scores = dict.fromkeys(by_direction, 0.0)
    for ranking, weight in ((by_direction, 1.0), (by_words, 1.05)):
        for rank, each in enumerate(ranking, 1):
            scores[each] += 1 / (rank / weight + 1)
    assert {hit.id: hit.score for hit in hits} == {each: pytest.approx(score) for each, score in scores.items()}
    assert hits[0].id == point(1).id


async def test_words_decide_where_the_ranks_of_two_points_are_crossed(
    name: str, tmp_path: Path, collection: str
) -> None:
    first = []
    async with keeper(name, tmp_path) as index:
        for turn in range(8):
            await index.ensure(each := f"{collection}_{turn}")
            await index.upsert(each, [point(10 * turn, text=TEXTS[0]), point(10 * turn + 1, text=TEXTS[1])])
            hits = await index.fused(each, vector(10 * turn + 1), asked("bisoprolol stopped"), 5, ONLY)
            first.append(hits[0].id)
    assert first == [point(10 * turn).id for turn in range(8)]


async def test_a_filter_keeps_other_persons_words_out(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.upsert(collection, [point(n, n % 3, "bisoprolol") for n in range(30)])
        hits = await index.fused(collection, vector(7), asked("bisoprolol"), 30, {"identifier": [0, 2]})
    assert {hit.id for hit in hits} == {point(n).id for n in range(30) if n % 3 in (0, 2)}


async def test_what_others_have_changes_nobodys_order(name: str, tmp_path: Path, collection: str) -> None:
    query = asked("pain heparin")
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        mine = [point(0, text="pain"), point(1, text="heparin"), point(2, text="heparin again"), point(3, text="well")]
        await index.upsert(collection, mine)
        before = await index.fused(collection, None, query, 5, ONLY)
        # Among everybody's, pain is now common and heparin rare.
        await index.upsert(collection, [point(n, 2, "pain") for n in range(10, 60)])
        assert await index.fused(collection, None, query, 5, ONLY) == before
    assert before[0].id == point(0).id


async def test_words_come_before_the_direction_and_stay_with_it(name: str, tmp_path: Path, collection: str) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.add_words(collection, [point(0, text=TEXTS[0])])
        assert await index.count(collection, MEANING) == 0
        assert await index.count(collection, WORDS) == 1
        assert [hit.id for hit in await index.fused(collection, vector(0), asked("bisoprolol"), 5, ONLY)]
        await index.upsert(collection, [point(0, text=TEXTS[0])])
        assert await index.count(collection, MEANING) == await index.count(collection, WORDS) == 1
        assert [hit.id for hit in await index.search(collection, vector(0), 5, ONLY)] == [point(0).id]
        assert [hit.id for hit in await index.fused(collection, None, asked("bisoprolol"), 5, ONLY)] == [point(0).id]


async def test_a_text_without_a_word_counts_as_one_whose_words_are_there(
    name: str, tmp_path: Path, collection: str
) -> None:
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        await index.add_words(collection, [point(0, text="-- ?")])
        assert await index.count(collection, WORDS) == 1


async def test_a_collection_from_before_words_keeps_its_directions_and_takes_words(
    name: str, tmp_path: Path, collection: str
) -> None:
    await make_as_before(name, tmp_path, collection, 50)
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        assert await index.count(collection, MEANING) == 50
        assert await index.count(collection, WORDS) == 0
        assert (await index.fused(collection, vector(7), asked("stopped"), 1, ONLY))[0].id == point(7).id
        await index.add_words(collection, [point(n, text=f"drug{n} stopped") for n in range(60)])
        assert await index.count(collection, MEANING) == 50
        assert await index.count(collection, WORDS) == 60
        for n in (7, 55):
            assert (await index.fused(collection, None, asked(f"drug{n}"), 5, ONLY))[0].id == point(n).id
        assert (await index.search(collection, vector(7), 1))[0].score == pytest.approx(1.0, abs=1e-4)
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        assert await index.count(collection, WORDS) == 60
        assert (await index.fused(collection, None, asked("drug7"), 5, ONLY))[0].id == point(7).id


async def test_words_of_an_older_edition_are_missed_in_the_count_and_found_until_they_are_replaced(
    name: str, tmp_path: Path, collection: str
) -> None:
    await make_as_before(name, tmp_path, collection, 3, "bisoprolol")
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        assert await index.count(collection, WORDS) == 0
        assert len(await index.fused(collection, None, asked("bisoprolol"), 5, ONLY)) == 3
        await index.add_words(collection, [point(0, text="warfarin")])
        assert await index.count(collection, WORDS) == 1
        left = await index.fused(collection, None, asked("bisoprolol"), 5, ONLY)
        assert {hit.id for hit in left} == {point(1).id, point(2).id}
        await index.upsert(collection, [point(1, text="warfarin")])
        assert await index.count(collection, WORDS) == 2
        assert await index.count(collection, MEANING) == 3
        both = await index.fused(collection, None, asked("warfarin"), 5, ONLY)
        assert {hit.id for hit in both} == {point(0).id, point(1).id}
        assert (await index.search(collection, vector(0), 1))[0].score == pytest.approx(1.0, abs=1e-4)
    async with keeper(name, tmp_path) as index:
        await index.ensure(collection)
        assert await index.count(collection, WORDS) == 2
