"""PR1: procedures that were done; OBR in orders: those that were asked for."""

from collections.abc import Iterator

from longitude.record.v1 import fact_pb2 as pb
from terminology import observables, procedures, reports
from terminology.concepts import LOINC, SNOMED

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment

ORDER_MESSAGES = frozenset({"ORM", "OML", "OMG", "OMI"})
_ENDING = frozenset({"CA", "DC", "OC", "OD", "CR", "DR"})


def procedure(pr1: Segment, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """PR1: what was done, and when."""
    element = CodedElement.read(pr1.value(3), default_system=pr1.get(2))
    path = pr1.path(3)
    if not element:
        element, path = CodedElement((), pr1.get(4)), pr1.path(4)
    if not element:
        scope.origin.remark(pr1, 3, "no procedure")
        return
    done = scope.time(pr1, 5)
    code = with_words(scope.coding(element.in_system(SNOMED) or element.primary))
    yield scope.fact(
        pr1,
        path,
        pb.Identity(groups=[f"procedure:{pr1.get(19) or f'{code.code}:{done.seconds}'}"]),
        kind=pb.FACT_KIND_PROCEDURE,
        code=code,
        source_code=scope.coding(element.primary),
        valid_from=done,
        valid_to=done,
        status=pb.FACT_STATUS_ENTERED_IN_ERROR if pr1.get(20) == "D" else pb.FACT_STATUS_FINAL,
        note=pr1.get(4),
    )


def ordered_procedure(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """OBR of an order message: what was asked for, until the order is withdrawn."""
    obr, orc, timing = order.first("OBR"), order.first("ORC"), order.first("TQ1")
    element = CodedElement.read(obr.value(4)) if obr else None
    if obr is None or not element:
        return
    wanted = scope.origin.time(timing, 7) if timing else None
    said = (scope.origin.time(orc, 9) if orc else None) or scope.said_at
    ended = order.control in _ENDING
    code = with_words(scope.coding(element.in_system(LOINC, SNOMED) or element.primary))
    yield scope.fact(
        obr,
        obr.path(4),
        pb.Identity(groups=order.placed_as() or [f"order:{code.code}"], names=["order"]),
        kind=pb.FACT_KIND_PROCEDURE,
        code=code,
        source_code=scope.coding(element.primary),
        valid_from=wanted or scope.origin.time(obr, 6, 36) or said,
        valid_to=said if ended else None,
        status=pb.FACT_STATUS_ENDED if ended else pb.FACT_STATUS_ORDERED,
    )


def with_words(code: pb.CodedConcept) -> pb.CodedConcept:
    """The code with the words that it is known by where none were sent."""
    if not code.display and (known := procedures.of(code) or reports.of(code) or observables.of(code)):
        code.display = known.name if isinstance(known, observables.Observable) else known.display
    return code
