"""From a story's messages to the record that reasoning reads, through the services' own domains, in one process.

ingestion reads, imaging reads the letters, memory orders the timeline, finds contradictions and packs the context. Only
the stores and the embedder are left out: notes and evidence are ranked by their words and concepts, as memory does when
the embedder is out of reach.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from consult import Record, Timeline, times
from consult.context.composing import NOTES, Gathered, Note, compose, evidence_question
from consult.context.ranking import by_word, words
from consult.context.tokens import estimate
from consult.rules import CITED_PASSAGES
from imaging.domain.document import read_text, reading_id
from ingestion.domain.reading import Feed, read
from ingestion.domain.reception import document_events, received_event
from longitude.ingestion.v1.events_pb2 import Payload
from longitude.record.v1.context_pb2 import CONTRADICTION_STATE_OPEN, Context, Contradiction, Passage
from longitude.record.v1.context_pb2 import Note as WholeText
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from memory.domain import contradictions, updates
from memory.domain.chunks import cut
from memory.domain.timeline import Entry, StatedFact, replay, standing
from memory.domain.updates import Text, Update
from memory.flows.library import shipped
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
    return tell_messages(story.messages, story.truth.today)


def tell_messages(messages: Sequence[bytes], today: date) -> Told:
    """Every message read and recorded, a minute apart, in the order of arrival."""
    asked_at = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=20)
    known: list[Update] = []
    for number, message in enumerate(messages):
        received = asked_at - timedelta(minutes=len(messages) - number)
        known += _updates(message, received)
    entries = replay(statement for update in known for statement in _statements(update))
    found = [_contradiction(each, asked_at) for each in contradictions.find(e.fact for e in standing(entries))]
    keys = sorted({identifier for update in known for identifier in update.identifiers})
    texts = [text for update in known for text in update.texts]
    return Told(entries, texts, found, [each.key() for each in keys], asked_at)


def record_of(story: Story, context_tokens: int = CONTEXT_TOKENS, passages: Sequence[Passage] | None = None) -> Record:
    """What reasoning is given for the story's question. `held`: another library than the shipped one."""
    told, passages = tell(story), library() if passages is None else passages
    timeline = Timeline([each.recorded() for each in told.entries], told.identifiers, told.contradictions)
    named = {each.passage_id: each for each in passages}
    cited = tuple(named[each] for each in CITED_PASSAGES if each in named)
    return Record(timeline, _context(told, story.question, context_tokens, passages), cited, told.asked_at)


def whole_record(messages: Sequence[bytes], today: date) -> Record:
    """What a check of a text is given: the whole record with the texts of its documents."""
    told = tell_messages(messages, today)
    timeline = Timeline([each.recorded() for each in told.entries], told.identifiers, told.contradictions)
    return Record(timeline, Context(), (), told.asked_at, notes=tuple(whole_texts(told)))


def whole_texts(history: Told) -> Iterator[WholeText]:
    """The texts of documents and of other entries that are still in force."""
    for text in history.texts:
        for fact in (entry.fact for entry in standing(history.entries)):
            if fact.fact_id == text.fact_id or (text.document_id and fact.source.document_id == text.document_id):
                authored = times.stamp(text.authored_at)
                yield WholeText(fact_id=fact.fact_id, title=fact.code.display, authored_at=authored, text=text.text)


def _updates(message: bytes, received: datetime) -> list[Update]:
    reading = read(message, received, Feed())
    event = received_event(reading, Payload(), received)
    found = [updates.of_message(event, received)]
    sent_documents = document_events(reading, [ObjectRef() for _ in reading.content.documents], received)
    for document, sent in zip(reading.content.documents, sent_documents, strict=True):
        answer = read_text(sent.document_id, sent, document.content.decode())
        found.append(updates.of_document(answer, received, reading_id(sent.document_id, answer.model)))
    return [update for update in found if update is not None]


def _statements(update: Update) -> Iterable[StatedFact]:
    for ordinal, fact in enumerate(update.facts):
        yield StatedFact(fact, update.stated_at, update.received_at, ordinal, update.received_at)


def _contradiction(conflict: contradictions.Conflict, at: datetime) -> Contradiction:
    return Contradiction(
        contradiction_id=conflict.id,
        rule=conflict.rule,
        fact_ids=conflict.fact_ids,
        state=CONTRADICTION_STATE_OPEN,
        found_at=times.stamp(at),
    )


def _context(history: Told, question: str, budget: int, passages: Sequence[Passage]) -> Context:
    """As memory composes it, when the embedder is out of reach."""
    entries = standing(history.entries)
    asked = evidence_question(question, [entry.fact for entry in entries])
    gathered = Gathered(
        facts=[entry.recorded() for entry in entries],
        contradictions=history.contradictions,
        identifiers=history.identifiers,
        notes=_notes(history.texts, question),
        near=by_word(asked, passages),
    )
    return compose(gathered, question, budget, history.asked_at, estimate)


def _notes(texts: Sequence[Text], question: str) -> list[Note]:
    """Pieces of the letters that share words with the question first, then the newest."""
    asked = words(question)
    pieces = [
        (len(asked & words(piece.text)), Note(piece.text, text.authored_at, document_id=text.document_id))
        for text in texts
        for piece in cut(text.text)
    ]
    pieces.sort(key=lambda each: (-each[0], -each[1].authored_at.timestamp(), each[1].text))
    return [note for _, note in pieces[:NOTES]]
