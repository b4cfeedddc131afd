"""Keeps the vector index up with the record, in the background.

Guarantees: a text that is recorded is indexed some time later, whatever was down meanwhile; the record never waits for
Triton or Qdrant, and no text waits for all of another patient's. A text is queued with its recording and cut here; the
queue row of a chunk is written with the chunk and deleted after the index has the point on disk; a crash
between the two writes the same point again, under the same id. A chunk is found by its words before and while the
embedder has not seen it. An index that lost points (a new folder, an older backup) is filled again from the record at
start, and one from before there were words is given them; what it finds by meaning it goes on finding.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

from contracts.errors import PermanentError
from eventbus.retry import until_available

from memory import metrics
from memory.adapters.postgres import Connection, Store, evidence, index_queue, notes, views
from memory.adapters.postgres.index_queue import Owed
from memory.adapters.triton import Embedder
from memory.domain.vectors import COLLECTIONS, EVIDENCE, NOTES, WORDS, Point, VectorIndex
from memory.domain.words import weighed

log = logging.getLogger("memory.flows.indexer")

BATCH = 32
# Words are counted in microseconds: what takes time is to write them to disk.
WORDS_BATCH = 256
# How long to wait when there is nothing to do, in seconds.
IDLE = 0.25
EMBED_TIMEOUT = 20.0
MEASURED_EVERY = 5.0


class Indexer:
    """Drains the index queue until cancelled."""

    def __init__(self, store: Store, embedder: Embedder, index: VectorIndex) -> None:
        self._store = store
        self._embedder = embedder
        self._index = index
        self._opened = False
        self._opening = asyncio.Lock()
        self._measured_at = -MEASURED_EVERY

    async def run(self) -> None:
        """Cut and index what is owed; wait out whatever is down."""
        await asyncio.gather(
            _work(self.cut, "cutting"), _work(self.add_words, "indexing words"), _work(self.step, "indexing")
        )

    async def cut(self) -> bool:
        """Cut some of the texts that wait; False when none did."""
        async with self._connection() as conn:
            return bool(await notes.cut(conn, BATCH))

    async def add_words(self) -> bool:
        """Index the words of some chunks; False when none were owed any."""
        await self._open()
        async with self._connection() as conn:
            owed = await index_queue.take_wordless(conn, WORDS_BATCH)
            for collection, batch in _by_collection(owed).items():
                points = [Point(one.point_id, None, one.payload, weighed(one.text)) for one in batch]
                await self._index.add_words(collection, points)
            await index_queue.worded(conn, owed)
        return bool(owed)

    async def step(self) -> bool:
        """Index the meaning of one batch; False when nothing was due."""
        await self._open()
        async with self._connection() as conn:
            owed = await index_queue.take(conn, BATCH)
            if owed:
                await self._index_batch(conn, owed)
            await self._measure(conn)
        return bool(owed)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """To everybody's texts, inside a transaction."""
        async with self._store.connection() as conn, conn.transaction(), views.working(conn, "index"):
            yield conn

    async def _open(self) -> None:
        """Open the collections, and owe them again what they lack of what they were given; once."""
        async with self._opening:
            if self._opened:
                return
            for collection in COLLECTIONS:
                await self._index.ensure(collection)
            async with self._connection() as conn:
                await self._owe(conn)
            self._opened = True

    async def _owe(self, conn: Connection) -> None:
        # Counted first: what is cut meanwhile is owed already.
        chunks, passages = await notes.count(conn), await evidence.count(conn)
        owed = await index_queue.parts_owed(conn, NOTES)
        if await self._index.count(NOTES) < chunks - owed.meaning:
            await notes.owe_all(conn)
        elif await self._index.count(NOTES, WORDS) < chunks - owed.words:
            log.info("the index of notes lacks words: they are added")
            await notes.owe_words(conn)
        if await self._index.count(EVIDENCE) < passages - await index_queue.owed_to(conn, EVIDENCE):
            await evidence.owe_all(conn)

    async def _index_batch(self, conn: Connection, owed: Sequence[Owed]) -> None:
        """A batch that the model refuses is tried one by one, so that one bad text does not hold up the others."""
        try:
            vectors = await self._embedder.embed([one.text for one in owed], EMBED_TIMEOUT)
        except PermanentError:
            if len(owed) == 1:
                metrics.POSTPONED.inc()
                log.warning("the embedder refuses a text: tried again later")
                await index_queue.postpone(conn, owed[0])
                return
            for one in owed:
                await self._index_batch(conn, [one])
            return
        await self._write(owed, vectors)
        await index_queue.done(conn, owed)

    async def _write(self, owed: Sequence[Owed], vectors: Sequence[Sequence[float]]) -> None:
        seen = dict(zip((one.point_id for one in owed), vectors, strict=True))
        for collection, batch in _by_collection(owed).items():
            await self._index.upsert(collection, [_point(one, seen[one.point_id]) for one in batch])
            metrics.INDEXED.labels(collection).inc(len(batch))

    async def _measure(self, conn: Connection) -> None:
        """Counting a long queue takes its time: not after every batch."""
        if time.monotonic() < self._measured_at + MEASURED_EVERY:
            return
        self._measured_at = time.monotonic()
        owed = await index_queue.length(conn)
        for collection in COLLECTIONS:
            metrics.PENDING.labels(collection).set(owed.get(collection, 0))


def _point(one: Owed, vector: Sequence[float]) -> Point:
    return Point(one.point_id, vector, one.payload, weighed(one.text) if one.collection == NOTES else None)


def _by_collection(owed: Sequence[Owed]) -> dict[str, list[Owed]]:
    batches: dict[str, list[Owed]] = defaultdict(list)
    for one in owed:
        batches[one.collection].append(one)
    return batches


async def _work(step: Callable[[], Awaitable[bool]], name: str) -> NoReturn:
    while True:
        if not await until_available(step, where={"work": name}):
            await asyncio.sleep(IDLE)
