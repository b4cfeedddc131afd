"""Search over a person's notes, by meaning and by words, and over the evidence library.

The index proposes ids; PostgreSQL decides what they are, whose they are and whether they still stand. A search says how
much of what it should have seen is not in the index yet.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from consult.context.ranking import CANDIDATES, Question, Ranked, rank
from contracts.errors import PermanentError, UnavailableError
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT, ClinicalFact

from memory.adapters.postgres import FOR_EVER, Person, Store, entries, evidence, index_queue, notes
from memory.adapters.postgres.notes import NoteChunk
from memory.adapters.postgres.past import Past
from memory.adapters.triton import Embedder
from memory.domain.vectors import EVIDENCE, IDENTIFIER, NOTES, VectorIndex
from memory.domain.words import asked

# A person waits for the answer.
EMBED_TIMEOUT = 5.0
# Points asked of the index for each one wanted: some are superseded or no longer the person's.
WIDER = 4


@dataclass(frozen=True, slots=True)
class NoteFound:
    chunk: NoteChunk
    score: float


class Search:
    """Raises UnavailableError when the embedder or the index is out of reach."""

    def __init__(self, store: Store, embedder: Embedder, index: VectorIndex) -> None:
        self._store = store
        self._embedder = embedder
        self._index = index

    async def embed(self, query: str) -> Sequence[float]:
        """The query's direction."""
        try:
            async with asyncio.timeout(EMBED_TIMEOUT):
                return (await self._embedder.embed([query], EMBED_TIMEOUT))[0]
        except (TimeoutError, PermanentError) as error:
            raise UnavailableError("triton: the embedder does not serve") from error

    async def notes(
        self,
        person: Person,
        query: str,
        vector: Sequence[float] | None,
        limit: int,
        known_at: datetime | None = None,
        standing: Collection[ClinicalFact] | None = None,
        past: Past | None = None,
    ) -> list[NoteFound]:
        """The person's notes and documents nearest to the query, best first; what no longer stands is left out.

        `vector`: the query's direction; without it, they are found by its words alone.
        `standing`: the facts that stand at `known_at`; None asks for those of now, or of `past`.
        """
        only = {IDENTIFIER: person.numbers}
        words = asked(query)
        hits = await self._index.fused(NOTES, vector, words, limit * WIDER, only) if person.numbers else []
        async with self._store.as_of(person, known_at) as conn:
            chunks = await notes.of(conn, [hit.id for hit in hits], person.numbers, known_at or FOR_EVER)
            documents = await entries.documents(conn, person.numbers, known_at or FOR_EVER, past)
            if standing is None:
                wanted = {chunk.fact_id for chunk in chunks.values()}
                stated = await entries.standing_among(conn, person.numbers, wanted, past)
                kept = {document for document, stands in documents.items() if stands}
            else:
                stated = {fact.fact_id for fact in standing}
                kept = {fact.source.document_id for fact in standing if fact.kind == FACT_KIND_DOCUMENT}
        fallen = documents.keys() - kept
        found = [NoteFound(chunks[hit.id], hit.score) for hit in hits if hit.id in chunks]
        standing_notes = [one for one in found if not one.chunk.fact_id or one.chunk.fact_id in stated]
        return [one for one in standing_notes if one.chunk.document_id not in fallen][:limit]

    async def notes_pending(self, person: Person) -> int:
        """Chunks of the person's text that are not in the index yet."""
        async with self._store.as_of(person) as conn:
            return await notes.pending(conn, person.numbers)

    async def notes_size(self, person: Person) -> int:
        """Chunks of the person's text."""
        async with self._store.as_of(person) as conn:
            return await notes.pieces(conn, person.numbers)

    async def evidence(self, question: Question, vector: Sequence[float] | None, limit: int) -> list[Ranked]:
        """The passages nearest to a question, best first; without a vector, by word and concept alone."""
        hits = [] if vector is None else await self._index.search(EVIDENCE, vector, CANDIDATES // 2)
        cosines = {hit.id: hit.score for hit in hits}
        async with self._store.connection() as conn:
            found = await evidence.candidates(conn, question.wording, question.codes, list(cosines), CANDIDATES)
        return rank(question, [(passage, cosines.get(point, 0.0)) for passage, point in found], limit)

    async def evidence_pending(self) -> int:
        """Passages that are not in the index yet."""
        async with self._store.connection() as conn:
            return await index_queue.owed_to(conn, EVIDENCE)

    async def library(self) -> list[Passage]:
        """Every passage."""
        async with self._store.connection() as conn:
            return await evidence.everything(conn)

    async def evidence_size(self) -> int:
        """Passages in the library."""
        async with self._store.connection() as conn:
            return await evidence.count(conn)
