"""Qdrant's own engine in this process: a shard per collection, in a folder.

Guarantees: a write is flushed to disk before it is acknowledged (the engine's write-ahead log alone survives a killed
process, not a power cut). One process per folder: the shard's lock refuses a second one.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import qdrant_edge as edge
from contracts.errors import UnavailableError

from memory.domain.vectors import DIMENSIONS, IDENTIFIER, Hit, Point

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
        shard = self._shard(collection)
        rows = [edge.Point(p.id, list(p.vector), dict(p.payload)) for p in points]

        def write() -> None:
            shard.update(edge.UpdateOperation.upsert_points(rows))
            shard.flush()

        async with self._writing:
            await _in_thread(write)

    async def search(
        self,
        collection: str,
        vector: Sequence[float],
        limit: int,
        only: Mapping[str, Collection[int]] | None = None,
    ) -> list[Hit]:
        shard = self._shard(collection)
        query = edge.Query.Nearest(list(vector))
        request = edge.SearchRequest(query=query, limit=limit, filter=_filter(only or {}))
        found = await _in_thread(shard.search, request)
        return [Hit(str(point.id), point.score) for point in found]

    async def count(self, collection: str) -> int:
        shard = self._shard(collection)
        return int(await _in_thread(shard.count, edge.CountRequest(exact=True)))

    def _shard(self, collection: str) -> Any:
        if collection not in self._shards:
            raise UnavailableError("qdrant-edge: the collection is not open yet")
        return self._shards[collection]


def _open(folder: Path) -> Any:
    if not folder.exists():
        _create(folder)
    shard = edge.EdgeShard.load(str(folder))
    # Builds the graph over segments that have grown large; a no-op otherwise.
    shard.optimize()
    return shard


def _create(folder: Path) -> None:
    """Make a shard beside its place and move it there whole: a folder that exists is a complete shard."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    vectors = edge.EdgeVectorParams(size=DIMENSIONS, distance=edge.Distance.Cosine)
    shard = edge.EdgeShard.create(str(unfinished), edge.EdgeConfig(vectors=vectors))
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


def _filter(only: Mapping[str, Collection[int]]) -> Any:
    return edge.Filter(
        must=[edge.FieldCondition(key=key, match=edge.MatchAny(sorted(values))) for key, values in only.items()]
    )
