"""Gathers what a context pack is made from; domain/context.py decides what goes in.

When a search is out of reach the pack is made without it and says so: the record itself never depends on it.
"""

from collections.abc import Sequence
from datetime import datetime

from eventbus import TransientError
from longitude.record.v1.context_pb2 import Context, Passage
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT, FACT_KIND_MEDICATION, ClinicalFact

from memory import views
from memory.adapters.postgres import Person
from memory.domain import concepts
from memory.domain.context import Note, Sources, pack
from memory.domain.evidence import Question, codes_of
from memory.domain.relevance import concerning
from memory.domain.results import KINDS as RESULT_KINDS
from memory.domain.timeline import standing
from memory.domain.tokens import TokenCounter
from memory.search import CANDIDATES, NoteFound, Search

NOTES = 8
# Passages near the question and the patient whose concepts make a result worth showing.
NEAREST = 8


class Composer:
    """Makes context packs."""

    def __init__(self, search: Search, count: TokenCounter) -> None:
        self._search = search
        self._count = count

    async def context(
        self, person: Person, question: str, budget: int, moment: datetime, known_at: datetime | None
    ) -> Context:
        """The pack, and everything current that it was made from."""
        degraded: list[str] = []
        vector = await self._vector(question, degraded)
        entries = standing(person.entries)
        facts = [entry.fact for entry in entries]
        found = await self._notes(person, vector, known_at, degraded)
        near = await self._evidence(question, facts, vector, degraded)
        passages = concerning(question, near)
        related = frozenset(code for passage in near[:NEAREST] for code in codes_of(passage))
        open_ = [one for one in person.contradictions if one.open]
        conflicts = [(one.rule, one.fact_ids) for one in open_]
        sources = Sources(facts, conflicts, _anchored(found, facts), passages, related)
        packed = pack(sources, question, budget, moment, self._count)
        return Context(
            lines=map(views.context_line, packed.lines),
            tokens=packed.tokens,
            omitted=packed.omitted,
            facts=map(views.recorded_fact, entries),
            passages=passages,
            contradictions=map(views.contradiction, open_),
            identifiers=views.identifiers(person),
            degraded=degraded,
        )

    async def _vector(self, question: str, degraded: list[str]) -> Sequence[float] | None:
        try:
            return await self._search.embed(question)
        except TransientError:
            degraded.append("search by meaning: the embedder is out of reach")
            return None

    async def _notes(
        self, person: Person, vector: Sequence[float] | None, known_at: datetime | None, degraded: list[str]
    ) -> list[NoteFound]:
        if vector is None:
            return []
        if pending := await self._search.notes_pending(person):
            degraded.append(f"notes: {pending} pieces of text are not in the index yet")
        try:
            return await self._search.notes(person, vector, NOTES, known_at)
        except TransientError:
            degraded.append("notes: the index is out of reach")
            return []

    async def _evidence(
        self, question: str, facts: Sequence[ClinicalFact], vector: Sequence[float] | None, degraded: list[str]
    ) -> list[Passage]:
        """All evidence near the question and this patient: passages about concepts of the record count as a match."""
        asked = Question(question, codes=_codes(facts))
        try:
            ranked = await self._search.evidence(asked, vector, CANDIDATES)
        except TransientError:
            degraded.append("evidence: the index is out of reach, found by word and concept only")
            ranked = await self._search.evidence(asked, None, CANDIDATES)
        return [one.passage for one in ranked]


def _codes(facts: Sequence[ClinicalFact]) -> dict[str, int]:
    """What the patient takes (weighs 2) and has (weighs 1). Not results: nearly every patient has the common ones."""
    coded = [fact for fact in facts if fact.kind not in RESULT_KINDS and fact.code.code]
    return {concepts.key(fact): 2 if fact.kind == FACT_KIND_MEDICATION else 1 for fact in coded}


def _anchored(found: Sequence[NoteFound], facts: Sequence[ClinicalFact]) -> list[Note]:
    """Notes with the fact they rest on: their own, or that of their document. Without one, a note is on no line."""
    of_document: dict[str, str] = {}
    for fact in sorted(facts, key=lambda f: (f.kind != FACT_KIND_DOCUMENT, f.fact_id)):
        if fact.source.document_id:
            of_document.setdefault(fact.source.document_id, fact.fact_id)
    notes = [
        Note(
            one.chunk.text,
            one.chunk.authored_at,
            one.chunk.fact_id or of_document.get(one.chunk.document_id, ""),
        )
        for one in found
    ]
    return [note for note in notes if note.fact_id]
