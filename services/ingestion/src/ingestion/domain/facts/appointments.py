"""SCH: appointments, from their booking to their end (SIU, HL7 v2.5.1 chapter 10).

An appointment is known by its numbers (SCH-2, SCH-1) with its occurrence (SCH-3). What the event says of it is a row of
`appointment_events`; where it lets it take place, SCH-25 (`appointment_states`) may say otherwise. It is no visit:
whether anybody came, ADT says.
"""

from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.scope import Origin, Scope
from ingestion.domain.hl7 import Message, Segment
from ingestion.domain.protocol import table
from ingestion.domain.timestamps import timestamp

_STATUS = {
    "booked": pb.FACT_STATUS_ORDERED,
    "asked": pb.FACT_STATUS_PRELIMINARY,
    "ends": pb.FACT_STATUS_ENDED,
    "deleted": pb.FACT_STATUS_ENTERED_IN_ERROR,
}
# Services and resources with when each begins, where nothing says it of the appointment (sections 10.6.4 to 10.6.7).
_BEGINS = {"AIS": 4, "AIG": 8, "AIL": 6, "AIP": 6}


def appointments(message: Message, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """The appointment that a scheduling message is about."""
    event = table("appointment_events").get(scope.origin.trigger, {}).get("says", "")
    sch = message.first("SCH")
    if message.header.get(9) != "SIU" or sch is None or not event:
        return
    begins, ends = _times(message, sch, scope.origin)
    groups = [*_number(sch, 2, "appointment-filler"), *_number(sch, 1, "appointment-placer")]
    if not groups:
        scope.origin.remark(sch, 2, "an appointment without a number; no fact")
        return
    if begins is None and event == "booked":
        scope.origin.remark(sch, 11, "an appointment of which nobody says when it begins")
    kind, reason = CodedElement.read(sch.value(8)), CodedElement.read(sch.value(7))
    named = kind or reason
    yield scope.fact(
        sch,
        sch.path(8 if kind else 7),
        pb.Identity(groups=groups),
        kind=pb.FACT_KIND_APPOINTMENT,
        code=scope.coding(named.primary) if named else None,
        # What it is for may be sensitive, where its type is not.
        source_code=scope.coding((reason or named).primary) if named else None,
        valid_from=begins,
        valid_to=ends,
        status=_STATUS[_says(event, sch, scope.origin)],
        note=reason.primary.text or reason.primary.code,
    )


def _says(event: str, sch: Segment, origin: Origin) -> str:
    """By the event, and where that lets it take place, by SCH-25."""
    state = sch.get(25).upper()
    known = table("appointment_states").get(state)
    if state and known is None:
        origin.remark(sch, 25, "state of an appointment is not known; taken as the event says")
    return known["says"] if known and event == "booked" else event


def _times(message: Message, sch: Segment, origin: Origin) -> tuple[Timestamp | None, Timestamp | None]:
    """TQ1-7 and TQ1-8, else the timing that versions before 2.5 keep in SCH-11 (TQ.4, TQ.5), else the first service or
    resource.
    """
    tq1 = message.first("TQ1")
    stated = (origin.time(tq1, 7), origin.time(tq1, 8)) if tq1 else (None, None)
    if stated[0] is not None:
        return stated
    begins, ends = (_embedded(sch, component, origin) for component in (4, 5))
    if begins is not None:
        return begins, ends
    first = [origin.time(each, _BEGINS[each.name]) for each in message.segments if each.name in _BEGINS]
    return min(filter(None, first), key=lambda moment: (moment.seconds, moment.nanos), default=None), None


def _embedded(sch: Segment, component: int, origin: Origin) -> Timestamp | None:
    text = sch.get(11, component)
    moment = timestamp(text, origin.zone) if text else None
    if text and moment is None:
        origin.remark(sch, 11, "not a timestamp")
    return moment


def _number(sch: Segment, field: int, scheme: str) -> list[str]:
    """An entity identifier (EI) under each space in which it is unique, with the occurrence."""
    number, occurrence = sch.get(field), f"#{sch.get(3)}" if sch.get(3) else ""
    spaces = [space for space in (sch.get(field, 2), sch.get(field, 3)) if space]
    if not number:
        return []
    return [f"{scheme}:{number}{occurrence}@{space}" for space in spaces] or [f"{scheme}:{number}{occurrence}"]
