"""What a message says of an order: its state (ORC-1, ORC-5), its identity, when that was said.

A state that nobody stated is left open: it is as it was stated before. What is ordered, what was dispensed and what was
given are told apart by the message: in a dispense, an administration or a give message (RDS, RAS, RGV) the order stands
for information only (HL7 v2.5.1 sections 4.13.7 to 4.13.12).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.protocol import table

# Messages whose order segments stand for information.
INFORMATIVE = frozenset({"RAS", "RDS", "RGV"})
ON_HOLD = "on hold"

# What is said of an order, as a status; nothing is a fact of what is not here.
_STATUSES = {
    "begins": pb.FACT_STATUS_ACTIVE,
    "goes on": pb.FACT_STATUS_ACTIVE,
    "unchanged": pb.FACT_STATUS_UNSPECIFIED,
    "performed": pb.FACT_STATUS_UNSPECIFIED,
    ON_HOLD: pb.FACT_STATUS_ENDED,
    "ended": pb.FACT_STATUS_ENDED,
    "replaced": pb.FACT_STATUS_ENDED,
    "withdrawn": pb.FACT_STATUS_ENTERED_IN_ERROR,
}
_LEAVES_STATE_OPEN = frozenset({"begins", "goes on", "unchanged", "performed"})


def said_of(order: Order) -> str:
    """What is said of the order, in the words of `order_controls.tsv`."""
    orc = order.first("ORC")
    control = table("order_controls").get(order.control, {}).get("says", "unchanged") if order.control else "begins"
    state = table("order_states").get(orc.get(5).upper() if orc else "", {}).get("says", "unchanged")
    return state if control in _LEAVES_STATE_OPEN and state != "unchanged" else control


def is_statement(order: Order, scope: Scope) -> bool:
    """Whether anything is ordered, changed or ended; what is not known, or refused, is remarked."""
    orc = order.first("ORC")
    if orc is not None and order.control and order.control not in table("order_controls"):
        scope.origin.remark(orc, 1, "an order control that table 0119 does not have; the order's state is as before")
    if orc is not None and orc.get(5) and orc.get(5).upper() not in table("order_states"):
        scope.origin.remark(orc, 5, "an order status that table 0038 does not have; not read")
    says = said_of(order)
    if orc is not None and says in {"denied", "not ordered"}:
        scope.origin.remark(orc, 1, "nothing is ordered by this order control")
    return says in _STATUSES


def state_of(order: Order, scope: Scope, in_force: "pb.FactStatus.ValueType") -> dict[str, object]:
    """Status, end, note and time of statement of an order, as fields of ClinicalFact.

    `in_force`: the status of an order that is. UNSPECIFIED: the state is as before.
    """
    says, stated = said_of(order), stated_at(order, scope)
    status = in_force if _STATUSES[says] == pb.FACT_STATUS_ACTIVE else _STATUSES[says]
    state: dict[str, object] = {"stated_at": stated}
    if status == pb.FACT_STATUS_ENDED:
        end = effective_at(order, scope) or stated
        state["valid_to"] = end
        # What ends later is in force until then.
        status = in_force if end.seconds > scope.said_at.seconds and says != ON_HOLD else status
    if says == ON_HOLD:
        state["note"] = ON_HOLD
    elif status != pb.FACT_STATUS_UNSPECIFIED:
        # A state that is stated ends what was said of a hold.
        state["deleted"] = ["note"]
    return state | {"status": status}


def stated_at(order: Order, scope: Scope) -> Timestamp:
    """ORC-9, else when the message was sent."""
    orc = order.first("ORC")
    return (scope.origin.time(orc, 9) if orc else None) or scope.said_at


def effective_at(order: Order, scope: Scope) -> Timestamp | None:
    """ORC-15: when what the order control says takes effect."""
    orc = order.first("ORC")
    return scope.origin.time(orc, 15) if orc else None


def groups_of(order: Order) -> list[str]:
    """The group ids of an order. A child may have the placer's number of its parent: the filler's tells them apart."""
    numbers = order.placed_as()
    return numbers[::-1] if order.control == "CH" else numbers


def following(order: Order, segment: Segment, name: str) -> list[Segment]:
    """The segments of a name between a segment and the next of its kind."""
    place = next(number for number, other in enumerate(order.segments) if other is segment)
    after = list(takewhile(lambda other: other.name != segment.name, order.segments[place + 1 :]))
    return [other for other in after if other.name == name]


def governed(orders: Sequence[Order]) -> Iterator[Order]:
    """The orders of a message, each with the ORC that it stands under, which several details may share."""
    control: Segment | None = None
    for order in orders:
        own = order.first("ORC")
        control = own or control
        detail = next(filter(None, map(order.first, ("OBR", "RXE", "RXO", "RXD"))), None)
        yield Order([_for(control, detail), *order.segments]) if own is None and control and detail else order


def _for(control: Segment, detail: Segment) -> Segment:
    """An ORC as it counts for a further detail segment under it, which may have numbers of its own."""
    fields = [*control.fields, *[""] * (4 - len(control.fields))]
    if detail.name == "OBR":
        fields[2:4] = [detail.raw(number) or fields[number] for number in (2, 3)]
    return Segment(control.name, control.occurrence, fields, control.delimiters)


def in_order(orders: Sequence[Order]) -> list[Order]:
    """The orders without those that a replacement of the same message continues under their own number."""
    numbers = {number for order in orders if order.control == "RO" for number in groups_of(order)}

    def continues(order: Order) -> bool:
        return order.control != "RO" and said_of(order) == "replaced" and bool(numbers & set(groups_of(order)))

    return [order for order in orders if not continues(order)]


def without_detail(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """An ORC that stands alone says its state, or a further number (NA), of everything ordered under its number."""
    orc, groups = order.first("ORC"), groups_of(order)
    for detail in filter(None, map(order.first, ("RXE", "RXO", "OBR"))):
        scope.origin.remark(detail, 0, "names neither drug nor service")
    if orc is None or not groups:
        return
    state = state_of(order, scope, pb.FACT_STATUS_ACTIVE)
    if state["status"] != pb.FACT_STATUS_UNSPECIFIED or len(groups) > 1:
        yield _of_group(orc, groups, scope, state)


def replaced_parent(order: Order, together: Sequence[Order], scope: Scope) -> Iterator[pb.ClinicalFact]:
    """A replacement (RO) beside which no order is said to be replaced: what it replaces is its parent (ORC-8)."""
    orc = order.first("ORC")
    if orc is None or order.control != "RO" or any(said_of(other) == "replaced" for other in together):
        return
    own = set(groups_of(order))
    parents = [_parent("placer", orc, 1), _parent("filler", orc, 2)]
    if groups := [group for group in parents if group and group not in own]:
        time = stated_at(order, scope)
        yield _of_group(orc, groups, scope, {"status": pb.FACT_STATUS_ENDED, "valid_to": time, "stated_at": time})


def _parent(scheme: str, orc: Segment, component: int) -> str:
    number = orc.get(8, component)
    space = orc.get(8, component, 2) or orc.get(8, component, 3)
    return f"{scheme}:{number}@{space}" if number and space else f"{scheme}:{number}" if number else ""


def _of_group(orc: Segment, groups: list[str], scope: Scope, state: dict[str, object]) -> pb.ClinicalFact:
    identity = pb.Identity(groups=groups, whole_group=True)
    return scope.fact(orc, orc.path(1), identity, kind=pb.FACT_KIND_MEDICATION, **state)


def told_apart(facts: Iterable[pb.ClinicalFact]) -> list[pb.ClinicalFact]:
    """Facts of one message under one identity get numbers: none of them replaces another."""
    facts = list(facts)
    keys = [(*fact.identity.groups, "\0", *fact.identity.names, "\0", fact.identity.part) for fact in facts]
    counts, seen = Counter(keys), Counter[tuple[str, ...]]()
    for fact, key in zip(facts, keys, strict=True):
        seen[key] += 1
        if counts[key] > 1 and not fact.identity.whole_group:
            fact.identity.instance = seen[key]
    return facts
