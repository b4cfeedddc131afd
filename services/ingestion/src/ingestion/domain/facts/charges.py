"""FT1: procedures that are known because they were charged for."""

from collections.abc import Iterator

from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Person
from ingestion.domain.facts.procedures import with_words
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

# HL7 table 0017: a charge, and what takes one back.
_CHARGE = frozenset({"CG", "CO", ""})
_TAKEN_BACK = frozenset({"CD", "AJ"})


def charges(person: Person, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """One procedure for each FT1-25, unless PR1 tells it."""
    told = {_code(CodedElement.read(each.value(3))) for each in person.statements if each.name == "PR1"}
    for segment in person.statements:
        if segment.name == "FT1" and (element := CodedElement.read(segment.value(25))) and _code(element) not in told:
            yield from _charge(segment, element, scope)


def _code(element: CodedElement) -> str:
    return (element.primary.code or element.primary.text) if element else ""


def _charge(ft1: Segment, element: CodedElement, scope: Scope) -> Iterator[pb.ClinicalFact]:
    kind = ft1.get(6).upper()
    if kind not in _CHARGE | _TAKEN_BACK:
        return
    done = scope.origin.time(ft1, 4)
    code = with_words(scope.coding(element.primary))
    number = ft1.get(2)
    group = f"charge:{number}" if number else f"charge:{code.code}:{done.seconds if done else ''}"
    yield scope.fact(
        ft1,
        ft1.path(25),
        pb.Identity(groups=[group], names=[code.code]),
        kind=pb.FACT_KIND_PROCEDURE,
        code=code,
        source_code=scope.coding(element.primary),
        valid_from=done,
        valid_to=done,
        status=pb.FACT_STATUS_ENTERED_IN_ERROR if kind in _TAKEN_BACK else pb.FACT_STATUS_FINAL,
    )
