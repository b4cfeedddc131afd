"""From a story's messages to the record that reasoning reads, through the services' own domains, in one process.

ingestion reads, imaging reads the letters, memory orders the timeline, finds contradictions and packs the context. Only
the stores and the embedder are left out: notes and evidence are ranked by their words and concepts, as memory does when
the embedder is out of reach.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from imaging.domain.document import read_text, reading_id
from ingestion.domain.reading import Feed, read
from ingestion.domain.reception import document_events, received_event
from longitude.ingestion.v1.events_pb2 import Payload
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1.context_pb2 import CONTRADICTION_STATE_OPEN, Context, Contradiction, Passage
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT, FACT_KIND_MEDICATION, PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from memory import views
from memory.compose import NEAREST, NOTES
from memory.domain import concepts, contradictions, times, updates
from memory.domain.chunks import cut
from memory.domain.context import Note, Sources, pack
from memory.domain.evidence import Question, codes_of, rank, words
from memory.domain.relevance import concerning
from memory.domain.results import KINDS as RESULTS
from memory.domain.timeline import Entry, Statement, replay, standing
from memory.domain.tokens import estimate
from memory.domain.updates import Text, Update
from memory.library import shipped
from memory.search import CANDIDATES
from reasoning.domain.record import Record
from reasoning.domain.rules import CITED_PASSAGES
from testkit.stories import Story

CONTEXT_TOKENS = 700


@dataclass(frozen=True)
class Told:
    """What memory holds of one patient after all messages."""

    entries: list[Entry]
    texts: list[Text]
    contradictions: list[Contradiction]
    identifiers: list[PatientKey]
    asked_at: datetime


@cache
def library() -> tuple[Passage, ...]:
    """The evidence that ships with memory."""
    return tuple(shipped())


def tell(story: Story) -> Told:
    """Every message read and recorded, a minute apart, in the order of arrival."""
    asked_at = datetime.combine(story.truth.today, datetime.min.time(), UTC) + timedelta(hours=20)
    known: list[Update] = []
    for number, message in enumerate(story.messages):
        received = asked_at - timedelta(minutes=len(story.messages) - number)
        known += _updates(message, received)
    entries = replay(statement for update in known for statement in _statements(update))
    found = [_contradiction(each, asked_at) for each in contradictions.find(e.fact for e in standing(entries))]
    keys = sorted({identifier for update in known for identifier in update.identifiers})
    texts = [text for update in known for text in update.texts]
    return Told(entries, texts, found, [each.key() for each in keys], asked_at)


def record_of(story: Story, context_tokens: int = CONTEXT_TOKENS, held: Sequence[Passage] | None = None) -> Record:
    """What reasoning is given for the story's question. `held`: another library than the shipped one."""
    told, held = tell(story), library() if held is None else held
    timeline = pb.GetTimelineResponse(
        facts=map(views.recorded_fact, told.entries), identifiers=told.identifiers, contradictions=told.contradictions
    )
    named = {each.passage_id: each for each in held}
    cited = tuple(named[each] for each in CITED_PASSAGES if each in named)
    return Record(timeline, _context(told, story.question, context_tokens, held), cited, told.asked_at)


def evidence(
    query: str, held: Sequence[Passage], codes: dict[str, int] | None = None, limit: int = CANDIDATES
) -> list[Passage]:
    """Passages by word and concept."""
    ranked = rank(Question(query, codes=codes or {}), ((each, 0.0) for each in held), limit)
    return [each.passage for each in ranked]


def _updates(message: bytes, received: datetime) -> list[Update]:
    reading = read(message, received, Feed())
    event = received_event(reading, Payload(), received)
    found = [updates.of_message(event, received)]
    sent_documents = document_events(reading, [ObjectRef() for _ in reading.content.documents], received)
    for document, sent in zip(reading.content.documents, sent_documents, strict=True):
        answer = read_text(sent.document_id, sent, document.content.decode())
        found.append(updates.of_document(answer, received, reading_id(sent.document_id, answer.model)))
    return [update for update in found if update is not None]


def _statements(update: Update) -> Iterable[Statement]:
    for ordinal, fact in enumerate(update.facts):
        yield Statement(fact, update.stated_at, update.received_at, ordinal, update.received_at)


def _contradiction(conflict: contradictions.Conflict, at: datetime) -> Contradiction:
    return Contradiction(
        contradiction_id=conflict.id,
        rule=conflict.rule,
        fact_ids=conflict.fact_ids,
        state=CONTRADICTION_STATE_OPEN,
        found_at=times.stamp(at),
    )


def _context(told: Told, question: str, budget: int, held: Sequence[Passage]) -> Context:
    entries = standing(told.entries)
    facts = [entry.fact for entry in entries]
    codes = {
        concepts.key(fact): 2 if fact.kind == FACT_KIND_MEDICATION else 1
        for fact in facts
        if fact.kind not in RESULTS and fact.code.code
    }
    near = evidence(question, held, codes)
    passages = concerning(question, near)
    related = frozenset(code for passage in near[:NEAREST] for code in codes_of(passage))
    conflicts = [(each.rule, each.fact_ids) for each in told.contradictions]
    sources = Sources(facts, conflicts, _notes(told, question), passages, related)
    packed = pack(sources, question, budget, told.asked_at, estimate)
    return Context(
        lines=map(views.context_line, packed.lines),
        tokens=packed.tokens,
        omitted=packed.omitted,
        facts=map(views.recorded_fact, entries),
        passages=passages,
        contradictions=told.contradictions,
        identifiers=told.identifiers,
    )


def _notes(told: Told, question: str) -> list[Note]:
    """Pieces of the letters that share words with the question first, then the newest."""
    anchors = {
        entry.fact.source.document_id: entry.fact.fact_id
        for entry in standing(told.entries)
        if entry.fact.kind == FACT_KIND_DOCUMENT
    }
    asked = words(question)
    found = [
        (
            len(asked & words(piece.text)),
            text.authored_at,
            Note(piece.text, text.authored_at, anchors[text.document_id]),
        )
        for text in told.texts
        if text.document_id in anchors
        for piece in cut(text.text)
    ]
    found.sort(key=lambda each: (-each[0], -each[1].timestamp(), each[2].text))
    return [note for *_, note in found[:NOTES]]
