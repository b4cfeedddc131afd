"""Records as Kafka holds them, and which event of the log each stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.identifiers import event_id
from contracts.topics import CHECKPOINT_PUBLISHED, TOPICS

DEAD_LETTERS = "dlq."
# What the log covers: every topic but the one of its own checkpoints, and the dead letters of every consumer.
LOGGED_TOPICS = frozenset(topic.name for topic in TOPICS if topic is not CHECKPOINT_PUBLISHED)
_MAX_HEADER_CHARACTERS = 255


def is_logged(topic: str) -> bool:
    """Whether records of this topic belong into the log."""
    return topic in LOGGED_TOPICS or topic.startswith(DEAD_LETTERS)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as fetched. `timestamp` is Kafka's, in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Mapping[str, str]

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return (self.topic, self.partition, self.offset)

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the value."""
        return hashlib.sha256(self.value).digest()

    @property
    def event_id(self) -> str:
        """The event that the record stands for, by the rules of services/auditing/README.md."""
        if replay := self._header("replay_id"):
            return replay
        if self.topic.startswith(DEAD_LETTERS):
            given_up = tuple(self._header(f"dlq_{name}") for name in ("topic", "partition", "offset"))
            place = given_up if all(given_up) else (self.topic, str(self.partition), str(self.offset))
            return event_id("dead-letter", self.topic, *place)
        own = event_id("record", self.topic, str(self.partition), str(self.offset))
        return self._header("ce_id") or own

    def _header(self, name: str) -> str:
        value = self.headers.get(name, "")
        return value if len(value) <= _MAX_HEADER_CHARACTERS and value.isprintable() else ""
