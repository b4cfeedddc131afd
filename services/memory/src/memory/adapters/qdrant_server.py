"""Qdrant as a server or cluster, through its own asynchronous client.

The collections are made with every write waited for, so a point that is acknowledged is in the server's log.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self

from eventbus import TransientError
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException

from memory.domain.vectors import DIMENSIONS, IDENTIFIER, Hit, Point

TIMEOUT = 10
_FAILURES = (ApiException, OSError, TimeoutError)


class QdrantServer:
    """A VectorIndex over `AsyncQdrantClient`."""

    def __init__(self, client: AsyncQdrantClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator[Self]:
        """A client for the server at `url`; it need not be up yet."""
        client = AsyncQdrantClient(url=url, timeout=TIMEOUT, check_compatibility=False)
        try:
            yield cls(client)
        finally:
            await client.close()

    async def ensure(self, collection: str) -> None:
        try:
            if not await self._client.collection_exists(collection):
                vectors = models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
                await self._client.create_collection(collection, vectors_config=vectors)
            await self._client.create_payload_index(collection, IDENTIFIER, models.PayloadSchemaType.INTEGER)
        except _FAILURES as error:
            raise _unreachable(error) from error

    async def upsert(self, collection: str, points: Sequence[Point]) -> None:
        structs = [models.PointStruct(id=p.id, vector=list(p.vector), payload=dict(p.payload)) for p in points]
        try:
            await self._client.upsert(collection, structs, wait=True)
        except _FAILURES as error:
            raise _unreachable(error) from error

    async def search(
        self,
        collection: str,
        vector: Sequence[float],
        limit: int,
        only: Mapping[str, Collection[int]] | None = None,
    ) -> list[Hit]:
        try:
            found = await self._client.query_points(
                collection, query=list(vector), limit=limit, query_filter=_filter(only or {}), with_payload=False
            )
        except _FAILURES as error:
            raise _unreachable(error) from error
        return [Hit(str(point.id), point.score) for point in found.points]

    async def count(self, collection: str) -> int:
        try:
            return (await self._client.count(collection, exact=True)).count
        except _FAILURES as error:
            raise _unreachable(error) from error


def _filter(only: Mapping[str, Collection[int]]) -> models.Filter:
    return models.Filter(
        must=[models.FieldCondition(key=key, match=models.MatchAny(any=sorted(values))) for key, values in only.items()]
    )


def _unreachable(error: BaseException) -> TransientError:
    return TransientError(f"qdrant: {type(error).__name__}")
