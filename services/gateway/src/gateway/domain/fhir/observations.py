"""Results and findings as Observation."""

from longitude.record.v1 import fact_pb2 as pb
from terminology.fhir import FLAG, OBSERVATION_CATEGORY, TRANSLATION, category

from gateway.domain.fhir import elements
from gateway.domain.fhir.elements import Element, Resource, without_empty

_STATUS = {
    pb.FACT_STATUS_FINAL: "final",
    pb.FACT_STATUS_PRELIMINARY: "preliminary",
    pb.FACT_STATUS_CORRECTED: "corrected",
}
# How what is not from a field of a message was found.
METHODS = {
    pb.PROVENANCE_READ_FROM_TEXT: "read from the text of a document by rules",
    pb.PROVENANCE_READ_FROM_IMAGE: "read from a scanned page",
    pb.PROVENANCE_COMPUTED_FROM_IMAGE: "computed from an image by a network",
}


def observation(fact: pb.ClinicalFact) -> Resource:
    """A result at its time, with value, unit, range and flag as they were sent."""
    method = METHODS.get(fact.provenance)
    return without_empty(
        resourceType="Observation",
        status=_STATUS.get(fact.status, "unknown"),
        category=_category(fact),
        code=elements.named(fact),
        focus=[{"display": about}] if (about := elements.codeable(fact.about).get("text")) else [],
        encounter=elements.visit(fact),
        effectiveDateTime=elements.stated(fact, "valid_from"),
        issued=elements.stated(fact, "stated_at"),
        interpretation=[_flag(fact)] if fact.abnormal_flag.strip() else [],
        method={"text": method} if method else None,
        note=elements.notes(fact.note, *fact.comments),
        referenceRange=_range(fact),
    ) | _value(fact)


def _category(fact: pb.ClinicalFact) -> list[Element]:
    known = "imaging" if fact.kind == pb.FACT_KIND_IMAGING_FINDING else category(fact.code)
    return [elements.of(OBSERVATION_CATEGORY, known)] if known else []


def _value(fact: pb.ClinicalFact) -> Element:
    match fact.WhichOneof("value"):
        case "quantity":
            return _measured(fact)
        case "coded" if coded := elements.codeable(fact.coded):
            return {"valueCodeableConcept": coded}
        case "text" if fact.text.strip():
            return {"valueString": fact.text}
    # A finding without a value says that it is there.
    return {"valueBoolean": True} if fact.kind == pb.FACT_KIND_IMAGING_FINDING else {}


def _measured(fact: pb.ClinicalFact) -> Element:
    value = elements.quantity(fact.quantity)
    if value is None:
        return {"valueString": f"{fact.quantity.comparator}{fact.quantity.value} {fact.quantity.unit}".strip()}
    sent = elements.quantity(fact.source_quantity) if fact.HasField("source_quantity") else None
    if sent is not None:
        value = {"extension": [{"url": TRANSLATION, "valueQuantity": sent}]} | value
    return {"valueQuantity": value}


def _flag(fact: pb.ClinicalFact) -> Element:
    return elements.codeable(pb.CodedConcept(system=FLAG, code=fact.abnormal_flag.strip()))


def _range(fact: pb.ClinicalFact) -> list[Element]:
    """Bounds in the unit of the value; what is no number is text."""
    sent = fact.reference_range
    bounds = {name: _bound(getattr(sent, name), fact.quantity.unit) for name in ("low", "high")}
    words = [getattr(sent, name) for name, bound in bounds.items() if bound is None]
    range_ = without_empty(**bounds, text=elements.texts([*words, sent.text]))
    return [range_] if range_ else []


def _bound(text: str, unit: str) -> Element | None:
    return elements.quantity(pb.Quantity(value=text, unit=unit)) if text else None
