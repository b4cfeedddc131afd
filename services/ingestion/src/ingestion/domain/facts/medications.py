"""RXE and RXO: what a patient is to take, from the order to its end.

All statements about one order have its identity; each ingredient is a part. What was dispensed or given is another
statement (`administrations`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from longitude.record.v1 import fact_pb2 as pb
from terminology import drugs
from terminology.concepts import NDC, RXNORM
from terminology.drugs import Ingredient

from ingestion.domain.coding import CodedElement, Coding, most_complete, remembered
from ingestion.domain.facts import absences
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.order_states import effective_at, groups_of, said_of, state_of, stated_at
from ingestion.domain.facts.scope import Scope
from ingestion.domain.facts.timings import Timing, belonging, span_of, timings
from ingestion.domain.hl7 import Segment
from ingestion.domain.numbers import decimal_of, ucum
from ingestion.domain.timestamps import to_proto


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where a detail segment has what an order says (HL7 v2.5.1 sections 4.14.1 and 4.14.4)."""

    drug: int
    least: int
    most: int
    unit: int
    instruction: int
    per: int
    rate: int
    rate_unit: int


# The segment that says most about the drug first.
_DETAILS = {"RXE": _Fields(2, 3, 4, 5, 7, 22, 23, 24), "RXO": _Fields(1, 2, 3, 4, 7, 19, 21, 22)}


def ordered_drug(order: Order) -> tuple[Segment, CodedElement] | None:
    """The segment that names the drug of an order, and the drug; None where no drug is named."""
    for name, fields in _DETAILS.items():
        segment = order.first(name)
        element = CodedElement.read(segment.value(fields.drug)) if segment else None
        if segment is not None and (element or order.first("RXC")):
            return segment, element or CodedElement((), "")
    return None


def medication(order: Order, scope: Scope) -> Iterator[pb.ClinicalFact]:
    """One statement for each ingredient of what is ordered; components (RXC) have amounts of their own."""
    named = ordered_drug(order)
    if named is None:
        return
    segment, element = named
    if absences.whole(element, ("medication",)) is not None:
        scope.origin.remark(segment, _DETAILS[segment.name].drug, "says that nothing is taken, or not what; no fact")
        return
    content = {"kind": pb.FACT_KIND_MEDICATION} | _content(order, segment, scope)
    parts = _ingredient_parts(segment, element, scope) | _component_parts(order, segment, scope)
    groups = groups_of(order) or [f"drug:{element.primary.code or element.primary.text or next(iter(parts), '')}"]
    for code, part in parts.items():
        identity = pb.Identity(groups=groups, names=["medication"], part=code if len(parts) > 1 else "")
        yield scope.fact(
            part.segment,
            part.path,
            identity,
            code=part.code,
            source_code=part.source_code,
            **content | _with_amount(part.amount, content),
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """One ingredient of what is ordered, where it was named, and its own amount if it has one."""

    segment: Segment
    path: str
    code: pb.CodedConcept
    source_code: pb.CodedConcept
    amount: pb.Quantity | None = None


def _ingredient_parts(segment: Segment, element: CodedElement, scope: Scope) -> dict[str, _Part]:
    source, path = scope.coding(element.primary), segment.path(_DETAILS[segment.name].drug)
    concepts = ingredients(element) or ([source] if element else [])
    return {concept.code: _Part(segment, path, concept, source) for concept in concepts}


def _component_parts(order: Order, segment: Segment, scope: Scope) -> dict[str, _Part]:
    """Bases and additives of a compound (RXC-2) with their amounts (RXC-3, RXC-4)."""
    parts: dict[str, _Part] = {}
    for rxc in belonging(order, segment, "RXC"):
        element = CodedElement.read(rxc.value(2))
        if not element:
            scope.origin.remark(rxc, 2, "no component")
        source = scope.coding(element.primary)
        for concept in ingredients(element) or ([source] if element else []):
            parts[concept.code] = _Part(rxc, rxc.path(2), concept, source, quantity(rxc, 3, 4))
    return parts


def _with_amount(amount: pb.Quantity | None, content: Mapping[str, object]) -> dict[str, object]:
    """The dosage of a component: its own amount, taken as the whole is."""
    if amount is None:
        return {}
    dosage = pb.Dosage()
    if isinstance(ordered := content.get("dosage"), pb.Dosage):
        dosage.CopyFrom(ordered)
        dosage.ClearField("dose_high")
    dosage.dose.CopyFrom(amount)
    return {"dosage": dosage, "further_dosages": []}


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


def route_of(segments: Sequence[Segment]) -> str:
    """The routes of RXR segments (RXR-1)."""
    return ", ".join(dict.fromkeys(filter(None, (_words(rxr, 1) for rxr in segments))))


def _content(order: Order, segment: Segment, scope: Scope) -> dict[str, object]:
    """What is said of every ingredient: state, times and dosage."""
    ordered_at = (effective_at(order, scope) or stated_at(order, scope)).ToDatetime(UTC)
    timed = timings(order, segment, scope.origin, ordered_at)
    begun, until = span_of(timed, ordered_at)
    content: dict[str, object] = {}
    if begun is not None:
        content["valid_from"] = to_proto(begun)
    elif said_of(order) == "begins" and (effective := effective_at(order, scope)):
        content["valid_from"] = effective
    if until is not None:
        content["valid_to"] = to_proto(until)
    first, *further = _dosages(order, segment, timed, ordered_at)
    if first.ByteSize():
        content |= {"dosage": first, "further_dosages": further}
    in_force = pb.FACT_STATUS_ORDERED if segment.name == "RXO" else pb.FACT_STATUS_ACTIVE
    return content | state_of(order, scope, in_force)


def _dosages(order: Order, segment: Segment, timed: list[Timing], ordered_at: datetime) -> list[pb.Dosage]:
    """The dose of an order, or its several doses: times of the day, steps of a taper."""
    doses = [_dosage(order, segment, timing) for timing in timed or [Timing()]]
    for dose, timing in zip(doses, timed if len(timed) > 1 else [], strict=False):
        if timing.start is not None:
            dose.valid_from.CopyFrom(to_proto(timing.start))
        if (end := timing.ends(ordered_at)) is not None:
            dose.valid_to.CopyFrom(to_proto(end))
    return doses


def _dosage(order: Order, segment: Segment, timing: Timing) -> pb.Dosage:
    fields = _DETAILS[segment.name]
    dose, high = quantity(segment, fields.least, fields.unit), quantity(segment, fields.most, fields.unit)
    amount = pb.Quantity(value=timing.amount, unit=ucum(timing.unit or segment.get(fields.unit)))
    # An amount without a unit beside a dose counts doses (TQ1-2); with a unit it is the dose at this time.
    repeats = bool(timing.amount and dose and not timing.unit)
    if timing.amount and not repeats:
        dose, high = amount, None
    counted = f"{timing.amount} times the dose" if repeats and timing.amount != "1" else ""
    instructions = [_words(segment, fields.instruction), timing.instruction, counted, _rate(segment, fields)]
    return pb.Dosage(
        dose=dose,
        dose_high=high if high != dose else None,
        route=route_of(belonging(order, segment, "RXR")),
        frequency=timing.frequency,
        instruction="; ".join(filter(None, instructions)),
    )


def _rate(segment: Segment, fields: _Fields) -> str:
    """`rate 100 mL/h`, from amount, unit and time of a rate of giving."""
    if not segment.get(fields.rate):
        return ""
    unit, per = _words(segment, fields.rate_unit), segment.get(fields.per)
    return f"rate {segment.get(fields.rate)} {unit}".strip() + (f" per {per}" if per and "/" not in unit else "")


def _words(segment: Segment, number: int) -> str:
    value = segment.value(number)
    return value.get(2) or value.get(1)
