"""Coded occurrences of HL7 v2 messages: the fields that hold coded elements, read by the message's own delimiters."""

from collections.abc import Iterator

from terminology import coding_systems
from terminology.concepts import ACT_CODE, CVX
from terminology.coverage.occurrences import Coding, Kind, Occurrence, occurrence

# Segment and field to the kind of what it says.
_FIELDS: dict[str, tuple[tuple[int, Kind], ...]] = {
    "AL1": ((3, Kind.ALLERGY),),
    "DG1": ((3, Kind.PROBLEM),),
    "FT1": ((25, Kind.PROCEDURE),),
    "IAM": ((3, Kind.ALLERGY),),
    "OBR": ((4, Kind.OBSERVATION),),
    "OBX": ((3, Kind.OBSERVATION), (5, Kind.ANSWER), (6, Kind.UNIT)),
    "PR1": ((3, Kind.PROCEDURE),),
    "PRB": ((3, Kind.PROBLEM),),
    "PV1": ((2, Kind.ENCOUNTER),),
    "RXA": ((5, Kind.IMMUNISATION),),
    "RXC": ((2, Kind.MEDICATION),),
    "RXD": ((2, Kind.MEDICATION),),
    "RXE": ((2, Kind.MEDICATION), (5, Kind.UNIT)),
    "RXO": ((1, Kind.MEDICATION),),
    "TXA": ((2, Kind.DOCUMENT),),
}
_CODED_VALUES = frozenset({"CE", "CF", "CWE", "CNE"})
_ALTERNATE = 3


def occurrences(text: str) -> Iterator[Occurrence]:
    """Every coded field of the messages in a text."""
    component, repetition = "^", "~"
    for line in text.replace("\n", "\r").split("\r"):
        segment = line.strip().lstrip("\ufeff\x0b")
        if segment.startswith("MSH") and len(segment) > len("MSH|^~"):
            component, repetition = segment[4], segment[5]
        fields = segment.split("|")
        for number, kind in _FIELDS.get(fields[0], ()):
            value = fields[number] if number < len(fields) else ""
            if value and value != '""' and (kind is not Kind.ANSWER or fields[2] in _CODED_VALUES):
                for element in value.split(repetition):
                    yield from occurrence(kind, _codings(kind, element.split(component)))


def _codings(kind: Kind, parts: list[str]) -> Iterator[Coding]:
    """The code and its alternate; a value of a table of HL7 is of the system that the table leads to."""
    parts = [part.strip() for part in parts] + [""] * (2 * _ALTERNATE)
    if kind in (Kind.UNIT, Kind.DOCUMENT, Kind.ENCOUNTER):
        yield Coding(ACT_CODE if kind is Kind.ENCOUNTER else "", parts[0])
        return
    for start in (0, _ALTERNATE):
        code, display, system = parts[start : start + _ALTERNATE]
        uri = coding_systems.uri(system)
        # Without any system, the words of RXA-5 and the like are all there is.
        yield Coding(CVX if system == "HL70292" else uri, code, display or ("" if uri else code))
