"""PV1 in ADT messages: visits, from admission to discharge, and their cancellation."""

from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import encounters

from ingestion.domain.coding import Coding
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Message, Segment

# HL7 table 0003. Events about a person or an account and not about a visit say nothing of encounters.
_DISCHARGED = frozenset({"A03"})
_BEGINNING = frozenset({"A01", "A04", "A05"})
_CANCELLED = frozenset({"A11", "A23", "A27", "A38"})
_PENDING = frozenset({"A05", "A14"})
_UNDER_WAY = frozenset(
    {
        "A01",
        "A02",
        "A04",
        "A06",
        "A07",
        "A08",
        "A09",
        "A10",
        "A12",
        "A13",
        "A15",
        "A16",
        "A17",
        "A25",
        "A26",
        "A32",
        "A33",
    }
)
_EVENTS = _DISCHARGED | _CANCELLED | _PENDING | _UNDER_WAY
# A cancelled discharge (A13): the visit goes on, whatever PV1-45 repeats.
_REOPENED = frozenset({"A13"})


def encounter(message: Message, pv1: Segment, pid: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """The visit that an ADT event is about."""
    trigger = scope.origin.trigger
    patient_class = pv1.get(2).upper()
    known = encounters.of_class(patient_class)
    if message.header.get(9) != "ADT" or trigger not in _EVENTS or known is None:
        return
    number = scope.encounter_id or pid.get(18)
    if not number and not pv1.get(44) and trigger not in _BEGINNING:
        # An update that names no visit says nothing about one.
        return
    occurred = _occurred(message, scope)
    begun = scope.origin.time(pv1, 44) or (None if trigger in _DISCHARGED else occurred)
    ended = None if trigger in _REOPENED else scope.origin.time(pv1, 45)
    if trigger in _DISCHARGED:
        ended = ended or occurred
    yield scope.fact(
        pv1,
        pv1.path(2),
        pb.Identity(groups=[f"visit:{number or (begun or occurred).seconds}"]),
        kind=pb.FACT_KIND_ENCOUNTER,
        code=known,
        source_code=scope.coding(Coding(patient_class, "", "HL70004")),
        valid_from=begun,
        valid_to=ended,
        status=_status(trigger, ended),
        note=_reason(message),
    )


def _status(trigger: str, ended: Timestamp | None) -> "pb.FactStatus.ValueType":
    if trigger in _CANCELLED:
        return pb.FACT_STATUS_ENTERED_IN_ERROR
    if ended is not None:
        return pb.FACT_STATUS_ENDED
    return pb.FACT_STATUS_ORDERED if trigger in _PENDING else pb.FACT_STATUS_ACTIVE


def _occurred(message: Message, scope: Scope) -> Timestamp:
    """EVN-6 (when it happened), else EVN-2 (when it was recorded), else MSH-7."""
    evn = message.first("EVN")
    return (scope.origin.time(evn, 6, 2) if evn else None) or scope.said_at


def _reason(message: Message) -> str:
    """PV2-3, the reason for admission."""
    pv2 = message.first("PV2")
    return (pv2.get(3, 2) or pv2.get(3)) if pv2 else ""
