"""What a feed file would change in the newest messages that Kafka holds, told by places and never by values."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from contracts.places import place_of
from contracts.topics import MESSAGE_RECEIVED
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.ingestion.v1.ingestion_service_pb2 import Change, ReceivedMessage

from client.api import IngestionClient
from client.kafka import Kafka

# Of one request; the service takes a little more.
MOST_MESSAGES, MOST_BYTES = 500, 4 * 1024 * 1024


@dataclass(slots=True)
class Trial:
    """Counts over all messages tried. `examples`: control id and change, in the order of the messages."""

    messages: int = 0
    # Messages that are too large to stand in their event.
    left_out: int = 0
    changed: int = 0
    patients: int = 0
    newly_taken: int = 0
    newly_refused: int = 0
    facts_added: Counter[str] = field(default_factory=Counter)
    facts_removed: Counter[str] = field(default_factory=Counter)
    remarks_added: Counter[str] = field(default_factory=Counter)
    remarks_removed: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, Change]] = field(default_factory=list)

    def add(self, control_id: str, change: Change) -> None:
        """Count what would change in one message."""
        self.changed += 1
        self.patients += change.patient_changed
        self.newly_taken += change.refused_before and not change.refused_after
        self.newly_refused += change.refused_after and not change.refused_before
        for counts, places in ((self.facts_added, change.facts_added), (self.facts_removed, change.facts_removed)):
            counts.update({one.place: one.count for one in places})
        self.remarks_added.update(f"{place_of(one)}: {one.reason}" for one in change.remarks_added)
        self.remarks_removed.update(f"{place_of(one)}: {one.reason}" for one in change.remarks_removed)
        self.examples.append((control_id, change))


async def run(feeds: str, facility: str, most: int, reader: Kafka, ingestion: IngestionClient) -> Trial:
    """Try a feed file on at most `most` of the newest messages, of one facility or of all when it is empty."""
    events = [event async for event in newest(reader, most)]
    wanted = [event for event in events if facility in ("", event.header.sending_facility)]
    small = [event for event in wanted if event.raw.WhichOneof("where") == "inline"]
    trial = Trial(messages=len(small), left_out=len(wanted) - len(small))
    for part in batches(small):
        messages = [ReceivedMessage(payload=event.raw.inline, received_at=event.received_at) for event in part]
        for change in await ingestion.try_feeds(feeds, messages):
            trial.add(part[change.message].header.control_id, change)
    return trial


async def newest(reader: Kafka, most: int) -> AsyncIterator[MessageReceived]:
    """The last `most` messages of the topic, divided over its partitions."""
    span = await reader.span(lambda topic: topic == MESSAGE_RECEIVED.name)
    share = -(-most // max(len(span.ends), 1))
    span.starts = {place: max(start, span.ends[place] - share) for place, start in span.starts.items()}
    async for record in span.records():
        yield MessageReceived.FromString(record.value)


def batches(events: Iterable[MessageReceived]) -> Iterator[list[MessageReceived]]:
    """Parts that fit one request each."""
    part: list[MessageReceived] = []
    size = 0
    for event in events:
        if part and (len(part) == MOST_MESSAGES or size + len(event.raw.inline) > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(event)
        size += len(event.raw.inline)
    if part:
        yield part
