"""Builders of facts as ingestion makes them. Times are days after 1 January 2024, so that tests read as stories."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts.identifiers import event_id
from longitude.record.v1 import fact_pb2 as cf
from memory.domain import times
from memory.domain.timeline import Statement

START = datetime(2024, 1, 1, tzinfo=UTC)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
SYSTEMS = {
    cf.FACT_KIND_RESULT: LOINC,
    cf.FACT_KIND_DEMOGRAPHIC: LOINC,
    cf.FACT_KIND_MEDICATION: RXNORM,
}

FactBuilder = Callable[..., cf.ClinicalFact]
StatementBuilder = Callable[..., Statement]


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def build_fact(
    *,
    fact_id: str = "",
    kind: int = cf.FACT_KIND_RESULT,
    code: str = "2160-0",
    display: str = "Creatinine",
    patient: str = "1@NORTH",
    slot: str = "",
    since: float | None = 0,
    until: float | None = None,
    status: int = cf.FACT_STATUS_FINAL,
    assertion: int = cf.ASSERTION_PRESENT,
    value: str = "",
    unit: str = "mg/dL",
    text: str = "",
    note: str = "",
    provenance: int = cf.PROVENANCE_STRUCTURED,
    **more: Any,
) -> cf.ClinicalFact:
    """A fact; a result is an instant, everything else is open unless `until` is given."""
    identifier, _, authority = patient.partition("@")
    built = cf.ClinicalFact(
        kind=kind,  # type: ignore[arg-type]
        patient=cf.PatientKey(id=identifier, authority=authority),
        code=cf.CodedConcept(system=SYSTEMS.get(kind, SNOMED), code=code, display=display),  # type: ignore[call-overload]
        status=status,  # type: ignore[arg-type]
        assertion=assertion,  # type: ignore[arg-type]
        provenance=provenance,  # type: ignore[arg-type]
        confidence=1.0,
        slot=slot,
        note=note,
        **more,
    )
    if value:
        built.quantity.CopyFrom(cf.Quantity(value=value, unit=unit))
    elif text:
        built.text = text
    if since is not None:
        built.valid_from.CopyFrom(times.stamp(day(since)))
    if until is None and kind == cf.FACT_KIND_RESULT:
        until = since
    if until is not None:
        built.valid_to.CopyFrom(times.stamp(day(until)))
    built.fact_id = fact_id or event_id("test-fact", built.SerializeToString(deterministic=True))
    return built


def build_statement(
    built: cf.ClinicalFact, stated: float = 0, recorded: float | None = None, received: float | None = None, n: int = 0
) -> Statement:
    """A fact as recorded: received and recorded on the day it was stated unless said otherwise."""
    received = stated if received is None else received
    return Statement(built, day(stated), day(received), n, day(received if recorded is None else recorded))


@pytest.fixture(scope="session")
def fact() -> FactBuilder:
    return build_fact


@pytest.fixture(scope="session")
def statement() -> StatementBuilder:
    return build_statement


@pytest.fixture(scope="session")
def at() -> Callable[[float], datetime]:
    return day
