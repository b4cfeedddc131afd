"""DetectedIssue: a concern, what a rule sees in the record before anybody asks, with the facts that it rests on.

Guarantee: it says what the concern says, in the state in which it is; of what people did only what is a mitigation.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact

from gateway.domain.fhir import elements, resources
from gateway.domain.fhir.elements import Element, Resource, without_empty
from gateway.domain.rows import coding_of

ISSUE = "DetectedIssue"
# FHIR R4, detectedissue-severity: what may be life-threatening or do lasting harm, what may do noticeable harm, and
# what is unlikely to do much.
_SEVERITIES: Mapping["advice_pb2.Urgency.ValueType", str] = {
    advice_pb2.URGENCY_CONTRAINDICATED: "high",
    advice_pb2.URGENCY_URGENT: "high",
    advice_pb2.URGENCY_IMPORTANT: "moderate",
    advice_pb2.URGENCY_ROUTINE: "low",
}
# What lessens the risk, or the need to act. To have taken notice does neither.
_MITIGATIONS: Mapping["pb.ConcernAction.ValueType", str] = {
    pb.CONCERN_ACTION_DISMISS: "dismissed",
    pb.CONCERN_ACTION_SNOOZE: "snoozed",
}
# Resources of drugs: what is done and may be the problem.
_DONE = "Medication"


def references(facts: Iterable[RecordedFact], now: datetime) -> dict[str, str]:
    """The resources of facts, by the ids of these."""
    made = (resources.resource(each, now) for each in facts if not resources.left_out(each.fact))
    return {each["id"]: f"{each['resourceType']}/{each['id']}" for each in made if each}


def issue(concern: pb.Concern, known: Mapping[str, str]) -> Resource:
    """`known`: references of the facts that are shown to who asks; what a concern cites beside them is left out."""
    cited = [known[name] for name in dict.fromkeys(each.fact_id for each in concern.citations) if name in known]
    details = [{"reference": each} for each in cited]
    return without_empty(
        resourceType=ISSUE,
        id=concern.concern_id,
        meta={"lastUpdated": elements.moment(_last(concern))},
        status=_status(concern),
        code={"coding": [coding_of(concern.row, concern.version)]},
        severity=_SEVERITIES.get(concern.urgency, ""),
        patient=elements.patient(concern.patient),
        identifiedDateTime=elements.moment(concern.opened_at),
        author={"type": "Device", "display": "Longitude"},
        implicated=[each for each in details if each["reference"].startswith(_DONE)],
        evidence=[{"detail": details}] if details else [],
        detail="\n".join(filter(str.strip, (concern.text, concern.source and f"Source: {concern.source}"))),
        mitigation=_mitigation(concern.act) if concern.HasField("act") else [],
    )


def _status(concern: pb.Concern) -> str:
    """FHIR R4, observation-status: `preliminary` is interim and unverified, `final` needs no further action."""
    is_over = concern.state == pb.CONCERN_STATE_RESOLVED or concern.act.action == pb.CONCERN_ACTION_DISMISS
    return "final" if is_over else "preliminary"


def _mitigation(act: pb.ConcernAct) -> list[Element]:
    if act.action not in _MITIGATIONS:
        return []
    until = f" until {elements.moment(act.until)}" if act.HasField("until") else ""
    reason = f": {act.reason}" if act.reason.strip() else ""
    who = without_empty(
        type="Practitioner",
        identifier=without_empty(system=act.by.issuer, value=act.by.subject) if act.by.subject.strip() else {},
        display=act.by.name.strip(),
    )
    return [
        without_empty(
            action={"text": f"{_MITIGATIONS[act.action]}{until}{reason}"},
            date=elements.moment(act.acted_at),
            author=who if len(who) > 1 else {},
        )
    ]


def _last(concern: pb.Concern) -> Timestamp:
    """When it, or what was done about it, became what it is."""
    moments = (concern.opened_at, concern.changed_at, concern.resolved_at, concern.act.acted_at)
    return max(moments, key=lambda at: at.ToNanoseconds())
