"""What other rules of feeds would change in messages that came before: each is read twice, and the readings compared.

Nothing of it is kept. Facts are the same when their ids are: an id is made from all that a fact says and where.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from contracts.places import place_of
from longitude.ingestion.v1.events_pb2 import Remark
from longitude.ingestion.v1.ingestion_service_pb2 import Change, PlaceCount, ReceivedMessage
from longitude.record.v1.fact_pb2 import ClinicalFact

from ingestion.domain.reading import Feed, Reading, read
from ingestion.domain.refusal import RefusedError


def changes(messages: Iterable[ReceivedMessage], before: Feed, after: Feed) -> Iterator[Change]:
    """One for each message that would be read otherwise."""
    for number, message in enumerate(messages):
        at = message.received_at.ToDatetime(tzinfo=UTC)
        was, would = _read(message.payload, at, before), _read(message.payload, at, after)
        change = _change(was, would)
        if change != Change():
            change.message = number
            yield change


def _read(payload: bytes, received_at: datetime, feed: Feed) -> Reading | None:
    try:
        return read(payload, received_at, feed)
    except RefusedError:
        return None


def _change(was: Reading | None, would: Reading | None) -> Change:
    if was is None and would is None:
        return Change()
    facts = {fact.fact_id: fact for fact in (was.content.facts if was else [])}
    others = {fact.fact_id: fact for fact in (would.content.facts if would else [])}
    removed = [fact for identifier, fact in facts.items() if identifier not in others]
    added = [fact for identifier, fact in others.items() if identifier not in facts]
    remarks, further = _remarks(was), _remarks(would)
    return Change(
        refused_before=was is None,
        refused_after=would is None,
        patient_changed=bool(was and would) and _patient(was) != _patient(would),
        facts_added=_places(added),
        facts_removed=_places(removed),
        remarks_added=_listed(further - remarks),
        remarks_removed=_listed(remarks - further),
        added=added,
        removed=removed,
    )


def _patient(reading: Reading | None) -> object:
    return reading.content.patient if reading else None


def _places(facts: Iterable[ClinicalFact]) -> list[PlaceCount]:
    places = Counter(place_of(Remark(segment=fact.source.segment, field=fact.source.field)) for fact in facts)
    return [PlaceCount(place=place, count=count) for place, count in sorted(places.items())]


def _remarks(reading: Reading | None) -> Counter[tuple[str, str, str]]:
    return Counter((one.segment, one.field, one.reason) for one in (reading.remarks if reading else []))


def _listed(remarks: Counter[tuple[str, str, str]]) -> list[Remark]:
    return [Remark(segment=segment, field=field, reason=reason) for segment, field, reason in remarks.elements()]
