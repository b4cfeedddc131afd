"""A concern as DetectedIssue of FHIR R4: valid, in its state, and never more than what it says."""

import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from gateway.domain.fhir.elements import written
from gateway.domain.fhir.issues import issue, references
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as pb
from longitude.reasoning.v1.assessment_pb2 import Citation
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.fact_pb2 import PatientKey
from practice.records import RecordBuilder, stamp

OPEN, RESOLVED = pb.CONCERN_STATE_OPEN, pb.CONCERN_STATE_RESOLVED
DISMISS, SNOOZE = pb.CONCERN_ACTION_DISMISS, pb.CONCERN_ACTION_SNOOZE
WHO = pb.ConcernActor(issuer="https://issuer.example.org", subject="u-1", name="Dr. A. Moreau")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
moments = st.builds(Timestamp, seconds=st.integers(-62_000_000_000, 250_000_000_000), nanos=st.integers(0, 999_999_999))
acts = st.builds(
    pb.ConcernAct,
    action=st.sampled_from(pb.ConcernAction.values()),
    by=st.none() | st.builds(pb.ConcernActor, issuer=texts, subject=texts, name=texts),
    reason=texts,
    acted_at=moments,
    until=st.none() | moments,
)
concerns = st.builds(
    pb.Concern,
    concern_id=st.uuids().map(str),
    patient=st.builds(PatientKey, id=st.text(min_size=1, max_size=20), authority=st.text(max_size=20)),
    row=st.sampled_from(["criticals/potassium", "rules/drug_of_an_allergic_class"]),
    version=st.integers(1, 9),
    urgency=st.sampled_from(advice_pb2.Urgency.values()),
    state=st.sampled_from(pb.ConcernState.values()),
    text=texts,
    source=texts,
    citations=st.lists(st.builds(Citation, fact_id=st.sampled_from(["", "f-1", "f-2"])), max_size=3),
    opened_at=moments,
    changed_at=moments,
    resolved_at=st.none() | moments,
    act=st.none() | acts,
)


def valid(resource: dict[str, Any]) -> dict[str, Any]:
    """As it leaves, read by a library of others; in FHIR R4's form."""
    sent = json.loads(written(resource))
    get_fhir_model_class("DetectedIssue").model_validate(sent)
    return dict(sent)


@given(concerns)
def test_every_concern_is_a_valid_resource(concern: pb.Concern) -> None:
    told = valid(issue(concern, {"f-1": "MedicationRequest/f-1", "f-2": "Observation/f-2"}))
    assert told["id"] == concern.concern_id
    assert {each["reference"] for each in told.get("implicated", [])} <= {"MedicationRequest/f-1"}


def concern(**content: Any) -> pb.Concern:
    made = pb.Concern(concern_id="c-1", row="criticals/potassium", version=3, text="Potassium 6.7 mmol/L.", **content)
    made.patient.id, made.patient.authority, made.source = "P1", "NORTH", "A handbook, section 2, 2024"
    made.opened_at.CopyFrom(stamp("2026-01-01"))
    made.changed_at.CopyFrom(stamp("2026-01-02"))
    return made


def act(action: pb.ConcernAction.ValueType, **content: Any) -> pb.ConcernAct:
    return pb.ConcernAct(action=action, by=WHO, acted_at=stamp("2026-01-03"), **content)


@pytest.mark.parametrize(
    ("content", "status", "last"),
    [
        ({"state": OPEN}, "preliminary", "2026-01-02"),
        ({"state": RESOLVED, "resolved_at": stamp("2026-01-09")}, "final", "2026-01-09"),
        ({"state": OPEN, "act": act(DISMISS)}, "final", "2026-01-03"),
        ({"state": OPEN, "act": act(SNOOZE)}, "preliminary", "2026-01-03"),
        ({"state": OPEN, "act": act(pb.CONCERN_ACTION_ACKNOWLEDGE)}, "preliminary", "2026-01-03"),
    ],
)
def test_the_status_says_whether_something_is_to_be_done(content: dict[str, Any], status: str, last: str) -> None:
    told = valid(issue(concern(**content), {}))
    assert (told["status"], told["meta"]["lastUpdated"][:10]) == (status, last)
    assert told["identifiedDateTime"].startswith("2026-01-01")


@pytest.mark.parametrize(
    ("urgency", "severity"),
    [
        (advice_pb2.URGENCY_CONTRAINDICATED, "high"),
        (advice_pb2.URGENCY_URGENT, "high"),
        (advice_pb2.URGENCY_IMPORTANT, "moderate"),
        (advice_pb2.URGENCY_ROUTINE, "low"),
    ],
)
def test_severity_follows_the_urgency(urgency: advice_pb2.Urgency.ValueType, severity: str) -> None:
    assert issue(concern(urgency=urgency), {})["severity"] == severity


def test_a_dismissal_and_a_snooze_are_mitigations_and_an_acknowledgement_is_none() -> None:
    dismissed = valid(issue(concern(state=OPEN, act=act(DISMISS, reason="the sample was haemolysed")), {}))
    (one,) = dismissed["mitigation"]
    assert one["action"]["text"] == "dismissed: the sample was haemolysed"
    assert one["author"]["display"] == "Dr. A. Moreau"
    assert one["author"]["identifier"] == {"system": WHO.issuer, "value": "u-1"}
    snoozed = valid(issue(concern(state=OPEN, act=act(SNOOZE, until=stamp("2026-02-01"))), {}))
    assert snoozed["mitigation"][0]["action"]["text"].startswith("snoozed until 2026-02-01")
    assert "mitigation" not in issue(concern(act=act(pb.CONCERN_ACTION_ACKNOWLEDGE)), {})


def test_what_it_rests_on_is_referred_to_as_far_as_it_is_shown() -> None:
    record = RecordBuilder()
    record.potassium("6.7", "2026-01-01")
    record.medication("29046", "lisinopril", "2025-01-01")
    record.add(cf.ClinicalFact(kind=cf.FACT_KIND_RESULT, status=cf.FACT_STATUS_ENTERED_IN_ERROR))
    result, drug, withdrawn = (each.fact.fact_id for each in record.facts)
    made = concern(state=OPEN)
    made.citations.extend(Citation(fact_id=name) for name in (result, drug, withdrawn, drug, "closed", ""))
    told = valid(issue(made, references(record.facts, stamp("2026-06-01").ToDatetime())))
    of_drug = {"reference": f"MedicationRequest/{drug}"}
    assert told["evidence"] == [{"detail": [{"reference": f"Observation/{result}"}, of_drug]}]
    assert told["implicated"] == [of_drug]
    assert told["detail"] == "Potassium 6.7 mmol/L.\nSource: A handbook, section 2, 2024"


def test_its_code_is_the_row_or_the_rule() -> None:
    row, rule = concern(), concern()
    rule.row = "rules/drug_of_an_allergic_class"
    codings = [issue(each, {})["code"]["coding"][0] for each in (row, rule)]
    assert codings == [
        {"system": "urn:longitude:knowledge", "version": "3", "code": "criticals/potassium"},
        {"system": "urn:longitude:rule", "version": "3", "code": "drug_of_an_allergic_class"},
    ]
