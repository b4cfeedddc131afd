"""DG1 and PRB: problems. What runs in the family is told as a result, never as the patient's own problem."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import absence, problems
from terminology.absence import Absence, Meaning
from terminology.concepts import ICD9CM, ICD10, ICD10CM, SNOMED
from terminology.loinc import FAMILY_HISTORY, concept

from ingestion.domain.coding import CodedElement, Coding
from ingestion.domain.facts import absences
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

_ICD10GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
# Family history by system: Z80-Z84 of ICD-10 with or without its point, V16-V19 of ICD-9-CM alone, SNOMED CT 416471007.
_ICD10_FAMILY = re.compile(r"Z8[0-4]([.\d]|$)")
_ICD9_FAMILY = re.compile(r"V1[6-9]([.\d]|$)")
_FAMILY_CODES = {
    ICD10: _ICD10_FAMILY,
    ICD10CM: _ICD10_FAMILY,
    _ICD10GM: _ICD10_FAMILY,
    ICD9CM: _ICD9_FAMILY,
    SNOMED: re.compile(r"416471007$"),
    "": re.compile(f"{_ICD10_FAMILY.pattern}|{_ICD9_FAMILY.pattern}"),
}
_FAMILY_WORDS = re.compile(r"\b(family (medical )?(history|hx)|familial history|fhx?)\b", re.IGNORECASE)
_ENDED = re.compile(r"resolved|inactive|remission|\bended\b", re.IGNORECASE)
_DELETED = {"D", "DE"}


def diagnosis(dg1: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """DG1: the coded diagnosis, or its free text where there is no code."""
    element = CodedElement.read(dg1.value(3), default_system=dg1.get(2))
    path = dg1.path(3)
    if not element:
        element, path = CodedElement((), dg1.get(4)), dg1.path(4)
    if not element:
        scope.origin.remark(dg1, 3, "no diagnosis")
        return
    status = pb.FACT_STATUS_ENTERED_IN_ERROR if dg1.get(21) in _DELETED else pb.FACT_STATUS_ACTIVE
    begun = scope.origin.time(dg1, 5)
    instance = dg1.get(20) or _onset(element, begun)
    yield from _problem(_Entry(dg1, path, instance, begun, None, status), element, scope)


def problem(prb: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """PRB: an entry of the problem list, under its own instance id (PRB-4)."""
    element = CodedElement.read(prb.value(3))
    if not element:
        scope.origin.remark(prb, 3, "no problem")
        return
    begun = scope.origin.time(prb, 16, 7, 2)
    ended = scope.origin.time(prb, 9)
    instance = prb.get(4) or _onset(element, begun)
    yield from _problem(_Entry(prb, prb.path(3), instance, begun, ended, _problem_status(prb)), element, scope)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a problem stands, and what the segment says of it beside its name."""

    segment: Segment
    path: str
    instance: str
    begun: Timestamp | None
    ended: Timestamp | None
    status: "pb.FactStatus.ValueType"


def _problem(entry: _Entry, element: CodedElement, scope: Scope) -> Iterator[pb.ClinicalFact]:
    stated = absences.whole(element, ("problem",))
    if stated is not None and _none(stated) is None:
        scope.origin.remark(entry.segment, 3, "says that problems are not known; no fact")
        return
    best = element.in_system(SNOMED, ICD10CM, ICD10, ICD9CM) or element.primary
    meaning, rest = absences.opening(best) or (None, "")
    if meaning is Meaning.OTHER_PERSON or is_family_history(element):
        yield _of_family(entry, element, _known(best, scope), scope)
        return
    code = _known(best, scope)
    denied = meaning in {Meaning.NONE, Meaning.RULED_OUT}
    if stated is not None:
        code = _none(stated) or code
    elif denied:
        code = absences.without_opening(code, rest)
    status = pb.FACT_STATUS_ENDED if entry.ended and entry.status == pb.FACT_STATUS_ACTIVE else entry.status
    if meaning is Meaning.SUSPECTED and status == pb.FACT_STATUS_ACTIVE:
        status = pb.FACT_STATUS_PRELIMINARY
    yield scope.fact(
        entry.segment,
        entry.path,
        pb.Identity(groups=[f"problem:{entry.instance}"]),
        kind=pb.FACT_KIND_PROBLEM,
        code=code,
        source_code=scope.coding(element.primary),
        valid_from=entry.begun or scope.said_at,
        valid_to=entry.ended,
        status=status,
        assertion=pb.ASSERTION_ABSENT if stated is not None or denied else pb.ASSERTION_PRESENT,
    )


def _of_family(entry: _Entry, element: CodedElement, code: pb.CodedConcept, scope: Scope) -> pb.ClinicalFact:
    begun = entry.begun or scope.said_at
    return scope.fact(
        entry.segment,
        entry.path,
        pb.Identity(groups=[f"family:{code.code}"]),
        kind=pb.FACT_KIND_RESULT,
        code=concept(FAMILY_HISTORY),
        coded=code,
        source_code=scope.coding(element.primary),
        valid_from=begun,
        valid_to=begun,
        status=pb.FACT_STATUS_FINAL,
    )


def _none(stated: Absence) -> pb.CodedConcept | None:
    """The code of `no problems`; None where something else is said."""
    return absence.concept_of(Meaning.NONE, "problem") if stated.meaning is Meaning.NONE else None


def _known(coding: Coding, scope: Scope) -> pb.CodedConcept:
    """The code with the words that it is known by where none were sent."""
    code = scope.coding(coding)
    if not code.display and (known := problems.of(code)):
        code.display = known.display
    return code


def is_family_history(element: CodedElement) -> bool:
    """Whether a diagnosis is about relatives."""
    return any((codes := _FAMILY_CODES.get(c.system)) and codes.match(c.code) for c in element.codings) or any(
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
