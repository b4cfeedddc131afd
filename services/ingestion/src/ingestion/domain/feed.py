"""What is known about a sender and not said in its messages: its zone, its kinds of numbers, its own codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cache

from ingestion.domain.local_codes import StandardCode
from ingestion.domain.protocol import table


@cache
def record_types() -> frozenset[str]:
    """The types of HL7 table 0203 that are record numbers of a patient."""
    return frozenset(key for key, row in table("identifier_types").items() if row["kind"] == "record")


@cache
def placeholders() -> frozenset[str]:
    """What senders write where they have no number."""
    return frozenset(table("placeholders"))


@dataclass(frozen=True, slots=True)
class FeedRules:
    """The rules of one sending facility (MSH-4.1)."""

    # Of timestamps without an offset.
    zone: tzinfo = UTC
    # Of identifiers for which neither the identifier nor the header names one.
    authority: str = "UNKNOWN"
    # Types of identifiers (CX.5) that are record numbers of a person: only these name and link patients.
    record_types: frozenset[str] = field(default_factory=record_types)
    # Identifiers that stand for "not known", in capitals.
    placeholders: frozenset[str] = field(default_factory=placeholders)
    # Site codes of PV1-2 to HL7 table 0004.
    patient_classes: Mapping[str, str] = field(default_factory=dict)
    # Local codes (CWE.1) to standard ones.
    local_codes: Mapping[str, StandardCode] = field(default_factory=dict)
    # Whether order numbers begin anew, so that they name an order within one visit only.
    numbers_restart: bool = False
