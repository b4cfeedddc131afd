"""RXA of vaccines: vaccinations given, refused and remembered.

A vaccination is named by its own number (ORC-3, ORC-2), under which RXA-21 corrects its day or product, and by vaccine
and day, under which it is known again when another sender reports it. Numbers of one namespace tell two apart.
"""

from collections.abc import Iterator

from longitude.record.v1 import fact_pb2 as pb
from terminology import vaccines
from terminology.concepts import CVX, NDC

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.administrations import was_not_given
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.medications import quantity, route_of
from ingestion.domain.facts.order_states import following
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.timestamps import parse_date

# CVX 998: no vaccine administered.
_NO_VACCINE = "998"
# ORC-3 of what was not administered (CDC implementation guide for immunization messaging, release 1.5, ORC-3).
_NO_NUMBER = "9999"
_VACCINATIONS = "vaccinations:"
# RXA-9.1 (CDC table NIP001): 00 is given by the sender, 01 to 08 are historical.
_HISTORICAL = frozenset(f"0{number}" for number in range(1, 9))


def immunizations(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """One fact for each RXA."""
    doses = order.all("RXA")
    for number, rxa in enumerate(doses, 1):
        element = CodedElement.read(rxa.value(5))
        numbers = _numbers(order, scope, f"/{number}" if len(doses) > 1 else "")
        if not element and not (rxa.get(21).upper() == "D" and numbers):
            scope.origin.remark(rxa, 5, "no vaccine")
        elif element.primary.code != _NO_VACCINE:
            yield _immunization(rxa, element, order, scope, numbers)


def is_vaccination(order: Order) -> bool:
    """Whether what was given (RXA-5) is a vaccine, whatever message it comes in."""
    return any(_vaccine(CodedElement.read(rxa.value(5))) for rxa in order.all("RXA"))


def _immunization(
    rxa: Segment, element: CodedElement, order: Order, scope: Scope, numbers: list[str]
) -> pb.ClinicalFact:
    given = scope.origin.time(rxa, 3)
    code = _vaccine(element) or scope.coding(element.in_system(CVX, NDC) or element.primary)
    named = [f"{code.code}:{parse_date(rxa.get(3))}"] if given and element else []
    return scope.fact(
        rxa,
        rxa.path(5),
        pb.Identity(groups=[*numbers, _VACCINATIONS], names=[*numbers, *named] or [f"{code.code}:"]),
        kind=pb.FACT_KIND_IMMUNIZATION,
        code=code if element else None,
        source_code=scope.coding(element.primary) if element else None,
        valid_from=given,
        valid_to=given,
        status=pb.FACT_STATUS_ENTERED_IN_ERROR if rxa.get(21).upper() == "D" else pb.FACT_STATUS_FINAL,
        assertion=pb.ASSERTION_ABSENT if was_not_given(rxa) else pb.ASSERTION_PRESENT,
        dosage=pb.Dosage(dose=quantity(rxa, 6, 7), route=route_of(following(order, rxa, "RXR"))),
        note=_note(rxa),
    )


def _numbers(order: Order, scope: Scope, suffix: str) -> list[str]:
    """The filler's and the placer's number, each in its namespace or in that of the sender."""
    orc = order.first("ORC")
    found = []
    for scheme, field in (("filler", 3), ("placer", 2)):
        number = orc.get(field) if orc else ""
        if orc is not None and number and number != _NO_NUMBER:
            space = orc.get(field, 2) or orc.get(field, 3) or scope.origin.facility
            found.append(f"{scheme}@{space}:{number}{suffix}")
    return found


def _note(rxa: Segment) -> str:
    """Why it was refused, that it was given in part, or that it is remembered."""
    if reason := rxa.get(18, 2) or rxa.get(18):
        return reason
    if rxa.get(20).upper() == "PA":
        return "partially administered"
    return rxa.get(9, 2) or "historical" if rxa.get(9) in _HISTORICAL else ""


def _vaccine(element: CodedElement) -> pb.CodedConcept | None:
    """The vaccine of a CVX code or a National Drug Code, with CVX's own words."""
    codings = (element.in_system(CVX), element.in_system(NDC))
    known = next((known for coding in codings if coding and (known := vaccines.of(coding.public))), None)
    return pb.CodedConcept(system=CVX, code=known.code, display=known.display) if known else None
