"""PDA and ACC: how a patient died, and the accident that a visit is about."""

from collections.abc import Iterator

from longitude.record.v1 import fact_pb2 as pb
from terminology.loinc import AUTOPSY, CAUSE_OF_DEATH, CORONER, INJURY, concept
from terminology.procedures import death_certification

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

_YES_NO_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0136"
_YES_NO = {"Y": "Yes", "N": "No"}


def death(pda: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """PDA: each cause of death (PDA-1), its certification (PDA-3, PDA-4), autopsy (PDA-6) and coroner (PDA-9)."""
    if pda.get(3).upper() == "Y":
        yield _certification(pda, scope)
    for value in pda.values(1):
        element = CodedElement.read(value)
        cause = scope.coding(element.primary) if element else None
        if cause is not None:
            yield _finding(pda, 1, CAUSE_OF_DEATH, scope, part=cause.code, coded=cause, source_code=cause)
    for number, loinc in ((6, AUTOPSY), (9, CORONER)):
        answer = pda.get(number).upper()
        if answer in _YES_NO:
            said = pb.CodedConcept(system=_YES_NO_SYSTEM, code=answer, display=_YES_NO[answer])
            yield _finding(pda, number, loinc, scope, coded=said)


def _certification(pda: Segment, scope: Scope) -> pb.ClinicalFact:
    signed = scope.origin.time(pda, 4)
    code = death_certification()
    return scope.fact(
        pda,
        pda.path(3),
        pb.Identity(groups=["person:"], names=[code.code]),
        kind=pb.FACT_KIND_PROCEDURE,
        code=code,
        valid_from=signed,
        valid_to=signed,
        status=pb.FACT_STATUS_FINAL,
    )


def accident(acc: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """ACC: what happened (ACC-9, else its code in ACC-2), when (ACC-1), and whether at work (ACC-5)."""
    element = CodedElement.read(acc.value(2))
    place = acc.get(3) or acc.get(11)
    words = [acc.get(9) or (element.primary.text if element else ""), place]
    text = ", ".join(filter(None, words))
    if not text:
        scope.origin.remark(acc, 9, "no description of the accident")
        return
    comments = [f"job-related: {_YES_NO[answer].lower()}" for answer in [acc.get(5).upper()] if answer in _YES_NO]
    happened = scope.origin.time(acc, 1)
    yield _finding(acc, 9, INJURY, scope, text=text, valid_from=happened, valid_to=happened, comments=comments)


def _finding(
    segment: Segment, number: int, loinc: str, scope: Scope, part: str = "", **content: object
) -> pb.ClinicalFact:
    identity = pb.Identity(groups=[f"visit:{scope.encounter_id}" if scope.encounter_id else "person:"], names=[loinc])
    identity.part = part
    return scope.fact(
        segment,
        segment.path(number),
        identity,
        kind=pb.FACT_KIND_RESULT,
        code=concept(loinc),
        status=pb.FACT_STATUS_FINAL,
        **content,
    )
