"""What memory gathered becomes a `Context`. Nobody else makes one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from grounding import Sources
from longitude.record.v1.context_pb2 import Context, ContextLine, Contradiction, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_APPOINTMENT,
    FACT_KIND_DOCUMENT,
    FACT_KIND_MEDICATION,
    ClinicalFact,
    PatientKey,
)

from consult import concepts
from consult.context.packing import RESULTS, Candidates, Line, Note, pack
from consult.context.ranking import Question
from consult.context.relevance import concerning
from consult.context.serving import dangers, serving
from consult.context.tokens import TokenCounter

__all__ = ["NOTES", "Gathered", "Note", "compose", "evidence_question"]

# Pieces of the patient's texts that are looked for.
NOTES = 8


@dataclass(frozen=True, slots=True)
class Gathered:
    """What memory found for a question: standing facts, open contradictions, and what searches brought, best first.

    `unread`: how many more facts stand in a record that is too long for all.
    `notes` name their fact or only their document. `near`: all evidence near the question and the patient.
    `degraded`: what could not be searched, in words.
    """

    facts: Sequence[RecordedFact]
    contradictions: Sequence[Contradiction]
    identifiers: Sequence[PatientKey]
    notes: Sequence[Note]
    near: Sequence[Passage]
    degraded: Sequence[str] = ()
    unread: int = 0


def compose(gathered: Gathered, question: str, budget: int, moment: datetime, count: TokenCounter) -> Context:
    """The pack of at most `budget` tokens as of a moment, and what it was made from."""
    # An appointment is a plan: nothing of the patient is known by it.
    gathered = replace(gathered, facts=[each for each in gathered.facts if each.fact.kind != FACT_KIND_APPOINTMENT])
    facts = [recorded.fact for recorded in gathered.facts]
    passages = concerning(question, gathered.near)
    sources = Sources.of(moment, gathered.facts, passages, gathered.contradictions, gathered.identifiers)
    candidates = Candidates(
        facts,
        asked=serving(question, sources),
        dangers=dangers(sources),
        contradictions=[(one.rule, one.fact_ids) for one in gathered.contradictions],
        notes=_anchored(gathered.notes, facts),
        passages=passages,
    )
    packed = pack(candidates, budget, moment, count)
    return Context(
        lines=map(_line, packed.lines),
        tokens=packed.tokens,
        omitted=packed.omitted + gathered.unread,
        facts=gathered.facts,
        passages=passages,
        contradictions=gathered.contradictions,
        identifiers=gathered.identifiers,
        degraded=gathered.degraded,
    )


def evidence_question(question: str, facts: Sequence[ClinicalFact]) -> Question:
    """The question with what the patient takes (weighs 2) and has (weighs 1), for a search of the evidence.

    Not with results: nearly every patient has the common ones.
    """
    coded = [fact for fact in facts if fact.kind not in RESULTS and fact.code.code]
    weights = ((fact, 2 if fact.kind == FACT_KIND_MEDICATION else 1) for fact in coded)
    codes = {code: weight for fact, weight in weights for code in concepts.codes(fact)}
    return Question(question, codes=codes)


def _anchored(notes: Sequence[Note], facts: Sequence[ClinicalFact]) -> list[Note]:
    """Notes with the fact they rest on: their own, or that of their document. Without one, a note is on no line."""
    of_document: dict[str, str] = {}
    for fact in sorted(facts, key=lambda f: (f.kind != FACT_KIND_DOCUMENT, f.fact_id)):
        if fact.source.document_id:
            of_document.setdefault(fact.source.document_id, fact.fact_id)
    anchored = (replace(note, fact_id=note.fact_id or of_document.get(note.document_id, "")) for note in notes)
    return [note for note in anchored if note.fact_id]


def _line(line: Line) -> ContextLine:
    return ContextLine(text=line.text, fact_id=line.fact_id, passage_id=line.passage_id, tokens=line.tokens)
