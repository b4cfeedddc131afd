"""What each statement of the record is in FHIR R4, or why it is not shown there.

Guarantee: no resource says more than its statement. What is denied, withdrawn or of somebody else becomes none; states
and times are those that were stated; what was never carried out is a request and nothing else.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from terminology import absence
from terminology.concepts import ACT_CODE
from terminology.fhir import (
    ALLERGY_CLINICAL,
    ALLERGY_VERIFICATION,
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    PARTICIPANT,
)
from terminology.loinc import FAMILY_HISTORY

from gateway.domain.fhir import elements
from gateway.domain.fhir.elements import Element, Resource, without_empty
from gateway.domain.fhir.medications import medication
from gateway.domain.fhir.observations import METHODS, observation

# The kinds of statements that a type of resource is made from.
KINDS: Mapping[str, tuple["pb.FactKind.ValueType", ...]] = {
    "AllergyIntolerance": (pb.FACT_KIND_ALLERGY,),
    "Condition": (pb.FACT_KIND_PROBLEM,),
    "DocumentReference": (pb.FACT_KIND_DOCUMENT,),
    "Encounter": (pb.FACT_KIND_ENCOUNTER,),
    "Immunization": (pb.FACT_KIND_IMMUNIZATION,),
    "MedicationAdministration": (pb.FACT_KIND_MEDICATION,),
    "MedicationDispense": (pb.FACT_KIND_MEDICATION,),
    "MedicationRequest": (pb.FACT_KIND_MEDICATION,),
    "MedicationStatement": (pb.FACT_KIND_MEDICATION,),
    "Observation": (pb.FACT_KIND_RESULT, pb.FACT_KIND_IMAGING_FINDING),
    "Procedure": (pb.FACT_KIND_PROCEDURE,),
    "Provenance": (),
    "ServiceRequest": (pb.FACT_KIND_PROCEDURE,),
}
# Of these, those that say of whom in `patient` and not in `subject`.
_OF_PATIENT = {"AllergyIntolerance", "Immunization"}
_ENDED = pb.FACT_STATUS_ENDED


def left_out(fact: pb.ClinicalFact) -> str:
    """Why a statement is no resource, the first that applies; empty where it is one."""
    is_planned = fact.status == pb.FACT_STATUS_ORDERED
    reasons = {
        "withdrawn": fact.status == pb.FACT_STATUS_ENTERED_IN_ERROR,
        "of no kind that is here": fact.kind not in _MADE and fact.kind != pb.FACT_KIND_DEMOGRAPHIC,
        "without a name": not elements.named(fact) and fact.kind != pb.FACT_KIND_ENCOUNTER,
        "of a relative": fact.code.code == FAMILY_HISTORY,
        "denied": fact.assertion == pb.ASSERTION_ABSENT and not _says_so(fact),
        "planned": is_planned and fact.kind in {pb.FACT_KIND_RESULT, pb.FACT_KIND_IMMUNIZATION},
    }
    return next((why for why, applies in reasons.items() if applies), "")


def _says_so(fact: pb.ClinicalFact) -> bool:
    """Whether what FHIR reads says itself that it is not: a code for none, a vaccination that was not done."""
    return fact.kind == pb.FACT_KIND_IMMUNIZATION or absence.of(fact.code) is not None


def resource(recorded: RecordedFact, now: datetime) -> Resource | None:
    """The resource of a statement that is one, with the statement's id; None for a demographic."""
    fact = recorded.fact
    if fact.kind == pb.FACT_KIND_DEMOGRAPHIC:
        return None
    made = _MADE[fact.kind](fact, now)
    kind = made.pop("resourceType")
    whom = {"patient" if kind in _OF_PATIENT else "subject": elements.patient(fact.patient)}
    head = {"resourceType": kind, "id": fact.fact_id, "meta": elements.meta(fact, recorded.recorded_at)}
    return head | made | whom


def provenance(recorded: RecordedFact, made: Resource | None) -> Resource:
    """Where the statement of a resource was read: the message and its field, the document and its page.

    `made`: the resource; None for a demographic, which is part of the patient.
    """
    fact, source = recorded.fact, recorded.fact.source
    places = [source.segment, source.field, f"page {source.page}" if source.page else ""]
    if source.text_end:
        places.append(f"characters {source.text_start} to {source.text_end}")
    named = {
        "urn:longitude:event": source.event_id,
        "urn:longitude:message-control-id": source.control_id,
        "urn:longitude:document": source.document_id,
        "urn:dicom:uid": f"urn:oid:{source.sop_instance_uid}" if source.sop_instance_uid else "",
    }
    what = [{"system": system, "value": value} for system, value in named.items() if value.strip()]
    return without_empty(
        resourceType="Provenance",
        id=fact.fact_id,
        meta={"lastUpdated": elements.moment(recorded.recorded_at)},
        target=[{"reference": f"{made['resourceType']}/{made['id']}"} if made else elements.patient(fact.patient)],
        occurredDateTime=elements.stated(fact, "stated_at"),
        recorded=elements.moment(recorded.recorded_at),
        activity={"text": METHODS.get(fact.provenance, "read from a field of a message")},
        agent=[{"type": elements.of(PARTICIPANT, "assembler"), "who": {"display": "Longitude"}}],
        entity=[
            {"role": "source", "what": without_empty(identifier=one, display=elements.texts(places))} for one in what
        ],
    )


def _condition(fact: pb.ClinicalFact, now: datetime) -> Resource:
    segment = fact.source.segment.partition("[")[0]
    category = {"PRB": "problem-list-item", "DG1": "encounter-diagnosis"}.get(segment, "")
    is_over = fact.status == _ENDED or (fact.HasField("valid_to") and fact.valid_to.ToDatetime(UTC) <= now)
    state = "inactive" if is_over else "active" if fact.status == pb.FACT_STATUS_ACTIVE else ""
    doubted = fact.status == pb.FACT_STATUS_PRELIMINARY
    # Only what is over has an end (invariant con-4).
    return without_empty(
        resourceType="Condition",
        clinicalStatus=elements.of(CONDITION_CLINICAL, state) if state and not _is_none(fact) else {},
        verificationStatus=elements.of(CONDITION_VERIFICATION, "unconfirmed") if doubted else {},
        category=[elements.of(CONDITION_CATEGORY, category)] if category else [],
        code=elements.named(fact),
        encounter=elements.visit(fact),
        onsetDateTime=elements.stated(fact, "valid_from"),
        abatementDateTime=elements.stated(fact, "valid_to") if is_over else "",
        recordedDate=elements.stated(fact, "stated_at"),
        note=_notes(fact),
    )


def _allergy(fact: pb.ClinicalFact, _: datetime) -> Resource:
    state = {pb.FACT_STATUS_ACTIVE: "active", _ENDED: "inactive"}.get(fact.status, "")
    doubted = fact.status == pb.FACT_STATUS_PRELIMINARY
    severity = fact.severity.display or fact.severity.code
    return without_empty(
        resourceType="AllergyIntolerance",
        clinicalStatus=elements.of(ALLERGY_CLINICAL, state) if state else {},
        verificationStatus=elements.of(ALLERGY_VERIFICATION, "unconfirmed") if doubted else {},
        code=elements.named(fact),
        encounter=elements.visit(fact),
        onsetDateTime=elements.stated(fact, "valid_from"),
        recordedDate=elements.stated(fact, "stated_at"),
        note=elements.notes(
            METHODS.get(fact.provenance, ""), f"severity: {severity}" if severity else "", *fact.comments
        ),
        reaction=[{"manifestation": [{"text": fact.note.strip()}]}] if fact.note.strip() else [],
    )


def _immunization(fact: pb.ClinicalFact, _: datetime) -> Resource:
    is_done = fact.assertion != pb.ASSERTION_ABSENT
    reason = {} if is_done or not fact.note.strip() else {"text": fact.note.strip()}
    when = elements.stated(fact, "valid_from")
    dose = elements.quantity(fact.dosage.dose) if fact.dosage.HasField("dose") else None
    route = fact.dosage.route.strip()
    return without_empty(
        resourceType="Immunization",
        status="completed" if is_done else "not-done",
        statusReason=reason,
        vaccineCode=elements.named(fact),
        encounter=elements.visit(fact),
        recorded=elements.stated(fact, "stated_at"),
        route={"text": route} if route else {},
        doseQuantity=dose,
        note=elements.notes(fact.note if is_done else "", *fact.comments),
    ) | ({"occurrenceDateTime": when} if when else {"occurrenceString": "unknown"})


def _encounter(fact: pb.ClinicalFact, _: datetime) -> Resource:
    states = {pb.FACT_STATUS_ACTIVE: "in-progress", pb.FACT_STATUS_ORDERED: "planned", _ENDED: "finished"}
    reason = fact.note.strip()
    of_class = fact.code.system == ACT_CODE
    return without_empty(
        resourceType="Encounter",
        identifier=[{"value": fact.encounter_id}] if fact.encounter_id.strip() else [],
        status=states.get(fact.status, "unknown"),
        class_=(elements.coding(fact.code) if of_class else {}) or elements.UNKNOWN,
        type=[] if of_class or not elements.named(fact) else [elements.named(fact)],
        period=elements.period(fact),
        reasonCode=[{"text": reason}] if reason else [],
    )


def _procedure(fact: pb.ClinicalFact, _: datetime) -> Resource:
    """What was done is a procedure; what stands in an order (OBR, ORC) was asked for."""
    if fact.source.segment.startswith(("OBR", "ORC")) or fact.status == pb.FACT_STATUS_ORDERED:
        return _service(fact)
    return without_empty(
        resourceType="Procedure",
        status="completed" if fact.status == pb.FACT_STATUS_FINAL else "unknown",
        code=elements.named(fact),
        encounter=elements.visit(fact),
        note=_notes(fact),
    ) | _performed(fact)


def _performed(fact: pb.ClinicalFact) -> Element:
    when = elements.period(fact)
    if when.get("start") == when.get("end"):
        return {"performedDateTime": when["start"]} if when else {}
    return {"performedPeriod": when}


def _service(fact: pb.ClinicalFact) -> Resource:
    """Of an order that ended nobody said whether it was carried out."""
    return without_empty(
        resourceType="ServiceRequest",
        status="active" if fact.status in {pb.FACT_STATUS_ORDERED, pb.FACT_STATUS_ACTIVE} else "unknown",
        intent="order",
        code=elements.named(fact),
        encounter=elements.visit(fact),
        occurrenceDateTime=elements.stated(fact, "valid_from"),
        authoredOn=elements.stated(fact, "stated_at"),
        note=_notes(fact),
    )


def _document(fact: pb.ClinicalFact, _: datetime) -> Resource:
    states = {
        pb.FACT_STATUS_FINAL: "final",
        pb.FACT_STATUS_PRELIMINARY: "preliminary",
        pb.FACT_STATUS_CORRECTED: "amended",
    }
    attachment = without_empty(
        contentType="text/plain",
        url=f"Binary/{fact.fact_id}",
        title=elements.named(fact).get("text", ""),
        creation=elements.stated(fact, "valid_from"),
    )
    return without_empty(
        resourceType="DocumentReference",
        status="current",
        docStatus=states.get(fact.status, ""),
        type=elements.named(fact),
        date=elements.stated(fact, "stated_at"),
        description=elements.texts([fact.note, *fact.comments]),
        content=[{"attachment": attachment}],
        context=without_empty(encounter=[visit] if (visit := elements.visit(fact)) else []),
    )


def _notes(fact: pb.ClinicalFact) -> list[Element]:
    return elements.notes(METHODS.get(fact.provenance, ""), fact.note, *fact.comments)


def _is_none(fact: pb.ClinicalFact) -> bool:
    return fact.assertion == pb.ASSERTION_ABSENT


_MADE: Mapping["pb.FactKind.ValueType", Callable[[pb.ClinicalFact, datetime], Resource]] = {
    pb.FACT_KIND_ALLERGY: _allergy,
    pb.FACT_KIND_DOCUMENT: _document,
    pb.FACT_KIND_ENCOUNTER: _encounter,
    pb.FACT_KIND_IMAGING_FINDING: lambda fact, _: observation(fact),
    pb.FACT_KIND_IMMUNIZATION: _immunization,
    pb.FACT_KIND_MEDICATION: medication,
    pb.FACT_KIND_PROBLEM: _condition,
    pb.FACT_KIND_PROCEDURE: _procedure,
    pb.FACT_KIND_RESULT: lambda fact, _: observation(fact),
}
