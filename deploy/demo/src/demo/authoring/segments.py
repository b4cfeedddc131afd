"""The segments and messages that both facilities write, one short function each.

A `Draft` is a message before it has a control id; numbers of fields are those of HL7 v2.5.1 chapter 2 to 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from demo.authoring.dialect import Dialect, Field, Segment

# (code, text, coding system)
Code = tuple[str, str, str]


@dataclass(frozen=True)
class Draft:
    """A message of one facility at one time; `event` is message code and trigger, such as `ADT_A04`."""

    dialect: Dialect
    at: datetime
    event: str
    body: Sequence[Segment]


@dataclass(frozen=True)
class Reading:
    """One observation: OBX-2 to OBX-11. `value` is one field, whatever its type."""

    code: Code
    value: Field
    unit: str = ""
    reference: str = ""
    flag: str = ""
    status: str = "F"
    value_type: str = "NM"


@dataclass(frozen=True)
class Visit:
    """A stay or a consultation: PV1-2, PV1-3, PV1-7, PV1-19, PV1-44."""

    number: str
    patient_class: str
    place: str
    doctor: tuple[str, str, str]
    admitted: datetime


def header(draft: Draft, control_id: str) -> Segment:
    """MSH; versions before 2.4 have no message structure in MSH-9.3."""
    dialect = draft.dialect
    code, trigger = draft.event.split("_")
    structure = {"A04": "ADT_A01", "A08": "ADT_A01", "A40": "ADT_A39", "PC2": "PPR_PC1"}.get(trigger, draft.event)
    event = (code, trigger, structure) if dialect.version >= "2.4" else (code, trigger)
    fields: dict[int, Field] = {3: dialect.application, 4: dialect.facility, 5: "LONGITUDE", 6: "HUB"}
    fields |= {7: dialect.time(draft.at), 9: event, 10: control_id, 11: "P", 12: dialect.version, 18: dialect.charset}
    return Segment("MSH", fields)


def event(dialect: Dialect, draft_event: str, at: datetime) -> Segment:
    """EVN."""
    return Segment("EVN", {1: draft_event.split("_")[1], 2: dialect.time(at)})


def visit(dialect: Dialect, stay: Visit, discharged: datetime | None = None) -> Segment:
    """PV1."""
    fields: dict[int, Field] = {1: "1", 2: stay.patient_class, 3: (stay.place, "", "", dialect.facility)}
    fields |= {7: stay.doctor, 19: stay.number, 44: dialect.time(stay.admitted)}
    if discharged:
        fields |= {36: "01", 45: dialect.time(discharged)}
    return Segment("PV1", fields)


def no_visit() -> Segment:
    """PV1 of a message that belongs to no visit: patient class N, not applicable (HL7 table 0004)."""
    return Segment("PV1", {1: "1", 2: "N"})


def diagnosis(number: int, code: Code, dialect: Dialect, at: datetime, kind: str = "W") -> Segment:
    """DG1; kind is HL7 table 0052: A admitting, W working, F final."""
    return Segment("DG1", {1: str(number), 3: code, 5: dialect.time(at), 6: kind})


def observations(dialect: Dialect, readings: Sequence[Reading], at: datetime) -> list[Segment]:
    """OBX segments of one panel, in order."""
    return [_observation(dialect, n, reading, at) for n, reading in enumerate(readings, start=1)]


def _observation(dialect: Dialect, number: int, reading: Reading, at: datetime) -> Segment:
    fields: dict[int, Field] = {1: str(number), 2: reading.value_type, 3: reading.code, 5: reading.value}
    fields |= {6: reading.unit, 7: reading.reference, 8: reading.flag, 11: reading.status, 14: dialect.time(at)}
    return Segment("OBX", fields)


def report(dialect: Dialect, order: str, panel: Code, at: datetime, status: str = "F") -> Segment:
    """OBR: the order, what was asked and when the specimen or reading was taken."""
    fields: dict[int, Field] = {1: "1", 2: order, 3: order, 4: panel, 7: dialect.time(at), 22: dialect.time(at)}
    return Segment("OBR", fields | {25: status})
