"""Gathers what a context pack is made from; consult.context decides what goes in.

Of a long record, what concerns the question is read whole, the rest in part. When a search is out of reach
the pack is made without it and says so: the record itself never depends on it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from consult.context.composing import NOTES, Gathered, Note, compose, evidence_question
from consult.context.ranking import CANDIDATES
from consult.context.serving import serving
from consult.context.tokens import TokenCounter
from contracts.errors import UnavailableError
from grounding import Sources
from longitude.record.v1.context_pb2 import Context, Contradiction, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact

from memory import views
from memory.adapters.postgres import Standing, Store
from memory.domain.courses import concept_of
from memory.domain.identity import Identifier
from memory.flows.search import Search


class Gatherer:
    """Makes context packs."""

    def __init__(self, store: Store, search: Search, count: TokenCounter) -> None:
        self._store = store
        self._search = search
        self._count = count

    async def context(
        self, identifier: Identifier, question: str, budget: int, moment: datetime, known_at: datetime | None
    ) -> Context:
        """The pack, and what it was made from."""
        degraded: list[str] = []
        standing = await self._store.standing(identifier, known_at)
        vector = await self._vector(question, degraded)
        notes = await self._notes(standing, question, vector, known_at, degraded)
        near = await self._evidence(question, [each.fact for each in standing.facts], vector, degraded)
        contradictions = [views.contradiction(one) for one in standing.person.contradictions if one.open]
        named = await self._named(standing, notes, contradictions)
        deeper = await self._deeper(standing, question, moment)
        facts = list({each.fact.fact_id: each for each in (*standing.facts, *named, *deeper)}.values())
        gathered = Gathered(
            facts=facts,
            contradictions=contradictions,
            identifiers=views.identifiers(standing.person),
            notes=notes,
            near=near,
            degraded=degraded,
            unread=standing.many - len(facts),
        )
        return await asyncio.to_thread(compose, gathered, question, budget, moment, self._count)

    async def _vector(self, question: str, degraded: list[str]) -> Sequence[float] | None:
        try:
            return await self._search.embed(question)
        except UnavailableError:
            degraded.append("search by meaning: the embedder is out of reach, found by word only")
            return None

    async def _named(
        self, standing: Standing, notes: Sequence[Note], contradictions: Sequence[Contradiction]
    ) -> list[RecordedFact]:
        """What notes and contradictions rest on, where a long record's other facts left no room for it."""
        fact_ids = {fact_id for one in contradictions for fact_id in one.fact_ids} | {note.fact_id for note in notes}
        documents = {note.document_id for note in notes if not note.fact_id}
        here = {each.fact.source.document_id for each in standing.facts}
        return await self._store.named(standing, fact_ids - {""}, documents - here - {""})

    async def _deeper(self, standing: Standing, question: str, moment: datetime) -> list[RecordedFact]:
        """All of the courses that concern the question, where a long record's facts stand for more."""
        if len(standing.facts) == standing.many:
            return []
        sources = Sources.of(moment, standing.facts, identifiers=views.identifiers(standing.person))
        asked = await asyncio.to_thread(serving, question, sources)
        return await self._store.of_courses(standing, {(fact.kind, concept_of(fact)) for fact in asked})

    async def _notes(
        self,
        standing: Standing,
        question: str,
        vector: Sequence[float] | None,
        known_at: datetime | None,
        degraded: list[str],
    ) -> list[Note]:
        if pending := await self._search.notes_pending(standing.person):
            degraded.append(f"notes: {pending} pieces of text are not in the index yet")
        try:
            hits = await self._search.notes(
                standing.person, question, vector, NOTES, known_at, standing.everything, standing.past
            )
        except UnavailableError:
            degraded.append("notes: the index is out of reach")
            return []
        chunks = [hit.chunk for hit in hits]
        return [Note(each.text, each.authored_at, each.fact_id or "", each.document_id or "") for each in chunks]

    async def _evidence(
        self, question: str, facts: Sequence[ClinicalFact], vector: Sequence[float] | None, degraded: list[str]
    ) -> list[Passage]:
        """All evidence near the question and this patient: passages about concepts of the record count as a match."""
        asked = evidence_question(question, facts)
        try:
            ranked = await self._search.evidence(asked, vector, CANDIDATES)
        except UnavailableError:
            degraded.append("evidence: the index is out of reach, found by word and concept only")
            ranked = await self._search.evidence(asked, None, CANDIDATES)
        return [one.passage for one in ranked]
