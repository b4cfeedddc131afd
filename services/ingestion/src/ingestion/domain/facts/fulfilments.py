"""What a message of results says of the order that it answers: carried out, cancelled, on hold.

Results answer an order under its numbers (ORC-2, ORC-3, OBR-2, OBR-3); it is waited for no more when they are final.
ORC-1 and ORC-5 say so first, else OBR-25 (HL7 table 0123). Where several services have one number, that of OBR-4 is
meant.
"""

from collections.abc import Iterator

from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.order_states import groups_of, said_of, state_of
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.protocol import table

_NO_LONGER_ASKED_FOR = frozenset({"ended", "replaced", "on hold", "withdrawn"})
_ENDED = "ended"


def fulfilment(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """That a service is no longer waited for; nothing where the order goes on, or is not known by a number."""
    obr, groups = order.first("OBR"), groups_of(order)
    if obr is None or not groups:
        return
    state = _state(order, obr, scope)
    if state is not None:
        names = [f"order:{coding.code or coding.text}" for coding in CodedElement.read(obr.value(4)).codings]
        identity = pb.Identity(groups=groups, names=names, whole_group=True)
        yield scope.fact(obr, obr.path(25), identity, kind=pb.FACT_KIND_PROCEDURE, **state)


def _state(order: Order, obr: Segment, scope: Scope) -> dict[str, object] | None:
    orc = order.first("ORC")
    if said_of(order) in _NO_LONGER_ASKED_FOR:
        return state_of(order, scope, pb.FACT_STATUS_ORDERED)
    is_stated = orc is not None and orc.get(5).upper() in table("order_states")
    if is_stated or table("report_states").get(obr.get(25).upper(), {}).get("order") != _ENDED:
        return None
    reported = scope.time(obr, 22)
    return {"status": pb.FACT_STATUS_ENDED, "valid_to": reported, "stated_at": reported}
