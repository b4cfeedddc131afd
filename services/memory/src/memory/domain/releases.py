"""How a passage comes to speak: quarantined, approved by two people, released; superseded or withdrawn.

Guarantees: an edition is one text of one publisher and never changes, so that what is approved is what was read; the
two who approve are different people, physicians, and neither imported it; a withdrawn edition never speaks again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.errors import ConflictError, DeniedError, InvalidInputError
from contracts.packages import canonical
from longitude.memory.v1.events_pb2 import Actor
from longitude.record.v1.context_pb2 import Passage

NEEDED = 2
LONGEST_REASON = 2_000
_DIGITS = 16


class State(StrEnum):
    QUARANTINED = "quarantined"
    RELEASED = "released"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Who:
    """A person: the same issuer and subject is the same person, whatever the name."""

    issuer: str
    subject: str
    name: str = field(default="", compare=False)

    def to_proto(self) -> Actor:
        return Actor(issuer=self.issuer, subject=self.subject, name=self.name)


@dataclass(frozen=True, slots=True)
class Decision:
    """An approval or a withdrawal."""

    by: Who
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Edition:
    """One text of one publisher, and what became of it. `importer`: None where it ships with the product."""

    edition_id: str
    passage: Passage
    publisher: str
    edition: str
    date: str
    importer: Who | None
    imported_at: datetime
    approvals: tuple[Decision, ...] = ()
    released_at: datetime | None = None
    superseded_at: datetime | None = None
    withdrawal: Decision | None = None

    @property
    def state(self) -> State:
        if self.withdrawal is not None:
            return State.WITHDRAWN
        if self.superseded_at is not None:
            return State.SUPERSEDED
        return State.QUARANTINED if self.released_at is None else State.RELEASED


def edition_id(passage: Passage, publisher: str) -> str:
    """Of this text of this publisher, for good: the passage id and a digest."""
    digest = hashlib.sha256(publisher.encode() + b"\n" + canonical(passage)).hexdigest()
    return f"{passage.passage_id}@{digest[:_DIGITS]}"


def check_approval(edition: Edition, by: Who, reason: str, *, conflicts: Sequence[object]) -> None:
    """DeniedError, ConflictError or InvalidInputError when this person may not approve the edition now."""
    name = edition.edition_id
    if edition.state is not State.QUARANTINED:
        raise ConflictError(f"{name}: {edition.state}, not in quarantine")
    if by == edition.importer:
        raise DeniedError(f"{name}: whoever imported it does not approve it")
    if by in {each.by for each in edition.approvals}:
        raise ConflictError(f"{name}: you approved it already; another person has to")
    if conflicts and not reason.strip():
        raise InvalidInputError(f"{name}: doses conflict with a limit; say why it is released all the same")
    check_reason(reason)


def is_approved(edition: Edition) -> bool:
    """Whether enough people approved it."""
    return len({each.by for each in edition.approvals}) >= NEEDED


def check_withdrawal(edition: Edition, reason: str) -> None:
    """ConflictError when it is withdrawn already; InvalidInputError without a reason."""
    if not reason.strip():
        raise InvalidInputError("say why it is withdrawn")
    check_reason(reason)
    if edition.withdrawal is not None:
        raise ConflictError(f"{edition.edition_id}: withdrawn already")


def check_reason(reason: str) -> None:
    if len(reason) > LONGEST_REASON:
        raise InvalidInputError(f"the reason is longer than {LONGEST_REASON} characters")
