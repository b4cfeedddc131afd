"""What the stores must hold, by what was logged: rows of the record, assessments, reviews, episodes, objects; no I/O.

Feed the events whose leaves hold, then what the stores have. A row that no event speaks of was never logged; one that
an event speaks of and that is not there was deleted; neither is retention, for nothing here is ever retired.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.topics import (
    ASSESSMENT_DRAFTED,
    ASSESSMENT_REVIEWED,
    DOCUMENT_READ,
    EPISODE_CLOSED,
    MESSAGE_RECEIVED,
    MESSAGE_REREAD,
    RECORD_REBUILT,
    RECORD_UPDATED,
    STUDY_ANALYSED,
    TOPICS,
)
from google.protobuf.message import DecodeError, Message
from longitude.record.v1.fact_pb2 import ClinicalFact, PatientKey
from longitude.record.v1.object_pb2 import ObjectRef

# Table, its id, and the column whose bytes an event determines.
TABLES = {
    "reasoning.assessment": ("assessment_id", "assessment"),
    "reasoning.review": ("review_id", "review"),
    "reasoning.episode": ("episode_id", "object"),
    "memory.fact": ("fact_id", "payload"),
}
ASSESSMENT, REVIEW, EPISODE, FACT = TABLES
_PAYLOADS = {topic.name: topic.payload for topic in TOPICS}
Digests = Mapping[str, bytes]


@dataclass(slots=True)
class Logged:
    """What events say that a table holds: digests by id, of which a row must have one; and ids that must be there."""

    digests: dict[str, set[bytes]] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)

    def add(self, identifier: str, data: bytes) -> None:
        self.digests.setdefault(identifier, set()).add(digest(data))


@dataclass(frozen=True, slots=True)
class Compared:
    """A table against the log, by ids."""

    same: int
    altered: list[str]
    never_logged: list[str]
    deleted: list[str]


class Expected:
    """What the stores must hold by the events taken so far."""

    def __init__(self) -> None:
        self.tables = {table: Logged() for table in TABLES}
        self.objects: dict[tuple[str, str], ObjectRef] = {}
        # A rebuilt record has other facts than the one that events spoke of: what it lacks, nobody can say.
        self.is_rebuilt = False
        self._takes: dict[str, Callable[[Any, bytes], None]] = {
            ASSESSMENT_DRAFTED.name: self._drafted,
            ASSESSMENT_REVIEWED.name: self._reviewed,
            EPISODE_CLOSED.name: self._closed,
            MESSAGE_RECEIVED.name: lambda event, _: self._facts(event, event.patient.key),
            MESSAGE_REREAD.name: lambda event, _: self._facts(event.message, event.message.patient.key),
            STUDY_ANALYSED.name: lambda event, _: self._facts(event, event.patient),
            DOCUMENT_READ.name: lambda event, _: self._facts(event, event.patient),
            RECORD_UPDATED.name: lambda event, _: self.tables[FACT].wanted.update(event.fact_ids),
            RECORD_REBUILT.name: lambda _, __: self._rebuilt(),
        }

    def take(self, topic: str, value: bytes) -> None:
        """An event as it stands in its topic; what cannot be read had no effect."""
        if topic not in _PAYLOADS:
            return
        try:
            event = _PAYLOADS[topic].FromString(value)
        except DecodeError:
            return
        self.objects.update({(ref.bucket, ref.key): ref for ref in references(event)})
        if topic in self._takes:
            self._takes[topic](event, value)

    def compare(self, table: str, rows: Digests) -> Compared:
        """The rows of a table, each by its id with the SHA-256 of what it holds."""
        logged = self.tables[table]
        known = {identifier: logged.digests.get(identifier) for identifier in rows}
        return Compared(
            same=sum(rows[identifier] in digests for identifier, digests in known.items() if digests),
            altered=[
                identifier for identifier, digests in known.items() if digests and rows[identifier] not in digests
            ],
            never_logged=[identifier for identifier, digests in known.items() if not digests],
            deleted=[] if table == FACT and self.is_rebuilt else sorted(logged.wanted - rows.keys()),
        )

    def _drafted(self, event: Any, _: bytes) -> None:
        made = event.assessment
        self._must(ASSESSMENT, made.assessment_id, made.SerializeToString(deterministic=True))

    def _reviewed(self, event: Any, value: bytes) -> None:
        self._must(REVIEW, event.review_id, value)

    def _closed(self, event: Any, _: bytes) -> None:
        self._must(EPISODE, event.episode_id, event.episode.SerializeToString(deterministic=True))

    def _must(self, table: str, identifier: str, data: bytes) -> None:
        self.tables[table].add(identifier, data)
        self.tables[table].wanted.add(identifier)

    def _facts(self, event: Any, patient: PatientKey) -> None:
        """As memory records them: whom a fact is about is said by the event where the fact does not."""
        for fact in event.facts:
            whole = ClinicalFact()
            whole.CopyFrom(fact)
            if not fact.patient.id:
                whole.patient.CopyFrom(patient)
            self.tables[FACT].add(fact.fact_id, whole.SerializeToString(deterministic=True))

    def _rebuilt(self) -> None:
        self.is_rebuilt = True


def references(message: Message) -> Iterator[ObjectRef]:
    """Every object that a message names, however deep."""
    if isinstance(message, ObjectRef):
        yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None or descriptor.message_type.GetOptions().map_entry:
            continue
        for item in value if descriptor.is_repeated else [value]:
            yield from references(item)


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()
