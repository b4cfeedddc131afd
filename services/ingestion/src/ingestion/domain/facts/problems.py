"""DG1 and PRB: problems. What runs in the family is told as a result, never as the patient's own problem.

An entry of the problem list is known by its instance (PRB-4), a diagnosis by its own (DG1-20), else within its visit by
the words and codes that were sent. The diagnoses of a visit are deleted by a DG1 of HL7 nulls.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import absence, phrases, problems
from terminology.absence import Absence, Meaning
from terminology.concepts import ICD9CM, ICD10, ICD10CM, SNOMED
from terminology.loinc import FAMILY_HISTORY, concept

from ingestion.domain.coding import CodedElement, Coding
from ingestion.domain.facts import absences
from ingestion.domain.facts.names import instance_of, names_of
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.protocol import table

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
# `Breast cancer in mother`, `Breast cancer (mother)`, `Mother: breast cancer`.
_RELATIVES = (
    re.compile(r"^([\w ]+?)(?::| - )"),
    re.compile(r"(?:\bin (?:(?:his|her|the|patient's) )?|[(,;:] ?| - )([\w ]+)\)?$"),
)
_DELETED = frozenset({"D", "DE"})
# PRB-1 (HL7 table 0287): the problem is new to the list.
_ADDED = "AD"
# What an event says where PRB-1 is left out (v2.5.1 section 12.3.1).
_ACTIONS = {"PC2": "UP", "PC3": "DE"}
# DG1-6 (HL7 table 0052).
_TYPES = {
    "A": pb.FACT_STATUS_ACTIVE,
    "F": pb.FACT_STATUS_ACTIVE,
    "W": pb.FACT_STATUS_PRELIMINARY,
    "": pb.FACT_STATUS_UNSPECIFIED,
}
_PROBLEMS = "problems:"


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a problem stands, and what the segment says of it beside its name."""

    segment: Segment
    field: int
    element: CodedElement
    identity: pb.Identity
    status: "pb.FactStatus.ValueType"
    begun: Timestamp | None
    ended: Timestamp | None = None
    refuted: bool = False
    stated_at: Timestamp | None = None


def diagnosis(dg1: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """DG1: the coded diagnosis, or its text where it has no code; of nulls, that those of the visit are deleted."""
    visit = f"diagnoses:{scope.encounter_id}"
    number = instance_of(dg1, 20)
    coded = CodedElement.read(dg1.value(3), default_system=dg1.get(2))
    element = CodedElement(coded.codings, coded.original_text or dg1.get(4))
    deleted = dg1.get(21).upper() in _DELETED
    identity = pb.Identity(
        groups=[*([f"diagnosis:{number}", number] if number else []), visit],
        names=_names(dg1, number, element, scope),
    )
    if element or (deleted and number):
        status = _TYPES.get(dg1.get(6).upper(), pb.FACT_STATUS_ACTIVE)
        status = pb.FACT_STATUS_ENTERED_IN_ERROR if deleted else status
        field = 3 if coded else 4
        yield from _problem(_Entry(dg1, field, element, identity, status, scope.origin.time(dg1, 5)), scope)
    elif dg1.is_null(3) or dg1.is_null(4):
        yield scope.fact(
            dg1,
            dg1.path(3),
            pb.Identity(groups=[visit], whole_group=True),
            kind=pb.FACT_KIND_PROBLEM,
            status=pb.FACT_STATUS_ENTERED_IN_ERROR,
        )
    else:
        scope.origin.remark(dg1, 3, "no diagnosis")


def problem(prb: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """PRB: an entry of the problem list. Its code may be left out where its number says which one it is."""
    element = CodedElement.read(prb.value(3))
    number = instance_of(prb, 4)
    if not element and not number:
        scope.origin.remark(prb, 3, "no problem")
        return
    groups = [_PROBLEMS, *([number] if number else [])]
    identity = pb.Identity(groups=groups, names=_names(prb, number, element, scope))
    status, refuted = _state(prb, scope)
    begun, ended = scope.origin.time(prb, 16, 7), scope.origin.time(prb, 9)
    stated_at = scope.time(prb, 2)
    yield from _problem(_Entry(prb, 3, element, identity, status, begun, ended, refuted, stated_at), scope)


def _names(segment: Segment, number: str, element: CodedElement, scope: Scope) -> list[str]:
    """By its number within the kind of segment, whatever its code becomes; else by its codes and words.

    A diagnosis and an entry of the problem list are one where they share number and code.
    """
    codes = names_of(element, scope)
    return [f"{segment.name}/{number}", *(f"{number}/{code}" for code in codes)] if number else codes


def _state(prb: Segment, scope: Scope) -> "tuple[pb.FactStatus.ValueType, bool]":
    """The status of PRB-1, PRB-13, PRB-14 and PRB-19, and whether they say that the problem is not there."""
    action = prb.get(1).upper() or _ACTIONS.get(scope.origin.trigger, "")
    if action in _DELETED:
        return pb.FACT_STATUS_ENTERED_IN_ERROR, False
    rows = [row for field in (13, 14, 19) for row in _words(prb, field, scope)]
    said = {row["status"] for row in rows}
    for status in ("ENTERED_IN_ERROR", "ENDED", "PRELIMINARY", "ACTIVE"):
        if status in said:
            return pb.FactStatus.Value(f"FACT_STATUS_{status}"), any(row["assertion"] == "ABSENT" for row in rows)
    added = action in {_ADDED, ""}
    return pb.FACT_STATUS_ACTIVE if added else pb.FACT_STATUS_UNSPECIFIED, False


def _words(prb: Segment, field: int, scope: Scope) -> list[Mapping[str, str]]:
    texts = [prb.get(field, component) for component in (1, 2, 4, 5)]
    plain = [" ".join(phrases.WORD.findall(text.upper())) for text in texts]
    rows = [row for words in plain if (row := table("problem_states").get(words))]
    if any(texts) and not rows:
        scope.origin.remark(prb, field, "what it says of the problem is not known")
    return rows


def _problem(entry: _Entry, scope: Scope) -> Iterator[pb.ClinicalFact]:
    element = entry.element
    stated = absences.whole(element, ("problem",))
    if stated is not None and _none(stated) is None:
        scope.origin.remark(entry.segment, entry.field, "says that problems are not known; no fact")
        return
    best = element.in_system(SNOMED, ICD10CM, ICD10, ICD9CM) or element.primary
    if not best.text:
        best = Coding(best.code, element.original_text, best.system_name)
    meaning, rest = absences.said_of(best) or (None, "")
    if meaning is Meaning.OTHER_PERSON or is_family_history(element):
        yield _of_family(entry, _known(best, scope), scope)
        return
    denied = meaning in {Meaning.NONE, Meaning.RULED_OUT}
    code = _known(best, scope) if element else None
    if stated is not None:
        code = _none(stated) or code
    elif denied and code is not None:
        code = absences.without_opening(code, rest)
    absent = bool(stated) or denied or entry.refuted
    yield scope.fact(
        entry.segment,
        entry.segment.path(entry.field),
        entry.identity,
        kind=pb.FACT_KIND_PROBLEM,
        code=code,
        source_code=scope.coding(element.primary) if element else None,
        valid_from=entry.begun,
        valid_to=entry.ended,
        status=_status(entry, meaning, absent=absent),
        assertion=pb.ASSERTION_ABSENT if absent else pb.ASSERTION_PRESENT,
        deleted=["valid_to"] if entry.segment.name == "PRB" and entry.segment.is_null(9) else [],
        **({"stated_at": entry.stated_at} if entry.stated_at else {}),
    )


def _status(entry: _Entry, meaning: Meaning | None, *, absent: bool) -> "pb.FactStatus.ValueType":
    """What the segment says, and what the words say where it says no more than that the problem is there."""
    if entry.status == pb.FACT_STATUS_ENTERED_IN_ERROR:
        return entry.status
    if absent:
        return pb.FACT_STATUS_ACTIVE
    if entry.ended or meaning is Meaning.PAST:
        return pb.FACT_STATUS_ENDED
    doubted = meaning is Meaning.SUSPECTED and entry.status != pb.FACT_STATUS_ENDED
    return pb.FACT_STATUS_PRELIMINARY if doubted else entry.status


def _of_family(entry: _Entry, code: pb.CodedConcept, scope: Scope) -> pb.ClinicalFact:
    withdrawn = entry.status == pb.FACT_STATUS_ENTERED_IN_ERROR
    return scope.fact(
        entry.segment,
        entry.segment.path(entry.field),
        entry.identity,
        kind=pb.FACT_KIND_RESULT,
        code=concept(FAMILY_HISTORY),
        coded=code,
        source_code=scope.coding(entry.element.primary),
        valid_from=entry.begun,
        valid_to=entry.begun,
        status=pb.FACT_STATUS_ENTERED_IN_ERROR if withdrawn else pb.FACT_STATUS_FINAL,
        note=next(filter(None, map(absence.person_in, entry.element.texts)), ""),
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
        _FAMILY_WORDS.search(text) or _names_relative(text) for text in element.texts
    )


def _names_relative(text: str) -> bool:
    """Whether a text says of whom it is, and that is a relative."""
    matches = (pattern.search(text) for pattern in _RELATIVES)
    return any(match is not None and absence.is_relative(match[1]) for match in matches)
