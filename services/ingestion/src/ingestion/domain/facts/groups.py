"""Which segments belong together: persons, visits, specimens, orders, as the message syntaxes of HL7 nest them.

One pass over the segments, tolerant of what senders leave out: an ORC may be missing, and an OBR, RXO, RXE, RXD or RXA
then begins an order of its own. Where specimens or containers (SPM, SAC) come before the first order, as in OUL^R22 and
OML^O33, each is that of the orders after it; elsewhere of the order before it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from ingestion.domain.hl7 import Segment

_ORDER_DETAILS = frozenset({"OBR", "RXO", "RXE", "RXD", "RXG", "RQD", "RQ1", "ODS"})
_BEGINS_ORDER = _ORDER_DETAILS | {"ORC", "RXA"}
_SPECIMEN = frozenset({"SPM", "SAC"})
_IN_ORDER = frozenset({"TQ1", "RXR", "RXC", "OBX", "NTE", "PRT", "INV"}) | _SPECIMEN
_FOLLOWS_PERSON = frozenset({"DG1", "AL1", "IAM", "PRB", "PR1", "PDA", "ACC", "FT1"})
# ORC stands behind its OBR in these.
_ORC_FOLLOWS = "OUL"
_NUMBERS = (2, 3)


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
        return orc.get(1).upper() if orc else ""

    def placed_as(self) -> list[str]:
        """The group ids of an order: the placer's number (ORC-2, OBR-2) decides, the filler's is another."""
        return [*self._numbers("placer", 2, "ORC", "OBR"), *self._numbers("filler", 3, "ORC", "OBR")]

    def filled_as(self) -> list[str]:
        """The group ids of results: the filler's number (OBR-3, ORC-3) decides, the placer's is another."""
        if self._filled_as is None:
            numbers = self._numbers("filler", 3, "OBR", "ORC"), self._numbers("placer", 2, "OBR", "ORC")
            self._filled_as = [*chain.from_iterable(numbers)]
        return self._filled_as

    def _numbers(self, scheme: str, field: int, *names: str) -> Iterator[str]:
        """An entity identifier (EI) in its namespace (EI.2) and under its universal id (EI.3): it is unique there."""
        segments = [segment for name in names if (segment := self.first(name)) and segment.get(field)]
        for number, segment in enumerate(segments):
            value = segment.get(field)
            if number == 0 or (value == segments[0].get(field) and segment.raw(field) != segments[0].raw(field)):
                spaces = filter(None, (segment.get(field, 2), segment.get(field, 3)))
                yield from [f"{scheme}:{value}@{space}" for space in spaces] or [f"{scheme}:{value}"]


@dataclass(slots=True)
class Person:
    """A PID segment, the visit, what is said about the person, and orders."""

    pid: Segment
    # PV1: one, or each of those that are moved.
    visits: list[Segment] = field(default_factory=list)
    # MRG: the earlier numbers of the person, of an account, of a visit; one before each PV1 that is moved.
    merged: list[Segment] = field(default_factory=list)
    statements: list[Segment] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    # OBX that belong to no order, with their notes; and notes that are about neither.
    observations: Order = field(default_factory=Order)
    notes: list[Segment] = field(default_factory=list)
    # What the next order is done on, where specimens come before orders.
    specimen: list[Segment] = field(default_factory=list)
    orc_follows: bool = False

    @property
    def visit_number(self) -> str:
        """PV1-19, empty where there is none."""
        return self.visits[0].get(19) if self.visits else ""


def persons(segments: Iterable[Segment]) -> list[Person]:
    """The persons of a message in order; what stands before the first PID is about nobody."""
    found: list[Person] = []
    order: Order | None = None
    orc_follows = False
    for segment in segments:
        if segment.name == "PID":
            found.append(Person(segment, orc_follows=orc_follows))
            order = None
        elif found:
            order = _place(segment, found[-1], order)
        elif segment.name == "MSH":
            orc_follows = segment.get(9) == _ORC_FOLLOWS
    return found


def _place(segment: Segment, person: Person, order: Order | None) -> Order | None:
    name = segment.name
    if name in _BEGINS_ORDER:
        order = _order_for(segment, person, order)
        order.segments.append(segment)
    elif name in _SPECIMEN and (person.specimen or not person.orders):
        order = _specimen(segment, person)
    elif name in _IN_ORDER:
        _place_detail(segment, person, order)
    elif name == "PV1":
        person.visits.append(segment)
    elif name == "MRG":
        person.merged.append(segment)
    elif name in _FOLLOWS_PERSON:
        person.statements.append(segment)
    elif name == "TXA":
        order = Order([segment])
        person.orders.append(order)
    return order


def _specimen(segment: Segment, person: Person) -> Order:
    """What is observed of the specimen itself, before the orders that are done on it."""
    kept = [each for each in person.specimen if each.name != "SAC"] if segment.name == "SAC" else []
    person.specimen = [*kept, segment]
    order = Order(list(person.specimen))
    person.orders.append(order)
    return order


def _place_detail(segment: Segment, person: Person, order: Order | None) -> None:
    if order is not None:
        of_specimen = segment.name == "NTE" and order.segments[-1].name in _SPECIMEN and person.specimen
        (person.specimen if of_specimen else order.segments).append(segment)
    elif segment.name == "OBX" or (segment.name == "NTE" and person.observations.segments):
        person.observations.segments.append(segment)
    elif segment.name == "NTE":
        person.notes.append(segment)


def _order_for(segment: Segment, person: Person, order: Order | None) -> Order:
    """The order that a segment belongs to: the current one, unless it has its like already or is a document."""
    if order is not None and _joins(segment, order, person):
        return order
    fresh = Order(list(person.specimen))
    orc = order.first("ORC") if order is not None and segment.name == "OBR" and not person.orc_follows else None
    if orc is not None and _is_one(orc, segment):
        fresh.segments.append(orc)
    person.orders.append(fresh)
    return fresh


def _joins(segment: Segment, order: Order, person: Person) -> bool:
    name = segment.name
    if name == "ORC":
        return _follows(segment, order, person)
    if order.first("TXA") is not None:
        return False
    ordered = order.first("ORC") is not None
    if name == "RXA":
        # One order may be given many times (RAS); without ORC each administration stands for itself (VXU).
        return ordered or order.first("RXA") is None
    return order.first(name) is None and (ordered or name != "OBR")


def _follows(orc: Segment, order: Order, person: Person) -> bool:
    """Whether an ORC belongs to the OBR before it."""
    obr = order.first("OBR")
    if obr is None or order.first("ORC") is not None or order.first("OBX") is not None:
        return False
    return _is_one(orc, obr) and (person.orc_follows or any(orc.get(n) and orc.get(n) == obr.get(n) for n in _NUMBERS))


def _is_one(orc: Segment, obr: Segment) -> bool:
    """Whether no number of the two names another order."""
    return not any(orc.get(n) and obr.get(n) and orc.get(n) != obr.get(n) for n in _NUMBERS)
