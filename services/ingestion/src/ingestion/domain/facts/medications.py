"""RXE, RXD, RXO and RXA: what a patient takes, from the order to its end.

All statements about one order have its identity; each ingredient is a part.
"""

from collections.abc import Iterator, Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1 import fact_pb2 as pb
from terminology import drugs
from terminology.concepts import NDC, RXNORM
from terminology.drugs import Ingredient

from ingestion.domain.coding import CodedElement, Coding, most_complete, remembered
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment
from ingestion.domain.numbers import decimal_of, ucum
from ingestion.domain.timestamps import parse_timestamp, to_proto

# HL7 table 0119: order controls that end an order, and those that say it never was.
_ENDING = frozenset({"CA", "DC", "OC", "OD", "CR", "DR", "HD", "OH", "HR"})
_MISTAKEN = frozenset({"DE", "UA"})
# HL7 table 0038: order states in which nothing is taken any more.
_ENDED_STATES = frozenset({"CA", "DC", "CM", "HD"})
_ON_HOLD = frozenset({"HD", "OH", "HR"})
# The segment that says most about the drug first, and the field that names it.
_DRUG_FIELDS = (("RXE", 2), ("RXD", 2), ("RXG", 4), ("RXO", 1))


def medication(order: Order, scope: Scope, *, replaced: bool = False) -> Iterator[pb.ClinicalFact]:
    """One statement for each ingredient of the drug of an order. `replaced`: another order stands in its place."""
    named = ((order.first(name), number) for name, number in _DRUG_FIELDS)
    segment, number = next(((found, number) for found, number in named if found), (None, 0))
    if segment is None:
        return
    element = CodedElement.read(segment.value(number))
    if not element:
        scope.origin.remark(segment, number, "no drug")
        return
    begun, ended, status = _course(order, segment, scope, replaced=replaced)
    concepts = ingredients(element)
    for code in concepts or [scope.coding(element.primary)]:
        yield scope.fact(
            segment,
            segment.path(number),
            _identity(order, element, code.code if len(concepts) > 1 else ""),
            kind=pb.FACT_KIND_MEDICATION,
            code=code,
            source_code=scope.coding(element.primary),
            valid_from=begun,
            valid_to=ended,
            status=status,
            dosage=_dosage(segment, order),
            note="on hold" if order.control in _ON_HOLD else "",
        )


def administrations(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """RXA outside of vaccinations: doses that were given."""
    for rxa in order.all("RXA"):
        element = CodedElement.read(rxa.value(5))
        if not element or rxa.get(20) in {"RE", "NA"}:
            continue
        given = scope.time(rxa, 3)
        mistaken = rxa.get(21) == "D"
        for code in ingredients(element) or [scope.coding(element.primary)]:
            yield scope.fact(
                rxa,
                rxa.path(5),
                pb.Identity(
                    groups=order.placed_as() or ["administrations:"],
                    names=[f"administration:{given.seconds}:{element.primary.code or element.primary.text}"],
                    part=code.code,
                ),
                kind=pb.FACT_KIND_MEDICATION,
                code=code,
                source_code=scope.coding(element.primary),
                valid_from=given,
                valid_to=scope.origin.time(rxa, 4) or given,
                status=pb.FACT_STATUS_ENTERED_IN_ERROR if mistaken else pb.FACT_STATUS_ENDED,
                dosage=pb.Dosage(dose=quantity(rxa, 6, 7), route=_route(order)),
            )


def ingredients(element: CodedElement) -> list[pb.CodedConcept]:
    """The ingredients of a drug: by its RxNorm code, else by the names in its texts, else by its National Drug Code."""
    return [drugs.concept_of(ingredient) for ingredient in _ingredients(element)]


@remembered
def _ingredients(element: CodedElement) -> Sequence[Ingredient]:
    named = map(drugs.ingredients_in, element.texts)
    return most_complete(_by_code(element.in_system(RXNORM)), *named, _by_code(element.in_system(NDC)))


def _by_code(coding: Coding | None) -> Sequence[Ingredient]:
    return drugs.ingredients_of_code(coding.system, coding.code) if coding else ()


def quantity(segment: Segment, number: int, unit: int) -> pb.Quantity | None:
    """A dose of two fields; None when the first is no number (999 in RXA-6 means unknown)."""
    value = decimal_of(segment.get(number))
    if value is None or (segment.name == "RXA" and value == "999"):
        return None
    return pb.Quantity(value=value, unit=ucum(segment.get(unit, 1) or segment.get(unit, 2)))


def _identity(order: Order, element: CodedElement, part: str) -> pb.Identity:
    groups = order.placed_as() or [f"drug:{element.primary.code or element.primary.text}"]
    return pb.Identity(groups=groups, names=["medication"], part=part)


def _course(
    order: Order, segment: Segment, scope: Scope, *, replaced: bool
) -> tuple[Timestamp | None, Timestamp | None, "pb.FactStatus.ValueType"]:
    """From when until when, and whether it is in force."""
    orc, timing = order.first("ORC"), order.first("TQ1")
    begun = scope.origin.time(timing, 7) if timing else None
    begun = begun or _embedded_time(order, segment, scope, 4)
    if segment.name == "RXD":
        begun = begun or scope.origin.time(segment, 3)
    said = (scope.origin.time(orc, 15, 9) if orc else None) or scope.said_at
    state = orc.get(5) if orc else ""
    if order.control in _MISTAKEN:
        return begun or said, None, pb.FACT_STATUS_ENTERED_IN_ERROR
    if replaced or order.control in _ENDING or state in _ENDED_STATES:
        # When it began is known from the statement that this one follows, unless the message repeats it.
        return begun, said, pb.FACT_STATUS_ENDED
    until = (scope.origin.time(timing, 8) if timing else None) or _embedded_time(order, segment, scope, 5)
    status = pb.FACT_STATUS_ORDERED if segment.name == "RXO" else pb.FACT_STATUS_ACTIVE
    return begun or said, until, status


def _embedded_time(order: Order, segment: Segment, scope: Scope, component: int) -> Timestamp | None:
    """Start or end of the timing that versions before 2.5 keep in RXE-1 or ORC-7 (data type TQ)."""
    orc = order.first("ORC")
    texts = [segment.get(1, component) if segment.name == "RXE" else "", orc.get(7, component) if orc else ""]
    moment = next((m for text in texts if text and (m := parse_timestamp(text, scope.origin.zone))), None)
    return to_proto(moment) if moment else None


def _dosage(segment: Segment, order: Order) -> pb.Dosage:
    fields = {"RXE": (3, 5, 7), "RXO": (2, 4, 7), "RXD": (12, 12, 9), "RXG": (5, 7, 0)}[segment.name]
    dose, unit, instruction = fields
    return pb.Dosage(
        dose=None if segment.name == "RXD" else quantity(segment, dose, unit),
        route=_route(order),
        frequency=_frequency(segment, order),
        instruction=_words(segment, instruction) if instruction else "",
    )


def _words(segment: Segment, number: int) -> str:
    value = segment.value(number)
    return value.get(2) or value.get(1)


def _route(order: Order) -> str:
    rxr = order.first("RXR")
    return _words(rxr, 1) if rxr else ""


def _frequency(segment: Segment, order: Order) -> str:
    """TQ1-3 (the repeat pattern), else the interval of RXE-1 or ORC-7."""
    timing, orc = order.first("TQ1"), order.first("ORC")
    candidates = [
        timing.get(3) if timing else "",
        timing.get(11) if timing else "",
        segment.get(1, 2) if segment.name == "RXE" else "",
        orc.get(7, 2) if orc else "",
    ]
    return next((text for text in candidates if text), "")
