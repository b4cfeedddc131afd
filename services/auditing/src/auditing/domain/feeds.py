"""What a record says about the feed that it came from: counts by the hour, never a value of a message.

Guarantee: a message is counted once, however often it is sent, read or replayed, since only leaves are counted and a
replay is none of a feed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.places import place_of
from contracts.topics import MESSAGE_RECEIVED, MESSAGE_REJECTED, STUDY_RECEIVED
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.auditing.v1.auditing_service_pb2 import FeedReport, NamedCount
from longitude.ingestion.v1.events_pb2 import MessageReceived, MessageRejected, Remark, StudyReceived
from longitude.record.v1.fact_pb2 import FACT_KIND_DEMOGRAPHIC

from auditing.domain.records import Record

UNNAMED, INSTANCES, NO_ANSWER = "-", "DICOM", "none"
MESSAGE, ACKNOWLEDGEMENT, REMARK, REJECTED = "message", "acknowledgement", "remark", "rejected"
WITH_FACTS, WITH_CLINICAL_FACTS = "with-facts", "with-clinical-facts"
MOST_REMARKS = 200
_LONGEST_NAME = 255
_STORED = "0000"

Counted = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reception:
    """What one message adds to the counts of its feed: measures with names."""

    facility: str
    received_at: datetime
    counted: tuple[Counted, ...]

    @property
    def hour(self) -> datetime:
        """The hour that it is counted in."""
        return self.received_at.replace(minute=0, second=0, microsecond=0)


def reception_of(record: Record) -> Reception | None:
    """None for a record that is no message or instance of a feed, or that nobody can read."""
    reader = _READERS.get(record.topic)
    if reader is None or record.header("replay_id"):
        return None
    try:
        return reader(record.value)
    except (DecodeError, ValueError, OverflowError):
        return None


def _message(value: bytes) -> Reception:
    event = MessageReceived.FromString(value)
    counted = [(MESSAGE, ""), (ACKNOWLEDGEMENT, event.acknowledgement_code or NO_ANSWER)]
    if event.facts:
        counted.append((WITH_FACTS, ""))
    if any(fact.kind != FACT_KIND_DEMOGRAPHIC for fact in event.facts):
        counted.append((WITH_CLINICAL_FACTS, ""))
    return _reception(event.header.sending_facility, event.received_at, [*counted, *_remarks(event.remarks)])


def _refusal(value: bytes) -> Reception:
    event = MessageRejected.FromString(value)
    instance = bool(event.sop_instance_uid) or len(event.condition_code) == len(_STORED)
    answer = event.condition_code if instance else event.acknowledgement_code or NO_ANSWER
    counted = [(MESSAGE, ""), (ACKNOWLEDGEMENT, answer), (REJECTED, event.condition_code)]
    return _reception(INSTANCES if instance else event.sending_facility, event.received_at, counted)


def _instance(value: bytes) -> Reception | None:
    event = StudyReceived.FromString(value)
    if event.HasField("filing"):
        return None
    counted = [(MESSAGE, ""), (ACKNOWLEDGEMENT, _STORED), *_remarks(event.remarks)]
    return _reception(INSTANCES, event.received_at, counted)


_READERS: Mapping[str, Callable[[bytes], Reception | None]] = {
    MESSAGE_RECEIVED.name: _message,
    MESSAGE_REJECTED.name: _refusal,
    STUDY_RECEIVED.name: _instance,
}


def _remarks(remarks: Iterable[Remark]) -> Iterator[Counted]:
    return ((REMARK, f"{place_of(remark)}: {remark.reason}") for remark in remarks)


def _reception(facility: str, received_at: Timestamp, counted: Iterable[Counted]) -> Reception:
    named = tuple((measure, _clean(name)) for measure, name in counted)
    return Reception(_clean(facility) or UNNAMED, received_at.ToDatetime(tzinfo=UTC), named)


def _clean(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME and name.isprintable() else UNNAMED


def reports(last: Mapping[str, datetime], counts: Iterable[tuple[str, str, str, int]]) -> list[FeedReport]:
    """A report for each facility of `last`; `counts`: facility, measure, name and how many."""
    found: dict[str, dict[str, list[NamedCount]]] = {facility: defaultdict(list) for facility in last}
    for facility, measure, name, count in counts:
        if facility in found:
            found[facility][measure].append(NamedCount(name=name, count=count))
    return [_report(facility, at, found[facility]) for facility, at in sorted(last.items())]


def _report(facility: str, last: datetime, counts: Mapping[str, list[NamedCount]]) -> FeedReport:
    def named(measure: str) -> list[NamedCount]:
        return sorted(counts.get(measure, ()), key=lambda one: (-one.count, one.name))

    def total(measure: str) -> int:
        return sum(one.count for one in named(measure))

    report = FeedReport(
        facility=facility,
        messages=total(MESSAGE),
        acknowledgements=named(ACKNOWLEDGEMENT),
        with_facts=total(WITH_FACTS),
        with_clinical_facts=total(WITH_CLINICAL_FACTS),
        remarks=named(REMARK)[:MOST_REMARKS],
        rejected=named(REJECTED),
    )
    report.last_received_at.FromDatetime(last)
    return report
