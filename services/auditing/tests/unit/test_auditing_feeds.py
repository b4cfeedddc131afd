"""A feed's report counts each message once, by places and codes, and holds no value of a message."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from auditing.domain.feeds import Reception, reception_of, reports
from auditing.domain.records import Record
from contracts.topics import MESSAGE_RECEIVED, MESSAGE_REJECTED, RECORD_UPDATED, STUDY_RECEIVED
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from longitude.ingestion.v1.events_pb2 import (
    Filing,
    MessageHeader,
    MessageReceived,
    MessageRejected,
    Remark,
    StudyReceived,
)
from longitude.record.v1 import fact_pb2 as pb

NOON = Timestamp()
NOON.FromDatetime(datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC))


def record(topic: str, payload: Message, **headers: str) -> Record:
    return Record(topic, 0, 0, 0, headers, payload.SerializeToString())


def received(facility: str, kinds: list[pb.FactKind.ValueType], remarks: list[Remark], code: str = "AA") -> Record:
    payload = MessageReceived(
        header=MessageHeader(sending_facility=facility),
        facts=[pb.ClinicalFact(kind=kind) for kind in kinds],
        remarks=remarks,
        acknowledgement_code=code,
        received_at=NOON,
    )
    return record(MESSAGE_RECEIVED.name, payload)


def counts(one: Record) -> Counter[tuple[str, str]]:
    reception = reception_of(one)
    assert reception is not None
    return Counter(reception.counted)


def test_a_message_counts_with_its_answer_its_facts_and_its_remarks() -> None:
    remarks = [Remark(segment=f"OBX[{n}]", field="OBX-5.1", reason="no value") for n in (1, 2)]
    one = received("NORTH", [pb.FACT_KIND_RESULT, pb.FACT_KIND_DEMOGRAPHIC], remarks)
    assert counts(one) == {
        ("message", ""): 1, ("acknowledgement", "AA"): 1, ("with-facts", ""): 1, ("with-clinical-facts", ""): 1,
        ("remark", "OBX-5: no value"): 2,
    }  # fmt: skip
    reception = reception_of(one)
    assert reception is not None
    assert (reception.facility, reception.hour) == ("NORTH", datetime(2026, 3, 1, 12, tzinfo=UTC))


def test_birth_date_and_sex_alone_are_no_clinical_facts() -> None:
    assert ("with-clinical-facts", "") not in counts(received("NORTH", [pb.FACT_KIND_DEMOGRAPHIC], []))
    assert ("with-facts", "") not in counts(received("NORTH", [], []))
    assert ("acknowledgement", "none") in counts(received("NORTH", [], [], code=""))


@pytest.mark.parametrize(
    ("payload", "facility", "expected"),
    [
        (MessageRejected(acknowledgement_code="AE", condition_code="101", sending_facility="N"), "N", ("AE", "101")),
        (MessageRejected(condition_code="207"), "-", ("none", "207")),
        (MessageRejected(condition_code="C000", sop_instance_uid="1.2"), "DICOM", ("C000", "C000")),
    ],
)
def test_a_refusal_counts_with_its_answer_and_condition(
    payload: MessageRejected, facility: str, expected: tuple[str, str]
) -> None:
    one = record(MESSAGE_REJECTED.name, payload)
    reception = reception_of(one)
    assert reception is not None
    assert reception.facility == facility
    assert counts(one) == {("message", ""): 1, ("acknowledgement", expected[0]): 1, ("rejected", expected[1]): 1}


def test_what_no_feed_sent_is_not_counted() -> None:
    message = received("NORTH", [], [])
    assert reception_of(replace(message, headers={"replay_id": "r-1"})) is None
    assert reception_of(replace(message, topic=f"dlq.memory.{MESSAGE_RECEIVED.name}")) is None
    assert reception_of(replace(message, topic=RECORD_UPDATED.name)) is None
    assert reception_of(replace(message, value=b"\xff\xff")) is None
    filed = StudyReceived(sop_instance_uid="1.2", filing=Filing(filed_by="A"))
    assert reception_of(record(STUDY_RECEIVED.name, filed)) is None


@given(st.text(max_size=300))
def test_any_name_of_a_facility_can_be_stored(name: str) -> None:
    reception = reception_of(received(name, [], []))
    assert reception is not None
    assert reception.facility.isprintable()
    assert 1 <= len(reception.facility) <= 255


@given(st.lists(st.tuples(st.sampled_from(["N", "S"]), st.sampled_from(["AA", "AE"])), max_size=30))
def test_a_report_adds_up(sent: list[tuple[str, str]]) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    heard = [Reception(place, at, (("message", ""), ("acknowledgement", code))) for place, code in sent]
    totals = Counter((one.facility, *counted) for one in heard for counted in one.counted)
    made = reports({one.facility: at for one in heard}, [(*key, count) for key, count in totals.items()])
    assert [one.facility for one in made] == sorted({place for place, _ in sent})
    for report in made:
        assert report.messages == sum(place == report.facility for place, _ in sent)
        assert sum(one.count for one in report.acknowledgements) == report.messages


def test_a_silent_feed_is_shown_with_its_last_message() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC) - timedelta(days=9)
    (report,) = reports({"NORTH": at}, [])
    assert report.messages == 0
    assert report.last_received_at.ToDatetime(tzinfo=UTC) == at
