"""Qdrant as a server or cluster, through its own asynchronous client.

The collections are made with every write waited for, so a point that is acknowledged is in the server's log.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Self

from contracts.errors import UnavailableError
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from memory.domain.vectors import DIMENSIONS, IDENTIFIER, Hit, Point

TIMEOUT = 10
_FAILURES = (ApiException, QdrantException, OSError, TimeoutError)


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
        with _reaching():
            if not await self._client.collection_exists(collection):
                vectors = models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
                await self._client.create_collection(collection, vectors_config=vectors)
            await self._client.create_payload_index(collection, IDENTIFIER, models.PayloadSchemaType.INTEGER)

    async def upsert(self, collection: str, points: Sequence[Point]) -> None:
        structs = [models.PointStruct(id=p.id, vector=list(p.vector), payload=dict(p.payload)) for p in points]
        with _reaching():
            await self._client.upsert(collection, structs, wait=True)

    async def search(
        self,
        collection: str,
        vector: Sequence[float],
        limit: int,
        only: Mapping[str, Collection[int]] | None = None,
    ) -> list[Hit]:
        with _reaching():
            found = await self._client.query_points(
                collection, query=list(vector), limit=limit, query_filter=_filter(only or {}), with_payload=False
            )
        return [Hit(str(point.id), point.score) for point in found.points]

    async def count(self, collection: str) -> int:
        with _reaching():
            return (await self._client.count(collection, exact=True)).count


def _filter(only: Mapping[str, Collection[int]]) -> models.Filter:
    return models.Filter(
        must=[models.FieldCondition(key=key, match=models.MatchAny(any=sorted(values))) for key, values in only.items()]
    )


@contextmanager
def _reaching() -> Iterator[None]:
    """The one place that translates the errors of Qdrant's client."""
    try:
        yield
    except _FAILURES as error:
        raise UnavailableError(f"qdrant cannot be reached ({type(error).__name__}); ask again") from error
