"""Qdrant's own engine in this process: a shard per collection, in a folder.

Guarantees: a write is flushed to disk before it is acknowledged (the engine's write-ahead log alone survives a killed
process, not a power cut). One process per folder: the shard's lock refuses a second one.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import qdrant_edge as edge
from contracts.errors import UnavailableError

from memory.domain.vectors import (
    BY_MEANING,
    BY_WORDS,
    DIMENSIONS,
    IDENTIFIER,
    MEANING,
    RANK,
    WORDS,
    WORDS_EDITION,
    Hit,
    Only,
    Point,
)
from memory.domain.words import EDITION, Weights

T = TypeVar("T")


class QdrantEdge:
    """A VectorIndex over `qdrant_edge.EdgeShard`. The engine blocks, so its calls run in threads, writes one by one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: dict[str, Any] = {}
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Self]:
        """The index in a folder, which is made when it is not there; closed at the end."""
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        index = cls(folder)
        try:
            yield index
        finally:
            for shard in index._shards.values():
                await asyncio.to_thread(shard.close)

    async def ensure(self, collection: str) -> None:
        async with self._opening:
            if collection not in self._shards:
                self._shards[collection] = await _in_thread(_open, self._folder / collection)

    async def upsert(self, collection: str, points: Sequence[Point]) -> None:
        await self._write(collection, edge.UpdateOperation.upsert_points([_point(each) for each in points]))

    async def add_words(self, collection: str, points: Sequence[Point]) -> None:
        new = [edge.Point(each.id, {}, dict(each.payload)) for each in points]
        words = [edge.PointVectors(each.id, {WORDS: _sparse(each.words or {})}) for each in points]
        await self._write(
            collection,
            edge.UpdateOperation.upsert_points(new, update_mode=edge.UpdateMode.InsertOnly),
            edge.UpdateOperation.update_vectors(words),
            edge.UpdateOperation.set_payload([each.id for each in points], {WORDS_EDITION: EDITION}),
        )

    async def search(self, collection: str, vector: Sequence[float], limit: int, only: Only | None = None) -> list[Hit]:
        query = edge.Query.Nearest(list(vector))
        return await self._query(collection, edge.QueryRequest(limit, query=query, filter=_filter(only or {})))

    async def fused(
        self, collection: str, vector: Sequence[float] | None, words: Weights, limit: int, only: Only
    ) -> list[Hit]:
        kept = _filter(only)
        ways = []
        if words:
            query = edge.Query.Nearest(_sparse(words), using=WORDS)
            rarity = edge.SearchParams(idf=edge.IdfParams(corpus=kept))
            ways.append((edge.Prefetch(limit, query=query, filter=kept, params=rarity), BY_WORDS))
        if vector is not None:
            ways.append((edge.Prefetch(limit, query=edge.Query.Nearest(list(vector)), filter=kept), BY_MEANING))
        if not ways:
            return []
        # The stub of the engine does not know that Rrf is a Fusion.
        ranks: Any = edge.Fusion.Rrf(RANK, [weight for _, weight in ways])
        request = edge.QueryRequest(limit, query=ranks, prefetches=[way for way, _ in ways])
        return await self._query(collection, request)

    async def count(self, collection: str, vector: str = MEANING) -> int:
        having: list[Any] = [edge.HasVectorCondition(vector)]
        if vector == WORDS:
            having.append(edge.FieldCondition(key=WORDS_EDITION, match=edge.MatchValue(EDITION)))
        request = edge.CountRequest(exact=True, filter=edge.Filter(must=having))
        return int(await _in_thread(self._shard(collection).count, request))

    async def _query(self, collection: str, request: Any) -> list[Hit]:
        found = await _in_thread(self._shard(collection).query, request)
        return [Hit(str(point.id), point.score) for point in found]

    async def _write(self, collection: str, *operations: Any) -> None:
        shard = self._shard(collection)

        def write() -> None:
            for operation in operations:
                shard.update(operation)
            shard.flush()

        async with self._writing:
            await _in_thread(write)

    def _shard(self, collection: str) -> Any:
        if collection not in self._shards:
            raise UnavailableError("qdrant-edge: the collection is not open yet")
        return self._shards[collection]


def _open(folder: Path) -> Any:
    if not folder.exists():
        _create(folder)
    shard = edge.EdgeShard.load(str(folder))
    # A shard from before there were words has no place for them yet; a no-op otherwise.
    shard.update(edge.UpdateOperation.create_sparse_vector(WORDS, edge.Modifier.Idf))
    # Builds the graph over segments that have grown large; a no-op otherwise.
    shard.optimize()
    return shard


def _create(folder: Path) -> None:
    """Make a shard beside its place and move it there whole: a folder that exists is a complete shard."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    vectors = edge.EdgeVectorParams(size=DIMENSIONS, distance=edge.Distance.Cosine)
    words = {WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)}
    shard = edge.EdgeShard.create(str(unfinished), edge.EdgeConfig(vectors=vectors, sparse_vectors=words))
    shard.update(edge.UpdateOperation.create_field_index(IDENTIFIER, edge.PayloadSchemaType.Integer))
    shard.close()
    unfinished.rename(folder)


async def _in_thread(call: Callable[..., T], *arguments: Any) -> T:
    try:
        return await asyncio.to_thread(call, *arguments)
    except Exception as error:
        # The engine has no error classes: its own failures (lock, disk) are plain `Exception`.
        if type(error) is Exception or isinstance(error, OSError):
            raise UnavailableError("qdrant-edge: the engine refused") from error
        raise


def _point(point: Point) -> Any:
    vectors: dict[str, Any] = {}
    if point.vector is not None:
        vectors[MEANING] = list(point.vector)
    if point.words is not None:
        vectors[WORDS] = _sparse(point.words)
    return edge.Point(point.id, vectors, point.stored())


def _sparse(words: Weights) -> Any:
    return edge.SparseVector(list(words), list(words.values()))


def _filter(only: Only) -> Any:
    return edge.Filter(
        must=[edge.FieldCondition(key=key, match=edge.MatchAny(sorted(values))) for key, values in only.items()]
    )
