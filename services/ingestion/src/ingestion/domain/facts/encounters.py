"""PV1: visits, from admission to discharge; their cancellation, their new numbers and patients.

A visit is known by its number (PV1-19), else by its account (PID-18). What an event says of the state of a visit is a
row of `visit_events`; orders, documents and others name the visit and say nothing of it, and a start or an end that
nobody stated is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology.encounters import of_class

from ingestion.domain.coding import Coding
from ingestion.domain.facts.groups import Person
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Message, Segment
from ingestion.domain.identity import Numbers
from ingestion.domain.protocol import table

_CLASSES = "HL70004"
_NOT_APPLICABLE = "N"
_UNKNOWN = "U"
_STATUS = {
    "begins": pb.FACT_STATUS_ACTIVE,
    "planned": pb.FACT_STATUS_ORDERED,
    "goes-on": pb.FACT_STATUS_ACTIVE,
    "ends": pb.FACT_STATUS_ENDED,
    "reopened": pb.FACT_STATUS_ACTIVE,
    "cancelled": pb.FACT_STATUS_ENTERED_IN_ERROR,
}
# What says nothing of an end, whatever PV1-45 repeats.
_GOES_ON = frozenset({"reopened", "not-ended", "cancelled"})


@dataclass(frozen=True, slots=True)
class _Event:
    """An ADT event about a visit."""

    says: str
    evn: Segment | None
    pv2: Segment | None
    scope: Scope

    @property
    def occurred(self) -> Timestamp:
        """EVN-6 (when it happened), else EVN-2 (when it was recorded), else MSH-7."""
        return (self.scope.origin.time(self.evn, 6, 2) if self.evn else None) or self.scope.said_at

    def begun(self, pv1: Segment) -> Timestamp | None:
        """When the visit began: PV1-44, else the event that is its beginning. Of a planned one: when it will."""
        stated = self.scope.origin.time(pv1, 44)
        if stated is not None or self.says not in {"begins", "planned"}:
            return stated
        if self.says == "begins":
            return self.occurred
        planned = self.scope.origin.time(self.evn, 3) if self.evn else None
        return planned or (self.scope.origin.time(self.pv2, 8) if self.pv2 else None)

    def ended(self, pv1: Segment) -> Timestamp | None:
        """PV1-45, else the event that is the end."""
        if self.says in _GOES_ON:
            return None
        return self.scope.origin.time(pv1, 45) or (self.occurred if self.says == "ends" else None)

    def deleted(self, pv1: Segment) -> list[str]:
        """The times that the message takes back."""
        fields = {"valid_from": pv1.is_null(44), "valid_to": pv1.is_null(45) or self.says == "reopened"}
        return [name for name, gone in fields.items() if gone and not (name == "valid_to" and self.says == "ends")]

    @property
    def reason(self) -> str:
        """PV2-3, the reason for admission."""
        return (self.pv2.get(3, 2) or self.pv2.get(3)) if self.pv2 else ""


def encounters(message: Message, person: Person, scope: Scope, numbers: Numbers) -> Iterator[pb.ClinicalFact]:
    """The visit that an ADT event is about; of a visit that moved, that it is no longer the other patient's."""
    says = _said_of_visit(message, scope.origin.trigger)
    if not says:
        return
    event = _Event(says, message.first("EVN"), message.first("PV2"), scope)
    if event.says == "moved":
        if not person.merged:
            scope.origin.remark(person.pid, 0, "a move without MRG does not say from whom")
        for mrg in person.merged:
            yield from _moved(mrg, scope, numbers)
    # A move of several visits has an MRG before each.
    earlier = person.merged if event.says in {"moved", "renamed"} else []
    for pv1, mrg in zip_longest(person.visits[: max(len(earlier), 1)], earlier):
        if pv1 is not None:
            yield from _encounter(person.pid, pv1, mrg, event)


def _said_of_visit(message: Message, trigger: str) -> str:
    """What a message says of the visit in its PV1; empty for results, which repeat it by the thousand."""
    if message.header.get(9) == "ADT":
        return table("visit_events").get(trigger, {}).get("says", "")
    return "" if trigger.startswith("R") else "updates"


def _encounter(pid: Segment, pv1: Segment, mrg: Segment | None, event: _Event) -> Iterator[pb.ClinicalFact]:
    if pv1.get(2).upper() == _NOT_APPLICABLE:
        return
    scope = replace(event.scope, encounter_id=pv1.get(19))
    begun, ended = event.begun(pv1), event.ended(pv1)
    groups = _groups(pid, pv1, mrg)
    if not groups and begun is not None:
        # The only name that a visit without numbers has.
        groups = [f"visit-since:{begun.seconds}"]
    if not groups:
        if event.says in _STATUS:
            scope.origin.remark(pv1, 19, "a visit without a number or a start; no fact")
        return
    is_over = ended is not None and ended.seconds <= scope.said_at.seconds
    status = _STATUS.get(event.says, pb.FACT_STATUS_ENDED if is_over else pb.FACT_STATUS_UNSPECIFIED)
    yield scope.fact(
        pv1,
        pv1.path(2),
        pb.Identity(groups=groups),
        kind=pb.FACT_KIND_ENCOUNTER,
        code=_class(pv1, scope),
        source_code=scope.coding(Coding(pv1.get(2).upper(), "", _CLASSES)) if pv1.get(2) else None,
        valid_from=begun,
        valid_to=ended,
        status=pb.FACT_STATUS_ENDED if is_over and status == pb.FACT_STATUS_ACTIVE else status,
        note=event.reason,
        deleted=event.deleted(pv1),
    )


def _class(pv1: Segment, scope: Scope) -> pb.CodedConcept | None:
    """PV1-2: by the table of the feed, else by HL7 table 0004, else as sent and remarked; None where it says none."""
    sent = pv1.get(2).upper()
    if sent in {"", _UNKNOWN}:
        return None
    known = of_class(scope.origin.rules.patient_classes.get(sent, sent))
    if known is None:
        scope.origin.remark(pv1, 2, "patient class is not known; kept as sent")
    return known or scope.coding(Coding(sent, "", "PV1-2"))


def _groups(pid: Segment, pv1: Segment, mrg: Segment | None) -> list[str]:
    """The visit by its number, by its earlier one, and its account."""
    earlier = _earlier(mrg) if mrg else ""
    return list(filter(None, [number_of(pv1, 19, "visit"), earlier, number_of(pid, 18, "account")]))


def _earlier(mrg: Segment) -> str:
    """The number of a visit before it was renamed or moved: MRG-5, else that of its account, MRG-3."""
    return number_of(mrg, 5, "visit") or number_of(mrg, 3, "account")


def _moved(mrg: Segment, scope: Scope, numbers: Numbers) -> Iterator[pb.ClinicalFact]:
    """That the visit of MRG-5, else the account of MRG-3, was never one of the patient of MRG-1."""
    owners = numbers.naming(mrg, 1)
    groups = list(filter(None, [_earlier(mrg)]))
    if not owners or not groups:
        scope.origin.remark(mrg, 5 if owners else 1, "a move that does not say of whom and of which visit")
        return
    gone = scope.fact(
        mrg,
        mrg.path(5 if mrg.get(5) else 3),
        pb.Identity(groups=groups, whole_group=True),
        kind=pb.FACT_KIND_ENCOUNTER,
        status=pb.FACT_STATUS_ENTERED_IN_ERROR,
    )
    gone.patient.CopyFrom(numbers.key(owners[0]))
    scope.origin.remark(mrg, 1, "results and other statements of the visit stay with the patient of MRG-1")
    yield gone


def number_of(segment: Segment, field: int, scheme: str) -> str:
    """`visit:V72`, `visit:V72@HOSP`: a number (CX) with its authority where it has one; empty where there is none."""
    value = segment.value(field)
    space = value.get(4, 1) or value.get(4, 2)
    return f"{scheme}:{value.get()}{'@' + space if space else ''}" if value.get() else ""
