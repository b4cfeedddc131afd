"""DG1 and PRB: problems. What runs in the family is told as a result, never as the patient's own problem."""

import re
from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import ICD_9_CM, ICD_10, ICD_10_CM, LOINC, SNOMED, CodedElement
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

_FAMILY_HISTORY = pb.CodedConcept(system=LOINC, code="10157-6", display="History of family member diseases")
# ICD-10 Z80-Z84, ICD-9-CM V16-V19, SNOMED CT 416471007 and its usual wordings.
_FAMILY_CODES = re.compile(r"Z8[0-4](\.|$)|V1[6-9](\.|$)|416471007$")
_FAMILY_WORDS = re.compile(r"\b(family (medical )?history|familial history|fhx?)\b", re.IGNORECASE)
_NO_KNOWN_PROBLEMS = "160245001"
_ENDED = re.compile(r"resolved|inactive|remission|\bended\b", re.IGNORECASE)
_DELETED = {"D", "DE"}


def diagnosis(dg1: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """DG1: the coded diagnosis, or its free text where there is no code."""
    element = CodedElement.read(dg1.value(3), default_system=dg1.get(2))
    path = dg1.path(3)
    if not element:
        element, path = CodedElement((), dg1.get(4)), dg1.path(4)
    if not element:
        scope.origin.warn(dg1, 3, "no diagnosis")
        return
    status = pb.FACT_STATUS_ENTERED_IN_ERROR if dg1.get(21) in _DELETED else pb.FACT_STATUS_ACTIVE
    begun = scope.origin.time(dg1, 5)
    yield _problem(dg1, path, scope, element, dg1.get(20) or _onset(element, begun), begun, None, status)


def problem(prb: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """PRB: an entry of the problem list, under its own instance id (PRB-4)."""
    element = CodedElement.read(prb.value(3))
    if not element:
        scope.origin.warn(prb, 3, "no problem")
        return
    begun = scope.origin.time(prb, 16, 7, 2)
    ended = scope.origin.time(prb, 9)
    yield _problem(
        prb, prb.path(3), scope, element, prb.get(4) or _onset(element, begun), begun, ended, _problem_status(prb)
    )


def _problem(
    segment: Segment,
    path: str,
    scope: Scope,
    element: CodedElement,
    instance: str,
    begun: Timestamp | None,
    ended: Timestamp | None,
    status: "pb.FactStatus.ValueType",
) -> pb.ClinicalFact:
    best = element.in_system(SNOMED, ICD_10_CM, ICD_10, ICD_9_CM) or element.primary
    code = scope.coding(best)
    begun = begun or scope.said_at
    if is_family_history(element):
        return scope.fact(
            segment, path, f"family-history:{code.code}", kind=pb.FACT_KIND_RESULT, code=_FAMILY_HISTORY, coded=code,
            source_code=scope.coding(element.primary), valid_from=begun, valid_to=begun, status=pb.FACT_STATUS_FINAL,
        )  # fmt: skip
    absent = best.system == SNOMED and best.code == _NO_KNOWN_PROBLEMS
    return scope.fact(
        segment,
        path,
        f"problem:{instance}",
        kind=pb.FACT_KIND_PROBLEM,
        code=code,
        source_code=scope.coding(element.primary),
        valid_from=begun,
        valid_to=ended,
        status=pb.FACT_STATUS_ENDED if ended and status == pb.FACT_STATUS_ACTIVE else status,
        assertion=pb.ASSERTION_ABSENT if absent else pb.ASSERTION_PRESENT,
    )


def is_family_history(element: CodedElement) -> bool:
    """Whether a diagnosis is about relatives."""
    return any(_FAMILY_CODES.match(c.code) for c in element.codings) or any(
        _FAMILY_WORDS.search(text) for text in element.texts
    )


def _onset(element: CodedElement, begun: Timestamp | None) -> str:
    """An instance without an id: what it is and since when."""
    primary = element.primary
    return f"{primary.code or primary.text}:{begun.ToDatetime().date() if begun else ''}"


def _problem_status(prb: Segment) -> "pb.FactStatus.ValueType":
    if prb.get(1) in _DELETED:
        return pb.FACT_STATUS_ENTERED_IN_ERROR
    said = " ".join((prb.get(13, 1), prb.get(13, 2), prb.get(14, 1), prb.get(14, 2)))
    return pb.FACT_STATUS_ENDED if _ENDED.search(said) else pb.FACT_STATUS_ACTIVE
