"""Which segments belong together: persons, visits and orders, as the abstract message syntaxes of HL7 nest them.

One pass over the segments, tolerant of what senders leave out: an ORC may be missing, and an OBR, RXO, RXE, RXD or RXA
then begins an order of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingestion.domain.hl7 import Segment

_ORDER_DETAILS = frozenset({"OBR", "RXO", "RXE", "RXD", "RXG", "RQD", "RQ1", "ODS"})
_IN_ORDER = frozenset({"TQ1", "RXR", "RXC", "OBX", "NTE", "SPM", "SAC", "PRT", "INV"})
_FOLLOWS_PERSON = frozenset({"DG1", "AL1", "IAM", "PRB", "PR1", "PDA", "ACC", "FT1"})


@dataclass(slots=True)
class Order:
    """ORC, the segment that details it, and what follows them. Any of them may be missing."""

    segments: list[Segment] = field(default_factory=list)
    _firsts: dict[str, Segment] = field(default_factory=dict)
    _indexed: int = 0
    _filled_as: list[str] | None = None

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        for segment in self.segments[self._indexed :]:
            self._firsts.setdefault(segment.name, segment)
        self._indexed = len(self.segments)
        return self._firsts.get(name)

    def all(self, name: str) -> list[Segment]:
        """Every segment of a name."""
        return [segment for segment in self.segments if segment.name == name]

    @property
    def control(self) -> str:
        """ORC-1 (HL7 table 0119), empty without an ORC."""
        orc = self.first("ORC")
        return orc.get(1) if orc else ""

    def placed_as(self) -> list[str]:
        """The group ids of an order: the placer's number (ORC-2, OBR-2) decides, the filler's is another."""
        return list(filter(None, (self._number("placer", 2, "ORC", "OBR"), self._number("filler", 3, "ORC", "OBR"))))

    def filled_as(self) -> list[str]:
        """The group ids of results: the filler's number (OBR-3, ORC-3) decides, the placer's is another."""
        if self._filled_as is None:
            numbers = self._number("filler", 3, "OBR", "ORC"), self._number("placer", 2, "OBR", "ORC")
            self._filled_as = list(filter(None, numbers))
        return self._filled_as

    def _number(self, scheme: str, field: int, *names: str) -> str:
        """An entity identifier (EI) with its namespace or universal id: it is unique in that only."""
        segments = filter(None, map(self.first, names))
        segment = next((segment for segment in segments if segment.get(field)), None)
        if segment is None:
            return ""
        space = segment.get(field, 2) or segment.get(field, 3)
        return f"{scheme}:{segment.get(field)}@{space}" if space else f"{scheme}:{segment.get(field)}"


@dataclass(slots=True)
class Person:
    """A PID segment, the visit, what is said about the person, and orders."""

    pid: Segment
    visit: Segment | None = None
    statements: list[Segment] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


def persons(segments: Iterable[Segment]) -> list[Person]:
    """The persons of a message in order; what stands before the first PID is about nobody."""
    found: list[Person] = []
    order: Order | None = None
    for segment in segments:
        if segment.name == "PID":
            found.append(Person(segment))
            order = None
        elif found:
            order = _place(segment, found[-1], order)
    return found


def _place(segment: Segment, person: Person, order: Order | None) -> Order | None:
    name = segment.name
    if name == "PV1":
        person.visit = person.visit or segment
    elif name == "ORC" or name in _ORDER_DETAILS or name == "RXA":
        order = _order_for(segment, person, order)
        order.segments.append(segment)
    elif name in _FOLLOWS_PERSON:
        person.statements.append(segment)
    elif name == "TXA":
        order = Order([segment])
        person.orders.append(order)
    elif name in _IN_ORDER:
        (order.segments if order else person.statements).append(segment)
    return order


def _order_for(segment: Segment, person: Person, order: Order | None) -> Order:
    """The order that a segment belongs to: the current one, unless it has its like already or is a document."""
    if order is not None and _joins(segment.name, order):
        return order
    fresh = Order()
    person.orders.append(fresh)
    return fresh


def _joins(name: str, order: Order) -> bool:
    if name == "ORC" or order.first("TXA") is not None:
        return False
    ordered = order.first("ORC") is not None
    if name == "RXA":
        # One order may be given many times (RAS); without ORC each administration stands for itself (VXU).
        return ordered or order.first("RXA") is None
    return order.first(name) is None and (ordered or name != "OBR")
