"""The record's values in the words of the API."""

from consult import times
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1.context_pb2 import (
    CONTRADICTION_STATE_OPEN,
    CONTRADICTION_STATE_RESOLVED,
    Contradiction,
    RecordedFact,
)
from longitude.record.v1.fact_pb2 import PatientKey

from memory.adapters.postgres import Person
from memory.adapters.postgres.contradictions import Found
from memory.domain.timeline import Entry
from memory.flows.search import NoteFound


def recorded_fact(entry: Entry) -> RecordedFact:
    """A statement with what became of it."""
    recorded_at = times.stamp(entry.statement.recorded_at)
    view = RecordedFact(fact=entry.fact, recorded_at=recorded_at, carried_from=entry.carried_from)
    if entry.successor is not None and entry.superseded_at is not None:
        view.superseded_by = entry.successor.fact_id
        view.superseded_at.CopyFrom(times.stamp(entry.superseded_at))
    return view


def identifiers(person: Person) -> list[PatientKey]:
    return [identifier.key() for identifier in person.identifiers]


def contradiction(stored: Found) -> Contradiction:
    return Contradiction(
        contradiction_id=stored.contradiction_id,
        rule=stored.rule,
        fact_ids=stored.fact_ids,
        state=CONTRADICTION_STATE_OPEN if stored.open else CONTRADICTION_STATE_RESOLVED,
        found_at=times.stamp(stored.found_at),
    )


def note_hit(hit: NoteFound) -> pb.NoteHit:
    chunk = hit.chunk
    return pb.NoteHit(
        document_id=chunk.document_id,
        text=chunk.text,
        score=hit.score,
        source=chunk.source,
        authored_at=times.stamp(chunk.authored_at),
    )
