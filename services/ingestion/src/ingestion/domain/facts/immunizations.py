"""RXA in VXU: vaccinations given, refused and remembered."""

from collections.abc import Iterator

from longitude.record.v1 import fact_pb2 as pb
from terminology import vaccines
from terminology.concepts import CVX, NDC

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.medications import quantity
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

# CVX 998: no vaccine administered.
_NO_VACCINE = "998"
_NOT_GIVEN = frozenset({"RE", "NA"})


def immunizations(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """One fact for each RXA."""
    for rxa in order.all("RXA"):
        element = CodedElement.read(rxa.value(5))
        if not element:
            scope.origin.remark(rxa, 5, "no vaccine")
        elif element.primary.code != _NO_VACCINE:
            yield _immunization(rxa, element, order, scope)


def _immunization(rxa: Segment, element: CodedElement, order: Order, scope: Scope) -> pb.ClinicalFact:
    given = scope.time(rxa, 3)
    code = _vaccine(element) or scope.coding(element.in_system(CVX, NDC) or element.primary)
    route = order.first("RXR")
    return scope.fact(
        rxa,
        rxa.path(5),
        pb.Identity(groups=order.filled_as() or ["vaccinations:"], names=[f"{code.code}:{given.seconds}"]),
        kind=pb.FACT_KIND_IMMUNIZATION,
        code=code,
        source_code=scope.coding(element.primary),
        valid_from=given,
        valid_to=given,
        status=_status(rxa),
        assertion=pb.ASSERTION_ABSENT if rxa.get(20) in _NOT_GIVEN else pb.ASSERTION_PRESENT,
        dosage=pb.Dosage(dose=quantity(rxa, 6, 7), route=(route.get(1, 2) or route.get(1)) if route else ""),
        note=rxa.get(18, 2) or rxa.get(18),
    )


def _vaccine(element: CodedElement) -> pb.CodedConcept | None:
    """The vaccine of a CVX code or a National Drug Code, with CVX's own words."""
    codings = (element.in_system(CVX), element.in_system(NDC))
    known = next((known for coding in codings if coding and (known := vaccines.of(coding.public))), None)
    return pb.CodedConcept(system=CVX, code=known.code, display=known.display) if known else None


def _status(rxa: Segment) -> "pb.FactStatus.ValueType":
    return pb.FACT_STATUS_ENTERED_IN_ERROR if rxa.get(21) == "D" else pb.FACT_STATUS_FINAL
