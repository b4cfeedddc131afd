"""The record's values in the words of the API."""

from consult import times
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1.context_pb2 import (
    CONTRADICTION_STATE_OPEN,
    CONTRADICTION_STATE_RESOLVED,
    Contradiction,
    Note,
)
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, PatientKey

from memory.adapters.postgres import Person
from memory.adapters.postgres.contradictions import Found
from memory.adapters.postgres.editions import Edition
from memory.adapters.postgres.notes import WholeText
from memory.adapters.postgres.openings import Kept
from memory.adapters.postgres.views import View
from memory.domain.coverage import Covered
from memory.domain.opening import banner
from memory.domain.releases import Decision, State
from memory.domain.sensitive import names
from memory.flows.library import Seen
from memory.flows.search import NoteFound


def view(seen: View) -> pb.View:
    """What was not shown, and what is to stand above what was."""
    return pb.View(left_out=seen.left_out, banner=banner(seen.openings))


def opening(kept: Kept) -> pb.Opening:
    return pb.Opening(
        opening_id=kept.opening_id,
        patient=kept.patient.key(),
        by=kept.by.to_proto(),
        purpose=kept.purpose,
        categories=names(kept.labels),
        reason=kept.reason,
        opened_at=times.stamp(kept.opened_at),
        ends_at=times.stamp(kept.ends_at),
        ended_at=None if kept.ended_at is None else times.stamp(kept.ended_at),
        review=kept.review,
        reviewed_by=None if kept.reviewed_by is None else kept.reviewed_by.to_proto(),
        justified=kept.justified,
        comment=kept.comment,
    )


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


def note(document: ClinicalFact, whole: WholeText) -> Note:
    return Note(
        fact_id=document.fact_id,
        title=document.code.display or document.source_code.display,
        authored_at=document.valid_from if document.HasField("valid_from") else None,
        text=whole.text,
        source=whole.source,
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


def evidence_subject(covered: Covered) -> pb.EvidenceSubject:
    about = covered.subject
    concept = CodedConcept(system=about.system, code=about.code, display=about.display)
    return pb.EvidenceSubject(kind=about.kind, concept=concept, passage_ids=covered.passages)


def edition(made: Edition) -> pb.Edition:
    return pb.Edition(
        edition=made.number,
        rereading_id=made.rereading_id,
        messages=made.messages,
        refused=made.refused,
        current_from=None if made.current_from is None else times.stamp(made.current_from),
    )


_STATES = {
    State.QUARANTINED: pb.EVIDENCE_STATE_QUARANTINED,
    State.RELEASED: pb.EVIDENCE_STATE_RELEASED,
    State.SUPERSEDED: pb.EVIDENCE_STATE_SUPERSEDED,
    State.WITHDRAWN: pb.EVIDENCE_STATE_WITHDRAWN,
}


def evidence_state(asked: "pb.EvidenceState.ValueType") -> State | None:
    """None for every state; KeyError for one that there is not."""
    return {number: state for state, number in _STATES.items()}[asked] if asked else None


def evidence_edition(seen: Seen) -> pb.EvidenceEdition:
    edition, withdrawal = seen.edition, seen.edition.withdrawal
    return pb.EvidenceEdition(
        edition_id=edition.edition_id,
        passage=edition.passage,
        state=_STATES[edition.state],
        publisher=edition.publisher,
        edition=edition.edition,
        date=edition.date,
        imported_by=edition.importer.to_proto() if edition.importer else None,
        imported_at=times.stamp(edition.imported_at),
        approvals=map(_approval, edition.approvals),
        released_at=times.stamp(edition.released_at) if edition.released_at else None,
        withdrawn_by=withdrawal.by.to_proto() if withdrawal else None,
        withdrawn_reason=withdrawal.reason if withdrawal else "",
        withdrawn_at=times.stamp(withdrawal.at) if withdrawal else None,
        conflicts=seen.conflicts,
        replaces=seen.replaces,
    )


def _approval(decision: Decision) -> pb.EvidenceApproval:
    return pb.EvidenceApproval(by=decision.by.to_proto(), reason=decision.reason, approved_at=times.stamp(decision.at))
