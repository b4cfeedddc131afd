"""What one event says to the record: facts, links and texts, with the source's own time.

Raises ValueError for an event that no redelivery can make readable.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from consult import times
from contracts.identifiers import event_id
from google.protobuf.message import Message
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_DOCUMENT,
    FACT_KIND_IMAGING_FINDING,
    FACT_KIND_PROCEDURE,
    ClinicalFact,
    PatientKey,
    SourcePointer,
)

from memory.domain.identity import Identifier, Link

# A text value this long is narrative, whatever kind of fact carries it.
NARRATIVE = 60
# MSH-11 (HL7 table 0103): production, or not stated. Training (T) and debugging (D) say nothing of a real patient.
_PRODUCTION = ("", "P")
_NARRATIVE_KINDS = (FACT_KIND_DOCUMENT, FACT_KIND_IMAGING_FINDING, FACT_KIND_PROCEDURE)


@dataclass(frozen=True, slots=True)
class Text:
    """Text for the note index. `document_id` or `fact_id` says what it is the text of."""

    text_id: str
    patient: Identifier
    text: str
    authored_at: datetime
    source: SourcePointer
    document_id: str = ""
    fact_id: str = ""


@dataclass(frozen=True)
class Update:
    """One event, read."""

    patient: Identifier
    stated_at: datetime
    received_at: datetime
    facts: tuple[ClinicalFact, ...]
    links: tuple[Link, ...] = ()
    texts: tuple[Text, ...] = ()

    @cached_property
    def patients(self) -> tuple[Identifier, ...]:
        """Whom each of the facts is about."""
        return tuple(Identifier.of(fact.patient) for fact in self.facts)

    @cached_property
    def identifiers(self) -> set[Identifier]:
        """Every identifier that the event speaks of."""
        named = {self.patient, *self.patients}
        return named | {identifier for link in self.links for identifier in link.pair}


def of_message(message: MessageReceived, at: datetime) -> Update | None:
    """None for a message about no patient (master files and the like), or not from production.

    `at` is the time of the event, used when the message has no readable times of its own.
    """
    if message.header.processing_id not in _PRODUCTION:
        return None
    if not message.patient.key.id and not message.facts and not message.links:
        return None
    received = times.moment(message, "received_at") or at
    patient = _patient(message.patient.key)
    stated = _stated(message.header, "sent_at", received)
    facts = _facts(message.facts, patient)
    links = tuple(
        Link(Identifier.of(link.surviving), Identifier.of(link.merged), link.removed) for link in message.links
    )
    texts = [text for fact in facts for text in _texts(fact, stated)]
    return Update(patient, stated, received, facts, links, tuple(texts))


def of_study(study: StudyAnalysed, at: datetime) -> Update:
    patient = _patient(study.patient)
    stated = _stated(study, "acquired_at", at)
    facts = _facts(study.facts, patient)
    return Update(patient, stated, at, facts, texts=tuple(text for fact in facts for text in _texts(fact, stated)))


def of_document(document: DocumentRead, at: datetime, event: str) -> Update:
    patient = _patient(document.patient)
    stated = _stated(document, "authored_at", at)
    texts: tuple[Text, ...] = ()
    # A page that shows another patient's identifier is no text of this one.
    if document.text.strip() and not document.problem:
        source = SourcePointer()
        source.CopyFrom(document.source)
        source.document_id = document.document_id
        texts = (Text(event, patient, document.text, stated, source, document_id=document.document_id),)
    return Update(patient, stated, at, _facts(document.facts, patient), texts=texts)


def _patient(key: PatientKey) -> Identifier:
    if not key.id:
        raise ValueError("an event without a patient")
    return Identifier.of(key)


def _stated(owner: Message, field: str, received: datetime) -> datetime:
    """The source's own time, but never later than the moment of receipt."""
    return min(times.moment(owner, field) or received, received)


def _facts(sent: Iterable[ClinicalFact], patient: Identifier) -> tuple[ClinicalFact, ...]:
    facts = []
    for fact in sent:
        if not fact.fact_id:
            raise ValueError("a fact without an id")
        times.interval(fact)
        facts.append(fact if fact.patient.id else _of(patient, fact))
    return tuple(facts)


def _of(patient: Identifier, fact: ClinicalFact) -> ClinicalFact:
    whole = ClinicalFact()
    whole.CopyFrom(fact)
    whole.patient.CopyFrom(patient.key())
    return whole


def _texts(fact: ClinicalFact, stated: datetime) -> list[Text]:
    """The narrative in a fact. A fact read from a document has none of its own: the document brings its text."""
    if fact.source.document_id:
        return []
    narrative = fact.kind in _NARRATIVE_KINDS or len(fact.text) >= NARRATIVE
    found = [
        (field, text) for field, text in (("note", fact.note), ("text", fact.text if narrative else "")) if text.strip()
    ]
    if not found:
        return []
    authored = times.moment(fact, "valid_from") or stated
    return [
        Text(
            event_id("fact-text", fact.fact_id, field),
            Identifier.of(fact.patient),
            text,
            authored,
            fact.source,
            fact_id=fact.fact_id,
        )
        for field, text in found
    ]
