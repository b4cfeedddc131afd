"""A concern as an HL7 message to another system (ORU^R01, HL7 v2.5.1 chapter 7), and which of its states leave.

Guarantee: the same state gives the same bytes, under the same control id (MSH-10).
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from consult.surveillance import is_open
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1.concern_pb2 import Concern

# Of table 0396, 99zzz: codes of one's own.
SYSTEM = "99LONGITUDE"
_ESCAPED = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": " ", "\n": " "}
# The most that MSH-10 has in v2.5.1.
_CONTROL_ID = 20


@dataclass(frozen=True, slots=True)
class Addressee:
    """MSH-5 and MSH-6, and what is told: how urgent at least, and whether what rests on sensitive categories is."""

    application: str
    facility: str
    least: "advice_pb2.Urgency.ValueType"
    sensitive: bool


def leaves(concern: Concern, sent: int, to: Addressee) -> bool:
    """Whether a state is told. `sent`: the revision that was taken last, 0 for none. What was told once is told on,
    until it is resolved.
    """
    if concern.revision <= sent or (concern.sensitive and not to.sensitive):
        return False
    return sent > 0 or (is_open(concern) and concern.urgency <= to.least)


def untold(concern: Concern, acted: Collection[int], sent: int, to: Addressee) -> Concern | None:
    """The state in which a concern is, where it is to be told. `acted`: revisions in which a person acted, which are no
    states.
    """
    state = Concern()
    state.CopyFrom(concern)
    while state.revision in acted:
        state.revision -= 1
    return state if leaves(state, sent, to) else None


def message(concern: Concern, event_id: str, at: datetime, to: Addressee, *, again: bool) -> bytes:
    """The state of a concern as results under its id. `again`: it takes the place of an earlier state."""
    when, status = f"{at:%Y%m%d%H%M%S}+0000", "C" if again else "F"
    patient = f"{_escaped(concern.patient.id)}^^^{_escaped(concern.patient.authority)}"
    receiver = f"{_escaped(to.application)}|{_escaped(to.facility)}"
    service = f"CONCERN^Clinical concern^{SYSTEM}"
    segments = [
        f"MSH|^~\\&|LONGITUDE||{receiver}|{when}||ORU^R01^ORU_R01|{control_id(event_id)}|P|2.5.1||||||UNICODE UTF-8",
        # The name of a patient is not known here (table 0200: U, unspecified).
        f"PID|1||{patient}||^^^^^^U",
        f"OBR|1||{concern.concern_id}^LONGITUDE|{service}|||{when}|||||||||||||||{when}|||{status}",
        *_observations(concern, status),
    ]
    return "\r".join([*segments, ""]).encode()


def control_id(event_id: str) -> str:
    """MSH-10 of an event's message."""
    return hashlib.sha256(event_id.encode()).hexdigest()[:_CONTROL_ID].upper()


def _observations(concern: Concern, status: str) -> Iterator[str]:
    urgency = advice_pb2.Urgency.Name(concern.urgency).removeprefix("URGENCY_").lower()
    told = (
        ("CWE", "STATE", "State", _coded("open" if is_open(concern) else "resolved")),
        ("CWE", "URGENCY", "Urgency", _coded(urgency)),
        ("TX", "TEXT", "What the record says", _escaped(concern.text)),
        ("ST", "RULE", "Row of knowledge and version", _escaped(f"{concern.row}@{concern.version}")),
        ("TX", "SOURCE", "Document of the row", _escaped(concern.source)),
        ("NM", "REVISION", "Revision of the concern", str(concern.revision)),
    )
    for number, (kind, code, name, value) in enumerate(told, 1):
        yield f"OBX|{number}|{kind}|{code}^{name}^{SYSTEM}||{value}||||||{status}"


def _coded(code: str) -> str:
    return f"{code}^{code}^{SYSTEM}"


def _escaped(text: str) -> str:
    """Section 2.7; a line ends nowhere in a text."""
    return "".join(_ESCAPED.get(character, character) for character in text)
