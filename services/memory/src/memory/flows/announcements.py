"""The events that tell what became of evidence."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from consult import times
from contracts.identifiers import event_id
from contracts.topics import EVIDENCE_APPROVED, EVIDENCE_LOADED, EVIDENCE_RELEASED, EVIDENCE_WITHDRAWN
from eventbus import Outgoing
from longitude.memory.v1.events_pb2 import (
    DoseConflict,
    EvidenceApproved,
    EvidenceLoaded,
    EvidenceReleased,
    EvidenceWithdrawn,
)

from memory.domain.releases import Edition

# The partition key: one after the other.
KEY = b"evidence"


def loaded(editions: Sequence[Edition], conflicts: Sequence[DoseConflict]) -> Outgoing:
    """Of one import."""
    digest = hashlib.sha256()
    for each in editions:
        digest.update(each.passage.SerializeToString(deterministic=True))
    first, ids = editions[0], [each.edition_id for each in editions]
    payload = EvidenceLoaded(
        passage_ids=[each.passage.passage_id for each in editions],
        sha256=digest.hexdigest(),
        edition_ids=ids,
        publisher=first.publisher,
        edition=first.edition,
        date=first.date,
        imported_by=first.importer.to_proto() if first.importer else None,
        conflicts=conflicts,
    )
    return Outgoing(EVIDENCE_LOADED, event_id("evidence-loaded", *ids), KEY, payload, datetime.now(UTC))


def approved(edition: Edition) -> Outgoing:
    """Its newest approval."""
    decision = edition.approvals[-1]
    by = decision.by
    payload = EvidenceApproved(
        edition_id=edition.edition_id,
        passage_id=edition.passage.passage_id,
        by=by.to_proto(),
        reason=decision.reason,
        approved_at=times.stamp(decision.at),
    )
    name = event_id("evidence-approved", edition.edition_id, by.issuer, by.subject)
    return Outgoing(EVIDENCE_APPROVED, name, KEY, payload, decision.at)


def released(editions: Sequence[Edition], superseded: Sequence[str], at: datetime) -> Outgoing:
    """Those that the same decision released."""
    ids = [each.edition_id for each in editions]
    people = dict.fromkeys(each.by for edition in editions for each in edition.approvals)
    payload = EvidenceReleased(
        edition_ids=ids,
        approved_by=[who.to_proto() for who in people],
        superseded=superseded,
        released_at=times.stamp(at),
    )
    return Outgoing(EVIDENCE_RELEASED, event_id("evidence-released", *ids), KEY, payload, at)


def withdrawn(edition: Edition) -> Outgoing:
    """For good."""
    decision = edition.withdrawal
    if decision is None:
        raise ValueError("it is not withdrawn")
    payload = EvidenceWithdrawn(
        edition_id=edition.edition_id,
        passage_id=edition.passage.passage_id,
        title=edition.passage.title,
        by=decision.by.to_proto(),
        reason=decision.reason,
        withdrawn_at=times.stamp(decision.at),
    )
    return Outgoing(EVIDENCE_WITHDRAWN, event_id("evidence-withdrawn", edition.edition_id), KEY, payload, decision.at)
