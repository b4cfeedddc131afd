"""The form of a leaf: the same record gives the same bytes, no patient in them, and no record without one."""

import json
from dataclasses import replace
from typing import Any

import pytest
from auditing.domain.audit_event import Entry, entry_of
from auditing.domain.canonical_json import canonical
from auditing.domain.records import Record, identify
from auditing.domain.subjects import pseudonym
from auditing.domain.tiles import MAX_ENTRY_BYTES
from contracts.topics import (
    ASSESSMENT_REVIEWED,
    CANDIDATE_TRAINED,
    CONSENT_CHANGED,
    DOCUMENT_RECEIVED,
    MESSAGE_RECEIVED,
    RECORD_READ,
    RECORD_UPDATED,
    TOPICS,
    VERSION_PROMOTED,
)
from hypothesis import given
from hypothesis import strategies as st
from longitude.ingestion.v1.events_pb2 import DocumentReceived, MessageHeader, MessageReceived, PatientIdentity
from longitude.learning.v1.events_pb2 import CandidateTrained, ConsentChanged, Version, VersionPromoted
from longitude.memory.v1.events_pb2 import RecordRead
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_PROBLEM, PatientKey
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_FAILED, LOOK_OUTCOME_REFUSED, LOOK_OUTCOME_SHOWN, Look

KEY = bytes(range(32))
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
MESSAGE = MessageReceived(
    header=MessageHeader(control_id="MSG00001"),
    patient=PatientIdentity(
        key=PatientKey(id="NW-204417", authority="NORTHWEST"), family_name="Fictitious", given_name="Paula"
    ),
    document_ids=["d-1"],
)
HEADERS = {
    "ce_id": "0f6d2f0e-6e0c-5f1e-8a39-a5a1f4d2c001",
    "ce_type": MESSAGE_RECEIVED.event_type,
    "ce_time": "2026-03-01T08:00:00.250000+00:00",
    "ce_causationid": "cause-1",
}


def record_of(**changes: object) -> Record:
    record = Record(MESSAGE_RECEIVED.name, 2, 17, 1_772_352_000_251, HEADERS, MESSAGE.SerializeToString())
    return replace(record, **changes)  # type: ignore[arg-type]


def event_of(entry: Entry) -> dict[str, object]:
    parsed = json.loads(entry.data)
    assert isinstance(parsed, dict)
    return parsed


def details_of(entry: Entry) -> dict[str, str]:
    parsed = json.loads(entry.data)
    return {detail["type"]: detail["valueString"] for detail in parsed["entity"][0]["detail"]}


def test_reading_a_record_again_gives_the_same_leaf() -> None:
    assert entry_of(record_of(), KEY) == entry_of(record_of(), KEY)


def test_a_leaf_names_the_place_and_the_hash_of_its_record() -> None:
    details = details_of(entry_of(record_of(), KEY))
    assert (details["topic"], details["partition"], details["offset"]) == (MESSAGE_RECEIVED.name, "2", "17")
    assert details["sha256"] == record_of().sha256.hex()
    assert details["causation-id"] == "cause-1"


def test_a_leaf_is_a_fhir_audit_event_with_times_of_the_record() -> None:
    event = event_of(entry_of(record_of(), KEY))
    assert event["resourceType"] == "AuditEvent"
    assert event["recorded"] == "2026-03-01T08:00:00.251Z"
    assert event["period"] == {"start": "2026-03-01T08:00:00.250Z"}
    assert event["outcome"] == "0"
    # Elements that FHIR R4 makes mandatory.
    assert {"type", "recorded", "agent", "source"} <= event.keys()


def test_no_identifier_of_the_patient_is_in_a_leaf() -> None:
    data = entry_of(record_of(), KEY).data
    assert b"NW-204417" not in data
    assert b"NORTHWEST" not in data
    assert b"Fictitious" not in data
    assert pseudonym(KEY, "NW-204417@NORTHWEST").encode() in data


def test_a_pseudonym_cannot_be_had_without_the_key() -> None:
    assert pseudonym(KEY, "NW-204417@NORTHWEST") != pseudonym(bytes(32), "NW-204417@NORTHWEST")


def test_people_can_trace_by_control_id_and_document() -> None:
    assert entry_of(record_of(), KEY).identifiers == ("MSG00001", "d-1")
    document = DocumentReceived(document_id="d-9", patient=PatientKey(id="x", authority="y"))
    entry = entry_of(record_of(topic=DOCUMENT_RECEIVED.name, value=document.SerializeToString()), KEY)
    assert entry.identifiers == ("d-9",)


def test_a_review_names_who_signed() -> None:
    review = AssessmentReviewed(assessment_id="a-1", reviewer="DR-7")
    entry = entry_of(record_of(topic=ASSESSMENT_REVIEWED.name, value=review.SerializeToString()), KEY)
    assert b'"value":"DR-7"' in entry.data
    assert entry.identifiers == ("a-1",)


def test_a_consent_names_who_entered_it_and_hides_whose_it_is() -> None:
    consent = ConsentChanged(patient=PatientKey(id="NW-204417", authority="NORTHWEST"), given=True, decided_by="DR-7")
    entry = entry_of(record_of(topic=CONSENT_CHANGED.name, value=consent.SerializeToString()), KEY)
    assert event_of(entry)["type"] == {"system": LIFECYCLE, "code": "amend"}
    assert b'"value":"DR-7"' in entry.data
    assert b"NW-204417" not in entry.data
    assert pseudonym(KEY, "NW-204417@NORTHWEST").encode() in entry.data


def test_a_promotion_names_who_decided_and_is_found_by_its_version() -> None:
    promoted = VersionPromoted(version_id="v-1", decided_by="DR-7")
    entry = entry_of(record_of(topic=VERSION_PROMOTED.name, value=promoted.SerializeToString()), KEY)
    assert event_of(entry)["type"] == {"system": LIFECYCLE, "code": "attest"}
    assert b'"value":"DR-7"' in entry.data
    assert entry.identifiers == ("v-1",)


def test_a_candidate_is_found_by_its_version_and_by_its_job() -> None:
    trained = CandidateTrained(version=Version(version_id="v-1", job_id="j-1"))
    entry = entry_of(record_of(topic=CANDIDATE_TRAINED.name, value=trained.SerializeToString()), KEY)
    assert set(entry.identifiers) == {"v-1", "j-1"}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_has_a_readable_leaf(topic: object) -> None:
    name, payload = topic.name, topic.payload  # type: ignore[attr-defined]
    event = event_of(entry_of(record_of(topic=name, value=payload().SerializeToString()), KEY))
    assert event["outcome"] == ("4" if name.endswith("message-rejected.v1") else "0")


def test_an_unreadable_payload_is_a_leaf_that_says_so() -> None:
    assert event_of(entry_of(record_of(value=b"\xff\xff\xff"), KEY))["outcome"] == "8"


def test_a_dead_letter_is_a_leaf_of_its_own_caused_by_the_event() -> None:
    headers = HEADERS | {
        "dlq_topic": MESSAGE_RECEIVED.name,
        "dlq_partition": "2",
        "dlq_offset": "17",
        "dlq_reason": "bug",
    }
    entry = entry_of(record_of(topic=f"dlq.memory.{MESSAGE_RECEIVED.name}", headers=headers), KEY)
    assert entry.causation_id == HEADERS["ce_id"]
    assert entry.event_id != HEADERS["ce_id"]
    assert details_of(entry)["dead-letter-reason"] == "bug"
    assert entry.identifiers == ("MSG00001", "d-1")
    assert b'"value":"memory"' in entry.data


def test_a_dead_letter_written_twice_is_the_same_event_and_a_second_failure_another() -> None:
    topic = f"dlq.memory.{MESSAGE_RECEIVED.name}"
    place = {"dlq_topic": MESSAGE_RECEIVED.name, "dlq_partition": "2", "dlq_offset": "17"}
    first = identify(record_of(topic=topic, offset=1, headers=HEADERS | place))
    again = identify(record_of(topic=topic, offset=2, headers=HEADERS | place))
    failed_again = identify(record_of(topic=topic, offset=3, headers=HEADERS | place | {"dlq_offset": "40"}))
    assert first == again
    assert failed_again.event_id != first.event_id


def test_a_replay_is_a_leaf_of_its_own_caused_by_the_event() -> None:
    replay = {"replay_id": "r-1", "replay_policy": "once", "replay_count": "1"}
    entry = entry_of(record_of(headers=HEADERS | replay), KEY)
    assert (entry.event_id, entry.causation_id) == ("r-1", HEADERS["ce_id"])
    assert details_of(entry)["replay-policy"] == "once"


def test_a_record_of_unknown_origin_is_known_by_its_place() -> None:
    assert identify(record_of(headers={})) == identify(record_of(headers={}))
    assert identify(record_of(headers={})).event_id != identify(record_of(headers={}, offset=18)).event_id


@given(
    topic=st.sampled_from([MESSAGE_RECEIVED.name, RECORD_UPDATED.name, "dlq.", "dlq.memory", "dlq.memory.x.v1", ""]),
    timestamp=st.integers(-(2**63), 2**63 - 1),
    headers=st.dictionaries(
        st.sampled_from(["ce_id", "ce_type", "ce_time", "ce_causationid", "dlq_topic", "replay_id"]), st.text()
    ),
    value=st.binary(max_size=200),
)
def test_every_record_has_a_leaf_that_fits_and_is_canonical(
    topic: str, timestamp: int, headers: dict[str, str], value: bytes
) -> None:
    entry = entry_of(Record(topic, 0, 0, timestamp, headers, value), KEY)
    assert len(entry.data) <= MAX_ENTRY_BYTES
    assert canonical(json.loads(entry.data)) == entry.data
    assert entry.event_id


def test_headers_that_cannot_be_identifiers_are_left_out() -> None:
    entry = entry_of(record_of(headers={"ce_id": "x" * 256, "ce_type": "a\nb"}), KEY)
    assert b"xxx" not in entry.data
    assert entry.event_type == ""


LOOK = Look(
    patient=PatientKey(id="NW-204417", authority="NORTHWEST"),
    issuer="https://issuer.example",
    subject="nurse-7",
    roles=["nurse"],
    process="command",
    rpc="GetTimeline",
    purpose="TREAT",
    reason="ward round of Mrs Fictitious",
    outcome=LOOK_OUTCOME_SHOWN,
    kinds=[FACT_KIND_PROBLEM, FACT_KIND_ALLERGY],
    shown=12,
    left_out=3,
)


def entry_of_look(**changes: object) -> Entry:
    look = Look()
    look.CopyFrom(LOOK)
    look.MergeFrom(Look(**changes))  # type: ignore[arg-type]
    return entry_of(record_of(topic=RECORD_READ.name, value=RecordRead(look=look).SerializeToString()), KEY)


def test_a_look_says_who_whom_what_why_and_through_what_as_balp_does() -> None:
    entry = entry_of_look()
    event: Any = event_of(entry)
    assert (event["type"]["code"], event["action"], event["outcome"]) == ("access", "R", "0")
    assert {"system": "http://hl7.org/fhir/restful-interaction", "code": "read"} in event["subtype"]
    agents = {agent["type"]["coding"][0]["code"]: agent for agent in event["agent"]}
    assert agents["110152"]["who"]["identifier"]["value"] == "command"
    assert agents["110153"]["who"]["identifier"]["value"] == "memory"
    person = agents["IRCP"]
    assert person["who"]["identifier"] == {"system": "https://issuer.example", "value": "nurse-7"}
    assert person["role"][0]["coding"][0]["code"] == "nurse"
    assert person["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert [agent["requestor"] for agent in event["agent"]] == [False, False, True]
    details = details_of(entry)
    assert (details["rpc"], details["kinds"], details["shown"], details["left-out"]) == (
        "GetTimeline",
        "allergy problem",
        "12",
        "3",
    )
    assert entry.looked_at == pseudonym(KEY, "NW-204417@NORTHWEST")


def test_a_look_at_one_patient_too_many_says_so_and_others_are_leaves_as_before() -> None:
    assert "beyond" not in details_of(entry_of_look())
    assert details_of(entry_of_look(beyond_patients=100, within_s=3600))["beyond"] == "100 patients in 3600 s"


def test_a_refused_look_is_a_failure_and_counts_nothing() -> None:
    entry = entry_of_look(outcome=LOOK_OUTCOME_REFUSED, status="PERMISSION_DENIED")
    assert event_of(entry)["outcome"] == "8"
    assert details_of(entry)["status"] == "PERMISSION_DENIED"
    assert "shown" not in details_of(entry)
    assert event_of(entry_of_look(outcome=LOOK_OUTCOME_FAILED, status="NOT_FOUND"))["outcome"] == "4"


def test_neither_the_patient_nor_the_words_of_a_reason_are_in_the_leaf_of_a_look() -> None:
    data = entry_of_look().data
    assert b"NW-204417" not in data
    assert b"Fictitious" not in data
    assert details_of(entry_of_look())["reason"] == "stated in the event"


def test_a_look_of_a_stranger_with_long_texts_is_a_leaf_all_the_same() -> None:
    entry = entry_of_look(subject="x" * 300, rpc="\x1b[2J", object_id="y" * 70_000)
    assert len(entry.data) < MAX_ENTRY_BYTES
    assert b"\\u001b" not in entry.data
