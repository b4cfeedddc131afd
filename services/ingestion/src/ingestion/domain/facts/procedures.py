"""PR1: procedures that were done; OBR in orders: those that were asked for."""

from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import observables, procedures, reports
from terminology.concepts import LOINC, SNOMED

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.names import instance_of
from ingestion.domain.facts.order_states import groups_of, said_of, state_of
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.timestamps import parse_timestamp, to_proto

# Messages whose OBR asks for something.
ORDER_MESSAGES = frozenset({"ORM", "OML", "OMG", "OMI"})


def procedure(pr1: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """PR1: what was done, and when; of nulls, that the procedures of the visit are deleted.

    A procedure is known by its own number (PR1-19), else by its code and time.
    """
    element = CodedElement.read(pr1.value(3), default_system=pr1.get(2))
    path = pr1.path(3)
    if not element:
        element, path = CodedElement((), pr1.get(4)), pr1.path(4)
    number, deleted = instance_of(pr1, 19), pr1.get(20).upper() == "D"
    visit = f"procedures:{scope.encounter_id}"
    if element or (number and deleted):
        done = scope.origin.time(pr1, 5)
        code = with_words(scope.coding(element.in_system(SNOMED) or element.primary))
        name = number or f"{code.code}:{done.seconds if done else ''}"
        yield scope.fact(
            pr1,
            path,
            pb.Identity(groups=[f"procedure:{name}", visit]),
            kind=pb.FACT_KIND_PROCEDURE,
            code=code,
            source_code=scope.coding(element.primary),
            valid_from=done,
            valid_to=done,
            status=pb.FACT_STATUS_ENTERED_IN_ERROR if deleted else pb.FACT_STATUS_FINAL,
            note=pr1.get(4),
        )
    elif pr1.is_null(3) or pr1.is_null(4):
        yield scope.fact(
            pr1,
            pr1.path(3),
            pb.Identity(groups=[visit], whole_group=True),
            kind=pb.FACT_KIND_PROCEDURE,
            status=pb.FACT_STATUS_ENTERED_IN_ERROR,
        )
    else:
        scope.origin.remark(pr1, 3, "no procedure")


def ordered_service(order: Order) -> tuple[Segment, CodedElement] | None:
    """OBR and the service that it names; None where none is named."""
    obr = order.first("OBR")
    element = CodedElement.read(obr.value(4)) if obr else None
    return (obr, element) if obr and element else None


def ordered_procedure(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """OBR of an order message: what was asked for, until the order is withdrawn. What was performed is a result."""
    named = ordered_service(order)
    if named is None or said_of(order) == "performed":
        return
    obr, element = named
    code = with_words(scope.coding(element.in_system(LOINC, SNOMED) or element.primary))
    names = [f"order:{coding.code or coding.text}" for coding in element.codings] or [f"order:{code.code}"]
    timing, origin = order.first("TQ1"), scope.origin
    wanted = (origin.time(timing, 7) if timing else None) or origin.time(obr, 36, 6)
    content: dict[str, object] = {"valid_from": wanted or _embedded(order, scope)}
    yield scope.fact(
        obr,
        obr.path(4),
        pb.Identity(groups=groups_of(order) or [f"order:{code.code}"], names=names),
        kind=pb.FACT_KIND_PROCEDURE,
        code=code,
        source_code=scope.coding(element.primary),
        **content | state_of(order, scope, pb.FACT_STATUS_ORDERED),
    )


def _embedded(order: Order, scope: Scope) -> Timestamp | None:
    """The start in the timing that versions before 2.5 keep in ORC-7 or OBR-27 (TQ.4)."""
    for segment, number in ((order.first("ORC"), 7), (order.first("OBR"), 27)):
        text = segment.get(number, 4) if segment else ""
        if text and (moment := parse_timestamp(text, scope.origin.zone)):
            return to_proto(moment)
    return None


def with_words(code: pb.CodedConcept) -> pb.CodedConcept:
    """The code with the words that it is known by where none were sent."""
    if not code.display and (known := procedures.of(code) or reports.of(code) or observables.of(code)):
        code.display = known.name if isinstance(known, observables.Observable) else known.display
    return code
