"""How texts come into the index, on a real PostgreSQL and Qdrant's engine, with the embedder away."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import qdrant_edge
from contracts.errors import UnavailableError
from contracts.topics import DOCUMENT_READ
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.record.v1.fact_pb2 import PatientKey
from memory.adapters.postgres import Store, index_queue, views
from memory.adapters.qdrant_edge import QdrantEdge
from memory.adapters.triton import Embedder
from memory.domain.identity import Identifier
from memory.domain.vectors import DIMENSIONS, IDENTIFIER, NOTES, WORDS, WORDS_EDITION, VectorIndex
from memory.flows.indexer import Indexer
from memory.flows.search import Search
from memory.handlers import on_documents_read
from servicekit.triton import TritonClient

Build = Callable[..., Any]
NORTH = Identifier("NORTH", "1")
# Each sentence is a piece of its own.
LETTER = " ".join(f"Day {n}: {word} " + "was given as before and the ward round saw nothing new at all " * 4 + "."
                  for n, word in enumerate(("heparin", "digoxin", "warfarin")))  # fmt: skip


@pytest.fixture
async def embedder() -> AsyncIterator[Embedder]:
    async with TritonClient.connect("127.0.0.1:9") as away:
        yield Embedder(away)


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[QdrantEdge]:
    async with QdrantEdge.open(tmp_path / "index") as opened:
        yield opened


@pytest.fixture
async def letter(store: Store, event: Build) -> None:
    said = DocumentRead(document_id="file", patient=PatientKey(id="1", authority="NORTH"), text=LETTER)
    await on_documents_read([event(said, "letter", DOCUMENT_READ)], store=store)


async def found(store: Store, embedder: Embedder, index: VectorIndex, query: str) -> list[str]:
    hits = await Search(store, embedder, index).notes(await store.person(NORTH), query, None, 3)
    return [hit.chunk.text for hit in hits]


@pytest.mark.usefixtures("letter")
async def test_a_text_is_found_by_its_words_while_the_embedder_is_away(
    store: Store, embedder: Embedder, index: QdrantEdge
) -> None:
    indexer = Indexer(store, embedder, index)
    assert await indexer.cut()
    assert await indexer.add_words()
    assert not await indexer.add_words()
    with pytest.raises(UnavailableError):
        await indexer.step()
    (best,) = await found(store, embedder, index, "digoxin?")
    assert "digoxin" in best
    search = Search(store, embedder, index)
    person = await store.person(NORTH)
    # It is owed its meaning still.
    assert await search.notes_pending(person) == await search.notes_size(person) == 3


@pytest.mark.usefixtures("letter")
async def test_an_index_that_was_lost_while_the_embedder_is_away_has_the_words_again(
    store: Store, embedder: Embedder, index: QdrantEdge, tmp_path: Path
) -> None:
    first = Indexer(store, embedder, index)
    await first.cut()
    await first.add_words()
    async with QdrantEdge.open(tmp_path / "new") as empty:
        assert await Indexer(store, embedder, empty).add_words()
        assert await found(store, embedder, empty, "warfarin")
        async with store.connection() as conn, conn.transaction(), views.working(conn, "index"):
            assert await index_queue.parts_owed(conn, NOTES) == (3, 0)


@pytest.mark.usefixtures("letter")
async def test_an_index_from_before_words_is_given_them_and_finds_by_meaning_meanwhile(
    store: Store, embedder: Embedder, index: QdrantEdge, tmp_path: Path
) -> None:
    await Indexer(store, embedder, index).cut()
    async with store.connection() as conn, conn.transaction(), views.working(conn, "index"):
        owed = await index_queue.take_wordless(conn, 10)
        assert len(owed) == 3
        await index_queue.done(conn, owed)
    make_as_before_words(tmp_path / "old" / NOTES, [one.point_id for one in owed])
    async with QdrantEdge.open(tmp_path / "old") as old:
        indexer = Indexer(store, embedder, old)
        # Opens it, and owes it words; no meaning is due.
        assert not await indexer.step()
        person = await store.person(NORTH)
        near = await old.search(NOTES, direction(1), 1, {IDENTIFIER: person.numbers})
        assert [hit.id for hit in near] == [owed[1].point_id]
        assert await Search(store, embedder, old).notes_pending(person) == 3
        assert await indexer.add_words()
        assert await found(store, embedder, old, "heparin")
        assert await old.count(NOTES) == await old.count(NOTES, WORDS) == 3
        assert await Search(store, embedder, old).notes_pending(person) == 0
        # The next start has nothing to do.
        again = Indexer(store, embedder, old)
        assert not await again.add_words()
        assert not await again.step()


@pytest.mark.usefixtures("letter")
async def test_words_of_an_older_edition_are_found_until_all_are_of_this_one(
    store: Store, embedder: Embedder, tmp_path: Path
) -> None:
    folder = tmp_path / "old"
    async with QdrantEdge.open(folder) as index:
        first = Indexer(store, embedder, index)
        await first.cut()
        await first.add_words()
    forget_the_edition(folder / NOTES)
    async with QdrantEdge.open(folder) as old:
        indexer = Indexer(store, embedder, old)
        # Opens it, and owes it words.
        assert not await indexer.step()
        assert await old.count(NOTES, WORDS) == 0
        assert await found(store, embedder, old, "heparin")
        assert await indexer.add_words()
        assert await old.count(NOTES, WORDS) == 3
        assert await found(store, embedder, old, "heparin")
        # The next start has nothing to do.
        assert not await Indexer(store, embedder, old).add_words()


def direction(number: int) -> list[float]:
    return [float(place == number) for place in range(DIMENSIONS)]


def make_as_before_words(folder: Path, point_ids: list[str]) -> None:
    """The shard that this service kept when it had no words."""
    folder.mkdir(parents=True)
    vectors = qdrant_edge.EdgeVectorParams(size=DIMENSIONS, distance=qdrant_edge.Distance.Cosine)
    shard = qdrant_edge.EdgeShard.create(str(folder), qdrant_edge.EdgeConfig(vectors=vectors))
    points = [qdrant_edge.Point(each, direction(n), {IDENTIFIER: 1}) for n, each in enumerate(point_ids)]
    shard.update(qdrant_edge.UpdateOperation.upsert_points(points))
    shard.close()


def forget_the_edition(folder: Path) -> None:
    """The shard that this service kept when words had no edition."""
    shard = qdrant_edge.EdgeShard.load(str(folder))
    shard.update(qdrant_edge.UpdateOperation.delete_payload_by_filter(qdrant_edge.Filter(), [WORDS_EDITION]))
    shard.close()
