"""Opening more of a record than the table opens by itself: a reason, an end, an event, and for some a review."""

import secrets
import uuid
from datetime import UTC, datetime

from consult import times
from contracts.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError
from contracts.identifiers import SALT_BYTES, event_id, patient_partition_key
from contracts.topics import OPENING_ENDED, OPENING_REVIEWED, RECORD_OPENED
from eventbus import Outbox, Outgoing, stage
from longitude.memory.v1.events_pb2 import OpeningEnded, OpeningReviewed, RecordOpened
from servicekit.principal import Person

from memory.adapters.postgres import Store, openings
from memory.adapters.postgres.openings import Kept
from memory.domain import opening, sensitive
from memory.domain.identity import Identifier
from memory.domain.opening import LONGEST_REASON, SHORTEST_REASON, Wanted
from memory.domain.releases import Who

AUDITOR = "auditor"


class Openings:
    """What people open to themselves, and who looks at that."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    async def open(self, identifier: Identifier, by: Person, wanted: Wanted) -> Kept:
        """InvalidInputError, DeniedError as `opening.grant` has them; NotFoundError for an unknown patient."""
        granted = opening.grant(by.roles, wanted)
        person = await self._store.person(identifier)
        now = datetime.now(UTC)
        kept = Kept(
            opening_id=str(uuid.uuid4()),
            patient=identifier,
            by=who(by),
            purpose=wanted.purpose,
            labels=granted.opens,
            reason=wanted.reason.strip(),
            opened_at=now,
            ends_at=now + granted.lasts,
            review=granted.review,
        )
        event = RecordOpened(
            opening_id=kept.opening_id,
            patient=identifier.key(),
            by=kept.by.to_proto(),
            purpose=kept.purpose,
            categories=sensitive.names(kept.labels),
            reason=kept.reason,
            opened_at=times.stamp(kept.opened_at),
            ends_at=times.stamp(kept.ends_at),
            review=kept.review,
            salt=secrets.token_bytes(SALT_BYTES),
        )
        async with self._store.connection() as conn, conn.transaction():
            await openings.add(conn, kept, await self._store.number(conn, person, identifier))
            key = patient_partition_key(identifier.key())
            await stage(conn, kept.opening_id, [Outgoing(RECORD_OPENED, kept.opening_id, key, event, now)])
        self._outbox.flush()
        return kept

    async def end(self, opening_id: str, by: Person) -> None:
        """NotFoundError where it is not the caller's, ConflictError when it has ended."""
        now = datetime.now(UTC)
        async with self._store.connection() as conn, conn.transaction():
            kept = await openings.one(conn, _id(opening_id))
            if kept is None or not _is_same(kept.by, who(by)):
                raise NotFoundError("you have no such opening")
            if kept.ended_at is not None or kept.ends_at <= now:
                raise ConflictError("it has ended")
            await openings.step(conn, kept.opening_id, "ended", who(by), now)
            event = OpeningEnded(
                opening_id=kept.opening_id,
                patient=kept.patient.key(),
                by=who(by).to_proto(),
                ended_at=times.stamp(now),
                salt=secrets.token_bytes(SALT_BYTES),
            )
            id_ = event_id("opening-ended", kept.opening_id)
            await stage(conn, id_, [Outgoing(OPENING_ENDED, id_, patient_partition_key(event.patient), event, now)])
        self._outbox.flush()

    async def review(self, opening_id: str, by: Person, *, justified: bool, comment: str) -> None:
        """NotFoundError; DeniedError for who opened it; ConflictError where there is nothing to review, or not yet."""
        if not SHORTEST_REASON <= len(comment.strip()) <= LONGEST_REASON:
            raise InvalidInputError(f"comment needs {SHORTEST_REASON} to {LONGEST_REASON} characters")
        now = datetime.now(UTC)
        async with self._store.connection() as conn, conn.transaction():
            kept = await openings.one(conn, _id(opening_id))
            if kept is None:
                raise NotFoundError("there is no such opening")
            if _is_same(kept.by, who(by)):
                raise DeniedError("nobody reviews what they opened themselves")
            if not kept.review or kept.reviewed_by is not None:
                raise ConflictError("no review of it is due")
            if kept.ended_at is None and kept.ends_at > now:
                raise ConflictError("it goes on; it is reviewed when it has ended")
            await openings.step(
                conn, kept.opening_id, "reviewed", who(by), now, justified=justified, comment=comment.strip()
            )
            event = OpeningReviewed(
                opening_id=kept.opening_id,
                patient=kept.patient.key(),
                by=who(by).to_proto(),
                justified=justified,
                comment=comment.strip(),
                reviewed_at=times.stamp(now),
                salt=secrets.token_bytes(SALT_BYTES),
            )
            id_ = event_id("opening-reviewed", kept.opening_id)
            await stage(conn, id_, [Outgoing(OPENING_REVIEWED, id_, patient_partition_key(event.patient), event, now)])
        self._outbox.flush()

    async def some(self, by: Person, *, unreviewed: bool) -> list[Kept]:
        """The newest: all to an auditor, else the caller's own."""
        async with self._store.connection() as conn:
            return await openings.some(conn, who(by), everybody=AUDITOR in by.roles, unreviewed=unreviewed)


def who(person: Person) -> Who:
    """A person as an event names them."""
    return Who(person.issuer, person.subject, person.name or person.subject)


def _is_same(one: Who, other: Who) -> bool:
    return (one.issuer, one.subject) == (other.issuer, other.subject)


def _id(opening_id: str) -> str:
    try:
        return str(uuid.UUID(opening_id))
    except ValueError:
        raise NotFoundError("there is no such opening") from None
