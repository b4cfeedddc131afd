"""Drugs: what was ordered, dispensed, given, and what a document tells of them, each as a resource of its own."""

from datetime import UTC, datetime

from longitude.record.v1 import fact_pb2 as pb

from gateway.domain.fhir import elements
from gateway.domain.fhir.elements import Element, Resource, without_empty
from gateway.domain.fhir.observations import METHODS

# What the record notes of an order that rests; its status is that of one that ended.
_ON_HOLD = "on hold"


def medication(fact: pb.ClinicalFact, now: datetime) -> Resource:
    """By the segment that stated it (RXD, RXA, an order), or as a statement where it stood in a text."""
    if fact.provenance in METHODS:
        return _statement(fact, now)
    segment = fact.source.segment.partition("[")[0]
    return {"RXD": _dispense, "RXA": _administration}.get(segment, _request)(fact, now)


def _request(fact: pb.ClinicalFact, now: datetime) -> Resource:
    return without_empty(
        resourceType="MedicationRequest",
        status=_status(fact, now),
        intent="order",
        medicationCodeableConcept=elements.named(fact),
        encounter=elements.visit(fact),
        authoredOn=elements.stated(fact, "stated_at"),
        note=elements.notes(fact.note, *fact.comments),
        dosageInstruction=_dosages(fact),
    )


def _statement(fact: pb.ClinicalFact, now: datetime) -> Resource:
    return without_empty(
        resourceType="MedicationStatement",
        status=_status(fact, now),
        medicationCodeableConcept=elements.named(fact),
        context=elements.visit(fact),
        effectivePeriod=elements.period(fact),
        note=elements.notes(METHODS[fact.provenance], fact.note, *fact.comments),
        dosage=_dosages(fact, timed=False),
    )


def _dispense(fact: pb.ClinicalFact, _: datetime) -> Resource:
    return without_empty(
        resourceType="MedicationDispense",
        status="completed",
        medicationCodeableConcept=elements.named(fact),
        context=elements.visit(fact),
        whenHandedOver=elements.stated(fact, "valid_from"),
        note=elements.notes(fact.note, *fact.comments),
        dosageInstruction=_dosages(fact, timed=False),
    )


def _administration(fact: pb.ClinicalFact, _: datetime) -> Resource:
    dose = elements.quantity(fact.dosage.dose) if fact.dosage.HasField("dose") else None
    route = _text(fact.dosage.route)
    return without_empty(
        resourceType="MedicationAdministration",
        status="completed",
        medicationCodeableConcept=elements.named(fact),
        context=elements.visit(fact),
        effectivePeriod=elements.period(fact) or elements.UNKNOWN,
        note=elements.notes(fact.note, *fact.comments),
        # A dosage has an amount (invariant mad-1); a route alone is said in its text.
        dosage=without_empty(route=route, dose=dose) if dose else route,
    )


def _status(fact: pb.ClinicalFact, now: datetime) -> str:
    """Whether it is in force as the record knows; how an order ended that ran out, nobody said."""
    is_over = fact.HasField("valid_to") and fact.valid_to.ToDatetime(UTC) <= now
    if fact.status == pb.FACT_STATUS_ENDED:
        return "on-hold" if fact.note == _ON_HOLD else "stopped"
    if fact.status in {pb.FACT_STATUS_ACTIVE, pb.FACT_STATUS_ORDERED} and not is_over:
        return "active"
    return "unknown"


def _dosages(fact: pb.ClinicalFact, *, timed: bool = True) -> list[Element]:
    sent = [fact.dosage, *fact.further_dosages] if fact.HasField("dosage") else []
    whole = elements.period(fact) if timed else {}
    made = [_dosage(each, whole) for each in sent or ([pb.Dosage()] if whole else [])]
    return [one for one in made if one]


def _dosage(sent: pb.Dosage, whole: Element) -> Element:
    bounds = elements.period(sent) or whole
    timing = without_empty(
        repeat={"boundsPeriod": bounds} if bounds else {},
        code=_text(sent.frequency),
    )
    amount = elements.quantity(sent.dose) if sent.HasField("dose") else None
    most = elements.quantity(sent.dose_high) if sent.HasField("dose_high") else None
    rate = {"doseRange": without_empty(low=amount, high=most)} if most else without_empty(doseQuantity=amount)
    return without_empty(
        text=sent.instruction.strip(),
        timing=timing,
        route=_text(sent.route),
        doseAndRate=[rate] if rate else [],
    )


def _text(words: str) -> Element:
    return {"text": words.strip()} if words.strip() else {}
