"""RXD and RXA: doses that left the pharmacy, and doses that were given.

Each is an instant of its own beside the order that it stands under, in a group of its own: whatever is said of it, the
order is as it was, and whatever becomes of the order, the dose was given.
"""

from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.medications import ingredients, quantity, route_of
from ingestion.domain.facts.order_states import following, groups_of, said_of
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

# RXA-20 (HL7 table 0322): refused, not administered.
_NOT_GIVEN = frozenset({"RE", "NA"})
_TAKEN_BACK = frozenset({"ended", "replaced", "withdrawn"})


def dispenses(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """RXD: what was dispensed, and when. An order control that ends takes the dispense back."""
    for rxd in order.all("RXD"):
        amount = " ".join(filter(None, (rxd.get(4), rxd.get(5, 2) or rxd.get(5))))
        mistaken = said_of(order) in _TAKEN_BACK
        dosage = pb.Dosage(route=route_of(following(order, rxd, "RXR")), instruction=rxd.get(9, 2) or rxd.get(9))
        yield from _doses(order, rxd, 2, 3, scope, mistaken=mistaken, dosage=dosage, note=f"dispensed {amount}".strip())
    if rxg := order.first("RXG"):
        scope.origin.remark(rxg, 0, "an instruction to give a dose is not read: it says of no dose that it was given")


def administrations(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """RXA outside of vaccinations: doses that were given. One that was not given after all is taken back."""
    for rxa in order.all("RXA"):
        mistaken = rxa.get(21).upper() == "D" or was_not_given(rxa)
        dosage = pb.Dosage(dose=quantity(rxa, 6, 7), route=route_of(following(order, rxa, "RXR")))
        note = "partially administered" if rxa.get(20).upper() == "PA" else ""
        yield from _doses(order, rxa, 5, 3, scope, mistaken=mistaken, dosage=dosage, note=note)


def was_not_given(rxa: Segment) -> bool:
    """By RXA-20; where that is left out, a reason for refusing (RXA-18) says so."""
    return rxa.get(20).upper() in _NOT_GIVEN or (not rxa.get(20) and bool(rxa.value(18).whole().strip('"')))


def _doses(
    order: Order, segment: Segment, drug: int, time: int, scope: Scope, *, mistaken: bool, dosage: pb.Dosage, note: str
) -> Iterator[pb.ClinicalFact]:
    element = CodedElement.read(segment.value(drug))
    if not element:
        scope.origin.remark(segment, drug, "no drug")
        return
    when = scope.time(segment, time)
    for code in ingredients(element) or [scope.coding(element.primary)]:
        yield scope.fact(
            segment,
            segment.path(drug),
            _identity(order, segment, element, when, code.code),
            kind=pb.FACT_KIND_MEDICATION,
            code=code,
            source_code=scope.coding(element.primary),
            valid_from=when,
            valid_to=_end(segment, when, scope),
            status=pb.FACT_STATUS_ENTERED_IN_ERROR if mistaken else pb.FACT_STATUS_ENDED,
            dosage=dosage,
            note=note,
        )


def _identity(order: Order, segment: Segment, element: CodedElement, when: Timestamp, part: str) -> pb.Identity:
    what = "dispense" if segment.name == "RXD" else "administration"
    return pb.Identity(
        groups=[f"{what}/{group}" for group in groups_of(order)] or [f"{what}s:"],
        names=[f"{what}:{when.seconds}:{element.primary.code or element.primary.text}"],
        part=part,
    )


def _end(segment: Segment, when: Timestamp, scope: Scope) -> Timestamp:
    """RXA-4, the end of an infusion; a dispense is an instant."""
    return (scope.origin.time(segment, 4) if segment.name == "RXA" else None) or when
