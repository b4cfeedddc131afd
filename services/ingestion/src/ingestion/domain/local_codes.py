"""Local codes of a feed, as its operator says what they are.

Guarantee: the standard coding stands beside the sender's own, in the place where the sender could have written it, and
is looked at as any that a sender writes. Only codes that `terminology` knows are taken (`knows`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from terminology import allergens, coding_systems, drugs, observables, problems, procedures, vaccines
from terminology.concepts import concept

from ingestion.domain.hl7 import Message, Segment, Value
from ingestion.domain.protocol import table

# Where a coded element (CWE) has its codings: identifier, text, system.
_CODINGS = (1, 4, 10)


@dataclass(frozen=True, slots=True)
class StandardCode:
    """A code of a public system; the system by its name in HL7 table 0396."""

    system: str
    code: str


def _of_snomed(code: str) -> bool:
    asked = concept(coding_systems.uri("SCT"), code)
    return any((problems.of(asked), procedures.of(asked), allergens.allergens_of(asked)))


_KNOWN: Mapping[str, Callable[[str], object]] = {
    "LN": observables.by_loinc,
    "RXNORM": lambda code: drugs.ingredients_of_code(coding_systems.uri("RXNORM"), code),
    "CVX": lambda code: vaccines.of(concept(coding_systems.uri("CVX"), code)),
    "SCT": _of_snomed,
}
SYSTEMS = tuple(_KNOWN)


def knows(standard: StandardCode) -> bool:
    """Whether `terminology` has a meaning for the code."""
    return bool(_KNOWN[standard.system](standard.code))


def with_standard_codes(message: Message, codes: Mapping[str, StandardCode]) -> Message:
    """The message with a further coding in each field whose local code is known."""
    if not codes:
        return message
    segments = [_coded(segment, codes) for segment in message.segments]
    return Message(segments, message.delimiters, message.remarks)


def _coded(segment: Segment, codes: Mapping[str, StandardCode]) -> Segment:
    for number, systems in _fields().get(segment.name, ()):
        value = segment.value(number)
        standard = codes.get(value.get(1))
        if standard and standard.system in systems and not coding_systems.uri(value.get(3)):
            fields = list(segment.fields)
            fields[number] = _with_coding(value, standard)
            segment = Segment(segment.name, segment.occurrence, fields, segment.delimiters)
    return segment


def _with_coding(value: Value, standard: StandardCode) -> str:
    """The element with the standard code in the first coding that is free; as it is when none is."""
    separator = value.delimiters.component
    components = value.raw.split(separator)
    components += [""] * (_CODINGS[-1] + 2 - len(components))
    place = next((start for start in _CODINGS if not any(components[start - 1 : start + 1])), None)
    if place is None:
        return value.raw
    components[place - 1], components[place + 1] = standard.code, standard.system
    return separator.join(components).rstrip(separator)


@cache
def _fields() -> Mapping[str, tuple[tuple[int, tuple[str, ...]], ...]]:
    fields: dict[str, tuple[tuple[int, tuple[str, ...]], ...]] = {}
    for path, row in table("coded_fields").items():
        name, _, number = path.partition("-")
        fields[name] = (*fields.get(name, ()), (int(number), tuple(row["systems"].split(","))))
    return fields
