"""Builds single facts as ingestion makes them. Times are days after 1 January 2024, so that tests read as stories."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.identifiers import event_id
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as cf
from terminology.concepts import LOINC, RXNORM, SNOMED

START = datetime(2024, 1, 1, tzinfo=UTC)
SYSTEMS = {
    cf.FACT_KIND_RESULT: LOINC,
    cf.FACT_KIND_DEMOGRAPHIC: LOINC,
    cf.FACT_KIND_MEDICATION: RXNORM,
}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def build_fact(  # noqa: PLR0913 - a fact has many fields, and a test names only those it is about
    *,
    fact_id: str = "",
    kind: int = cf.FACT_KIND_RESULT,
    code: str = "2160-0",
    display: str = "Creatinine",
    patient: str = "1@NORTH",
    same: str = "",
    since: float | None = 0,
    until: float | None = None,
    stated: float | None = None,
    status: int = cf.FACT_STATUS_FINAL,
    assertion: int = cf.ASSERTION_PRESENT,
    value: str = "",
    unit: str = "mg/dL",
    text: str = "",
    note: str = "",
    provenance: int = cf.PROVENANCE_STRUCTURED,
    **more: Any,
) -> cf.ClinicalFact:
    """A fact; a result is an instant, everything else is open unless `until` is given. `same`: what it is about.

    Nobody stated its start where `since` is None. It was stated on the day `stated`, if one is given.
    """
    identifier, _, authority = patient.partition("@")
    built = cf.ClinicalFact(
        kind=kind,  # type: ignore[arg-type]
        patient=cf.PatientKey(id=identifier, authority=authority),
        code=cf.CodedConcept(system=SYSTEMS.get(kind, SNOMED), code=code, display=display),  # type: ignore[call-overload]
        status=status,  # type: ignore[arg-type]
        assertion=assertion,  # type: ignore[arg-type]
        provenance=provenance,  # type: ignore[arg-type]
        confidence=1.0,
        note=note,
        **more,
    )
    if same:
        built.identity.CopyFrom(cf.Identity(groups=[same], names=["it"]))
    if value:
        built.quantity.CopyFrom(cf.Quantity(value=value, unit=unit))
    elif text:
        built.text = text
    if since is not None:
        built.valid_from.CopyFrom(stamp(day(since)))
    if stated is not None:
        built.stated_at.CopyFrom(stamp(day(stated)))
    if until is None and kind == cf.FACT_KIND_RESULT:
        until = since
    if until is not None:
        built.valid_to.CopyFrom(stamp(day(until)))
    built.fact_id = fact_id or event_id("test-fact", built.SerializeToString(deterministic=True))
    return built
