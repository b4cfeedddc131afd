"""Events that a consumer gave up on: what they are, and putting one back where it came from.

A replayed event keeps its id and the signature of who wrote it: consumers that had handled it do nothing, the one that
gave up tries again. The replay is itself an event with an id of its own, so the audit log has a leaf for it, caused by
the event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from contracts.identifiers import event_id
from contracts.signatures import HEADERS

from client import kafka
from client.errors import ClientError
from client.records import DEAD_LETTERS, RawRecord

_KEPT_HEADERS = ("content-type", "traceparent", *HEADERS)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record of a dead-letter topic. `replays` is how often it was put back."""

    record: RawRecord
    replays: int = 0

    @property
    def place(self) -> str:
        """`topic/partition/offset`, which `show` and `replay` take."""
        return "{}/{}/{}".format(*self.record.place)

    def header(self, name: str) -> str:
        """What the consumer wrote down when it gave up: reason, error, consumer, topic, event_id, attempts ..."""
        return self.record.headers.get(f"dlq_{name}", "")

    @property
    def origin(self) -> str:
        """The topic that the event was in."""
        return self.header("topic")


async def find(reader: kafka.Kafka) -> list[DeadLetter]:
    """All dead letters that Kafka holds, by place."""
    letters = [record async for record in (await reader.span(lambda topic: topic.startswith(DEAD_LETTERS))).records()]
    origins = {record.headers.get("dlq_topic", "") for record in letters}
    replays: dict[str, int] = {}
    async for record in _replayed(reader, origins):
        replays[record.headers["replay_of"]] = replays.get(record.headers["replay_of"], 0) + 1
    found = [DeadLetter(record, replays.get("{}/{}/{}".format(*record.place), 0)) for record in letters]
    return sorted(found, key=lambda letter: letter.record.place)


async def _replayed(reader: kafka.Kafka, topics: set[str]) -> AsyncIterator[RawRecord]:
    async for record in (await reader.span(lambda topic: topic in topics)).records():
        if "replay_of" in record.headers:
            yield record


async def replay(bootstrap: str, letter: DeadLetter, policy: str) -> str:
    """Put the event back into its topic, acknowledged by all in-sync replicas; returns the id of the replay."""
    if not letter.origin:
        raise ClientError(f"{letter.place}: nobody wrote down which topic it was in")
    count = str(letter.replays + 1)
    replay_id = event_id("replay", letter.place, count)
    headers = {
        name: value for name, value in letter.record.headers.items() if name.startswith("ce_") or name in _KEPT_HEADERS
    }
    headers |= {"replay_id": replay_id, "replay_of": letter.place, "replay_policy": policy, "replay_count": count}
    encoded = [(name, value.encode()) for name, value in headers.items()]
    await kafka.publish(bootstrap, letter.origin, letter.record.key, letter.record.value, encoded)
    return replay_id
