"""Qdrant as a server or cluster, through its own asynchronous client.

The collections are made with every write waited for, so a point that is acknowledged is in the server's log. The server
must be of version 1.19 or later: it adds a vector to a collection, and counts how rare a word is among some points.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

from contracts.errors import UnavailableError
from contracts.servers import https
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

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

TIMEOUT = 10
_FAILURES = (ApiException, QdrantException, OSError, TimeoutError)


class QdrantServer:
    """A VectorIndex over `AsyncQdrantClient`."""

    def __init__(self, client: AsyncQdrantClient) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, api_key: str = "") -> AsyncIterator[Self]:
        """A client for the server at `url`, by TLS (contracts.servers); it need not be up yet."""
        tls = https("QDRANT") or True
        key = api_key or None
        client = AsyncQdrantClient(url=url, api_key=key, timeout=TIMEOUT, check_compatibility=False, verify=tls)
        try:
            yield cls(client)
        finally:
            await client.close()

    async def ensure(self, collection: str) -> None:
        with _reaching():
            if not await self._client.collection_exists(collection):
                vectors = models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
                await self._client.create_collection(collection, vectors_config=vectors)
            if WORDS not in ((await self._client.get_collection(collection)).config.params.sparse_vectors or {}):
                words = models.SparseVectorConfig(modifier=models.Modifier.IDF)
                await self._client.create_vector_name(collection, WORDS, models.SparseVectorNameConfig(sparse=words))
            for field in (IDENTIFIER, WORDS_EDITION):
                await self._client.create_payload_index(collection, field, models.PayloadSchemaType.INTEGER)

    async def upsert(self, collection: str, points: Sequence[Point]) -> None:
        with _reaching():
            await self._client.upsert(collection, [_point(each) for each in points], wait=True)

    async def add_words(self, collection: str, points: Sequence[Point]) -> None:
        new = [models.PointStruct(id=each.id, vector={}, payload=dict(each.payload)) for each in points]
        words = [models.PointVectors(id=each.id, vector={WORDS: _sparse(each.words or {})}) for each in points]
        with _reaching():
            await self._client.upsert(collection, new, wait=True, update_mode=models.UpdateMode.INSERT_ONLY)
            await self._client.update_vectors(collection, words, wait=True)
            await self._client.set_payload(collection, {WORDS_EDITION: EDITION}, [p.id for p in points], wait=True)

    async def search(self, collection: str, vector: Sequence[float], limit: int, only: Only | None = None) -> list[Hit]:
        return await self._query(collection, query=list(vector), limit=limit, query_filter=_filter(only or {}))

    async def fused(
        self, collection: str, vector: Sequence[float] | None, words: Weights, limit: int, only: Only
    ) -> list[Hit]:
        kept = _filter(only)
        ways = []
        if words:
            rarity = models.SearchParams(idf=models.IdfCorpusParams(corpus=kept))
            by_words = models.Prefetch(query=_sparse(words), using=WORDS, filter=kept, params=rarity, limit=limit)
            ways.append((by_words, BY_WORDS))
        if vector is not None:
            ways.append((models.Prefetch(query=list(vector), filter=kept, limit=limit), BY_MEANING))
        if not ways:
            return []
        ranks = models.RrfQuery(rrf=models.Rrf(k=RANK, weights=[weight for _, weight in ways]))
        return await self._query(collection, query=ranks, prefetch=[way for way, _ in ways], limit=limit)

    async def count(self, collection: str, vector: str = MEANING) -> int:
        having: list[models.Condition] = [models.HasVectorCondition(has_vector=vector)]
        if vector == WORDS:
            having.append(models.FieldCondition(key=WORDS_EDITION, match=models.MatchValue(value=EDITION)))
        with _reaching():
            return (await self._client.count(collection, count_filter=models.Filter(must=having), exact=True)).count

    async def _query(self, collection: str, **asked: Any) -> list[Hit]:
        with _reaching():
            found = await self._client.query_points(collection, with_payload=False, **asked)
        return [Hit(str(point.id), point.score) for point in found.points]


def _point(point: Point) -> models.PointStruct:
    vectors: dict[str, list[float] | models.SparseVector] = {}
    if point.vector is not None:
        vectors[MEANING] = list(point.vector)
    if point.words is not None:
        vectors[WORDS] = _sparse(point.words)
    return models.PointStruct(id=point.id, vector=vectors, payload=point.stored())


def _sparse(words: Weights) -> models.SparseVector:
    return models.SparseVector(indices=list(words), values=list(words.values()))


def _filter(only: Only) -> models.Filter:
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
